"""Rotations and similarities, in the conventions at the top of `facepuppet.core.types`.

Everything computes in float64 and returns float64; messages cast to float32 when they are built.

A rotation is yaw, then pitch about the turned head's own side axis, then roll about its own facing
direction: R = Ry(−yaw) · Rx(pitch) · Rz(roll). The facing direction R · (0, 0, −1) =
(sin yaw · cos pitch, sin pitch, −cos yaw · cos pitch) therefore does not depend on roll, and gaze
angles use the same two numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import cv2
import numpy as np

from facepuppet.core.types import F32, F64, Floats

_TINY = 1e-12


def rotation_from_euler(yaw: float, pitch: float, roll: float) -> F64:
    """Build a (3, 3) rotation from yaw, pitch and roll in radians (signs as in `facepuppet.core.types`)."""
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return np.array(
        [
            [cy * cr - sy * sp * sr, -cy * sr - sy * sp * cr, -sy * cp],
            [cp * sr, cp * cr, -sp],
            [sy * cr + cy * sp * sr, -sy * sr + cy * sp * cr, cy * cp],
        ]
    )


def euler_from_rotation(rotation: Floats) -> tuple[float, float, float]:
    """Return (yaw, pitch, roll) of a (3, 3) rotation, in radians, pitch within ±π/2."""
    (xx, _, xz), (yx, yy, yz), (zx, _, zz) = np.asarray(rotation, dtype=np.float64).tolist()
    pitch = math.asin(min(max(-yz, -1.0), 1.0))
    if math.hypot(yx, yy) < 1e-9:  # straight up or down: yaw and roll are one axis
        return math.atan2(zx, xx), pitch, 0.0
    return math.atan2(-xz, zz), pitch, math.atan2(yx, yy)


def rotation_from_vector(vector: Floats) -> F64:
    """Build a (3, 3) rotation about `vector` (3,) by its length in radians (Rodrigues' formula)."""
    x, y, z = np.asarray(vector, dtype=np.float64).tolist()
    angle = math.hypot(x, y, z)
    # sin φ / φ and (1 − cos φ) / φ², the latter by way of the half angle, which loses no digits near 0.
    c, a, b = math.cos(angle), 1.0, 0.5
    if angle > _TINY:
        a, b = math.sin(angle) / angle, 2.0 * (math.sin(angle / 2) / angle) ** 2
    return np.array(
        [
            [c + b * x * x, b * x * y - a * z, b * x * z + a * y],
            [b * x * y + a * z, c + b * y * y, b * y * z - a * x],
            [b * x * z - a * y, b * y * z + a * x, c + b * z * z],
        ]
    )


def rotation_from_quaternion(w: float, x: float, y: float, z: float) -> F64:
    """Build a (3, 3) rotation of a quaternion of any length but 0, w first."""
    length = math.hypot(w, x, y, z)
    w, x, y, z = w / length, x / length, y / length, z / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def vector_from_rotation(rotation: Floats) -> F64:
    """Return the rotation vector (3,) of a (3, 3) rotation; its length is the angle, in [0, π] rad."""
    # By way of a unit quaternion, which stays well conditioned at half a turn. OpenCV's Rodrigues (4.11 to
    # 5.0, findings/rodrigues_forgets_small_turns.sh) returns 0 for turns below 1e-5.
    w, x, y, z = quaternion_from_rotation(rotation)
    sine = math.hypot(x, y, z)
    stretch = 2.0 if sine < _TINY else 2.0 * math.atan2(sine, w) / sine
    return np.array([stretch * x, stretch * y, stretch * z])


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
        carried: F64 = np.asarray(points) @ (self.scale * self.rotation.T)
        carried += self.translation
        return carried

    def inverse(self) -> Similarity:
        """Return src_from_dst."""
        back = self.rotation.T
        return Similarity(back, 1.0 / self.scale, back @ (self.translation / -self.scale))

    def __matmul__(self, other: Similarity) -> Similarity:
        """Compose: `c_from_b @ b_from_a` is c_from_a."""
        return Similarity(
            self.rotation @ other.rotation, self.scale * other.scale, self.apply(other.translation)
        )

    @property
    def matrix(self) -> F64:
        """The same map as a (D, D + 1) affine matrix, as OpenCV takes it."""
        return np.concatenate([self.scale * self.rotation, self.translation[:, None]], axis=1)


class SimilarityFit:
    """Finds the similarities that carry the same points to others, again and again.

    Closed form of S. Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns", PAMI 1991; works in 2-D and 3-D. What depends on the source alone is worked out once.

    Args:
        src: (N, D) points.
        weights: (N,) non-negative, or None for equal weights.

    Raises:
        ValueError: the source points have no extent.
    """

    def __init__(self, src: Floats, weights: Floats | None = None) -> None:
        p = np.asarray(src, dtype=np.float64)
        w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
        w = w / w.sum()
        self._shape, self._mean = p.shape, w @ p
        centred = p - self._mean
        self._variance = float(w @ (centred**2).sum(axis=1))
        if self._variance < _TINY:
            raise ValueError("got source points that coincide, expected points with some extent")
        # (N, D + 1): times other points these give their covariance with the source, and their mean.
        self._weighted = np.hstack([w[:, None] * centred, w[:, None]])

    def to(self, dst: Floats) -> Similarity:
        """Return dst_from_src with the least weighted squared error.

        Args:
            dst: (N, D) points.

        Raises:
            ValueError: of another shape than the source.
        """
        q = np.asarray(dst, dtype=np.float64)
        if q.shape != self._shape:
            raise ValueError(
                f"got src {self._shape} and dst {q.shape}, expected two (N, D) arrays of one shape"
            )
        moments = q.T @ self._weighted
        singular, u, vt = cv2.SVDecomp(moments[:, :-1])
        rotation = u @ vt
        if cv2.determinant(rotation) < 0.0:  # a mirror image is no rotation
            u[:, -1] *= -1.0
            singular[-1] *= -1.0
            rotation = u @ vt
        scale = sum(singular.ravel().tolist()) / self._variance
        return Similarity(
            np.asarray(rotation, np.float64), scale, moments[:, -1] - scale * (rotation @ self._mean)
        )


def fit_similarity(src: Floats, dst: Floats, weights: Floats | None = None) -> Similarity:
    """Find the similarity that carries src to dst once, as `SimilarityFit` does.

    Args:
        src: (N, D) points.
        dst: (N, D) points.
        weights: (N,) non-negative, or None for equal weights.

    Raises:
        ValueError: shapes differ, or the source points have no extent.
    """
    return SimilarityFit(src, weights).to(dst)


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


def quaternion_from_rotation(rotation: Floats) -> tuple[float, float, float, float]:
    """Unit quaternion (w, x, y, z) with w ≥ 0: the row of largest norm of the matrix 4·q·qᵀ."""
    (xx, r01, r02), (r10, yy, r12), (r20, r21, zz) = np.asarray(rotation, dtype=np.float64).tolist()
    x, y, z = r21 - r12, r02 - r20, r10 - r01
    xy, xz, yz = r01 + r10, r02 + r20, r12 + r21
    squares = (1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz)
    largest = squares.index(max(squares))
    row = (
        (squares[0], x, y, z),
        (x, squares[1], xy, xz),
        (y, xy, squares[2], yz),
        (z, xz, yz, squares[3]),
    )[largest]
    length = math.copysign(math.hypot(*row), row[0])
    return row[0] / length, row[1] / length, row[2] / length, row[3] / length
