"""Rotations and similarities, in the conventions at the top of `facepuppet.core.types`.

Everything computes in float64 and returns float64; messages cast to float32 when they are built.

A rotation is yaw, then pitch about the turned head's own side axis, then roll about its own facing
direction: R = Ry(−yaw) · Rx(pitch) · Rz(roll). The facing direction R · (0, 0, −1) =
(sin yaw · cos pitch, sin pitch, −cos yaw · cos pitch) therefore does not depend on roll, and gaze
angles use the same two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import cv2
import numpy as np

from facepuppet.core.types import F32, F64, Floats

_TINY = 1e-12


def rotation_from_euler(yaw: float, pitch: float, roll: float) -> F64:
    """Build a (3, 3) rotation from yaw, pitch and roll in radians (signs as in `facepuppet.core.types`)."""
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    turn = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    nod = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    tilt = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(turn @ nod @ tilt, dtype=np.float64)


def euler_from_rotation(rotation: Floats) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) of a (3, 3) rotation, in radians, pitch within ±π/2."""
    r = np.asarray(rotation, dtype=np.float64)
    pitch = np.arcsin(np.clip(-r[1, 2], -1.0, 1.0))
    if np.hypot(r[1, 0], r[1, 1]) < 1e-9:  # straight up or down: yaw and roll are one axis
        return float(np.arctan2(r[2, 0], r[0, 0])), float(pitch), 0.0
    return float(np.arctan2(-r[0, 2], r[2, 2])), float(pitch), float(np.arctan2(r[1, 0], r[1, 1]))


def rotation_from_vector(vector: Floats) -> F64:
    """Build a (3, 3) rotation about `vector` (3,) by its length in radians (Rodrigues' formula)."""
    return np.asarray(cv2.Rodrigues(np.asarray(vector, dtype=np.float64))[0])


def vector_from_rotation(rotation: Floats) -> F64:
    """Return the rotation vector (3,) of a (3, 3) rotation; its length is the angle, in [0, π] rad."""
    r = np.asarray(rotation, dtype=np.float64)
    # By way of a unit quaternion, which stays well conditioned at half a turn. OpenCV's Rodrigues (4.11 to
    # 5.0, findings/rodrigues_forgets_small_turns.sh) returns 0 for turns below 1e-5.
    quaternion = _quaternion_from_rotation(r)
    w, xyz = quaternion[0], quaternion[1:]
    sine = float(np.linalg.norm(xyz))
    if sine < _TINY:
        return 2.0 * xyz
    return np.asarray(xyz * (2.0 * np.arctan2(sine, w) / sine))


def geodesic_angle(a: Floats, b: Floats) -> float:
    """Return the angle in [0, π] rad of the rotation that carries the (3, 3) rotation a into b."""
    return float(np.linalg.norm(vector_from_rotation(np.asarray(a, dtype=np.float64).T @ b)))


@dataclass(frozen=True, slots=True)
class Similarity:
    """The map p ↦ scale · rotation · p + translation, in 2-D or 3-D; name it `dst_from_src`.

    Attributes:
        rotation: (D, D) float64 proper rotation.
        scale: positive.
        translation: (D,) float64 in destination units.
    """

    rotation: F64
    scale: float
    translation: F64

    def apply(self, points: Floats) -> F64:
        """Carry (..., D) points from source to destination."""
        return np.asarray(self.scale * (np.asarray(points) @ self.rotation.T) + self.translation)

    def inverse(self) -> Similarity:
        """Return src_from_dst."""
        back = self.rotation.T
        return Similarity(back, 1.0 / self.scale, -(back @ self.translation) / self.scale)

    def __matmul__(self, other: Similarity) -> Similarity:
        """Compose: `c_from_b @ b_from_a` is c_from_a."""
        return Similarity(
            self.rotation @ other.rotation, self.scale * other.scale, self.apply(other.translation)
        )

    @property
    def matrix(self) -> F64:
        """The same map as a (D, D + 1) affine matrix, as OpenCV takes it."""
        return np.hstack([self.scale * self.rotation, self.translation[:, None]])


def fit_similarity(src: Floats, dst: Floats, weights: Floats | None = None) -> Similarity:
    """Find the similarity that carries src to dst with the least weighted squared error.

    Closed form of S. Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns", PAMI 1991; works in any dimension (2-D and 3-D here).

    Args:
        src: (N, D) points.
        dst: (N, D) points.
        weights: (N,) non-negative, or None for equal weights.

    Raises:
        ValueError: shapes differ, or the source points have no extent.
    """
    p, q = np.asarray(src, dtype=np.float64), np.asarray(dst, dtype=np.float64)
    if p.shape != q.shape or p.ndim != 2:
        raise ValueError(f"got src {p.shape} and dst {q.shape}, expected two (N, D) arrays of one shape")
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    p_mean, q_mean = w @ p, w @ q
    p_centred, q_centred = p - p_mean, q - q_mean
    variance = float(w @ (p_centred**2).sum(axis=1))
    if variance < _TINY:
        raise ValueError("got source points that coincide, expected points with some extent")
    u, singular, vt = np.linalg.svd((q_centred * w[:, None]).T @ p_centred)
    sign = np.ones(len(singular))
    sign[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = u @ (sign[:, None] * vt)
    scale = float(singular @ sign) / variance
    return Similarity(rotation, scale, q_mean - scale * (rotation @ p_mean))


def head_from_image(landmarks_px: Floats, image_from_head: Similarity) -> F64:
    """Express (N, 3) image landmarks in the head frame of a fitted pose (see `face.head_pose`)."""
    return image_from_head.inverse().apply(landmarks_px)


@overload
def smoothstep(x: float) -> float: ...
@overload
def smoothstep(x: Floats) -> F32: ...
def smoothstep(x: float | Floats) -> float | F32:
    """Return the C¹ ramp 3x² − 2x³ from 0 at x ≤ 0 to 1 at x ≥ 1, of a number or of each of an array."""
    if isinstance(x, np.ndarray):
        t = np.clip(x, 0.0, 1.0)
        return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)
    number = min(max(x, 0.0), 1.0)
    return number * number * (3.0 - 2.0 * number)


def _quaternion_from_rotation(r: F64) -> F64:
    """Unit quaternion (w, x, y, z) with w ≥ 0: the row of largest norm of the matrix 4·q·qᵀ."""
    xx, yy, zz = np.diag(r)
    x, y, z = r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]
    xy, xz, yz = r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1]
    outer = np.array(
        [
            [1 + xx + yy + zz, x, y, z],
            [x, 1 + xx - yy - zz, xy, xz],
            [y, xy, 1 - xx + yy - zz, yz],
            [z, xz, yz, 1 - xx - yy + zz],
        ]
    )
    q = outer[np.argmax(np.diag(outer))]
    q = q / np.linalg.norm(q)
    return np.asarray(-q if q[0] < 0 else q)
