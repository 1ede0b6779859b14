"""Pictures of ICT-FaceKit heads with known expressions: scripted truth for the tracker.

Needs the development data (heads/ict_facekit_light.npz, MIT; see facepuppet/face/data/LICENSE-ICT-FaceKit).
A head wears the skin of a portrait photo, so that a landmark network trained on photos believes it.

Frames: `mesh` is the head frame's axes (x image right, y down, z away) in centimetres about the point
between the eyes; `picture` is pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator

from facepuppet.core import rotation_from_euler

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

# Vertex ranges of the ICT mesh (its own README): lacrimal fluid, eye shadows and lashes follow the eyes.
SKIN = slice(0, 11248)
MOUTH_SOCKET = slice(11248, 13294)
EYE_SOCKETS = slice(13294, 14062)
GUMS = slice(14062, 17039)
TEETH = slice(17039, 21451)
EYEBALLS = (slice(21451, 23021), slice(23021, 24591))
N_DRAWN = 24591
GAZE_RAD = np.radians(30.0)  # turn of an eyeball at weight 1; the model's own eyeLook shapes move lids only

SIZE_PX = 512
CAMERA_CM = 70.0
FOCAL_PX = 1250.0

# The texture atlas: the portrait, then a column with the eye's disc and four plain colours.
ATLAS_PX = (512, 768)  # rows, columns
EYE_DISC = (512 + 128, 128, 128)  # centre x, y, radius in px; the radius stands for 90 degrees
PLAIN = {"skin": (205, 160, 135), "socket": (70, 20, 20), "gums": (170, 85, 85), "teeth": (225, 218, 200)}
PLAIN_UV = {name: (544 + 64 * i, 384) for i, name in enumerate(PLAIN)}
IRIS_RGB, PUPIL_RGB, SCLERA_RGB = (95, 65, 45), (15, 12, 10), (232, 224, 220)


@dataclass(frozen=True, slots=True)
class IctHeads:
    """The morphable head: linear in identity and in expression.

    Attributes:
        neutral: (V, 3) mesh vertices in cm.
        identity: (60, V, 3) offsets for one standard deviation.
        expression: ARKit name → (V, 3) offset at weight 1.
        triangles: (T, 3) vertex indices.
    """

    neutral: F64
    identity: npt.NDArray[np.float32]
    expression: Mapping[str, npt.NDArray[np.float32]]
    triangles: I64

    @staticmethod
    def load(path: Path) -> IctHeads:
        """Read the repacked model; both halves of browInnerUp and cheekPuff become one shape."""
        with np.load(path) as data:
            flip = np.array([1.0, -1.0, -1.0], dtype=np.float32)
            neutral = data["neutral"][:N_DRAWN] * flip
            origin = np.mean([neutral[eye].mean(0) for eye in EYEBALLS], axis=0)
            expression: dict[str, npt.NDArray[np.float32]] = {}
            for ict_name, offset in zip(data["expression_names"], data["expression"], strict=True):
                name = arkit_name(str(ict_name))
                expression[name] = expression.get(name, np.float32(0)) + offset[:N_DRAWN] * flip
            quads = data["quads"].astype(np.int64)
            quads[:, 3] = np.where(quads[:, 3] < 0, quads[:, 2], quads[:, 3])  # a few are triangles
            quads = quads[(quads < N_DRAWN).all(1)]
            return IctHeads(
                (neutral - origin).astype(np.float64),
                data["identity"][:, :N_DRAWN] * flip,
                expression,
                np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
            )

    def person(self, seed: int, strength: float = 0.7) -> F64:
        """Return (V, 3) neutral vertices of a made-up person."""
        c = np.random.default_rng(seed).normal(size=len(self.identity)) * strength
        return self.neutral + np.einsum("i,ivc->vc", c, self.identity)

    def pose(self, person: F64, weights: Mapping[str, float]) -> F64:
        """Return the person's (V, 3) vertices under ARKit weights."""
        out = person.copy()
        for name, weight in weights.items():
            out += weight * self.expression[name]
        for eye, side, sign in zip(EYEBALLS, ("Left", "Right"), (1, -1), strict=True):
            look = {way: weights.get(f"eyeLook{way}{side}", 0.0) for way in ("In", "Out", "Up", "Down")}
            turn = rotation_from_euler(
                sign * GAZE_RAD * (look["Out"] - look["In"]), GAZE_RAD * (look["Down"] - look["Up"]), 0.0
            )
            centre = (out[eye].min(0) + out[eye].max(0)) / 2
            out[eye] = (out[eye] - centre) @ turn.T + centre
        return out


def arkit_name(ict_name: str) -> str:
    """Turn `eyeBlink_L` into `eyeBlinkLeft`; the halves of ARKit's one-piece shapes share their name."""
    stem, _, side = ict_name.partition("_")
    if stem in ("browInnerUp", "cheekPuff"):
        return stem
    return stem + {"L": "Left", "R": "Right", "": ""}[side]


def project(vertices: F64, rotation: F64) -> F64:
    """Return (V, 3): x, y in px of a square picture SIZE_PX wide, and depth in cm (smaller is nearer)."""
    # The neck's pivot keeps the turned face in the picture; 4 cm below the eyes is the face's middle.
    turned = (vertices - (0, 4, 5)) @ rotation.T + (0, 0, CAMERA_CM)
    xy = FOCAL_PX * turned[:, :2] / turned[:, 2:] + SIZE_PX / 2
    return np.column_stack([xy, turned[:, 2]])


def rasterise(projected: F64, triangles: I64, size: int = SIZE_PX) -> tuple[I64, F64]:
    """Fill a z-buffer.

    Returns:
        (size, size) index of the triangle seen, −1 for none; (size, size, 3) its barycentric coordinates.
    """
    a, b, c = (projected[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    facing = np.flatnonzero(area < -1e-9)  # clockwise in y-down pixels
    a, b, c, area = a[facing], b[facing], c[facing], area[facing]
    low = np.clip(np.ceil(np.minimum(np.minimum(a, b), c)[:, :2]), 0, size).astype(np.int64)
    high = np.clip(np.floor(np.maximum(np.maximum(a, b), c)[:, :2]) + 1, 0, size).astype(np.int64)
    span = np.maximum(high - low, 0)
    count = span[:, 0] * span[:, 1]
    tri = np.repeat(np.arange(len(facing)), count)
    k = np.arange(len(tri)) - np.repeat(np.cumsum(count) - count, count)
    rows, cols = np.divmod(k, span[tri, 0])
    x, y = low[tri, 0] + cols, low[tri, 1] + rows
    # Barycentric coordinates and depth are affine in x and y.
    dx, dy = x - a[tri, 0], y - a[tri, 1]
    wb = dx * ((c[:, 1] - a[:, 1]) / area)[tri] - dy * ((c[:, 0] - a[:, 0]) / area)[tri]
    wc = dy * ((b[:, 0] - a[:, 0]) / area)[tri] - dx * ((b[:, 1] - a[:, 1]) / area)[tri]
    inside = np.flatnonzero((wb >= -1e-9) & (wc >= -1e-9) & (wb + wc <= 1 + 1e-9))
    tri, wb, wc = tri[inside], wb[inside], wc[inside]
    depth = a[tri, 2] + wb * (b[:, 2] - a[:, 2])[tri] + wc * (c[:, 2] - a[:, 2])[tri]
    order = np.argsort(-depth, kind="stable")  # of several writes to a pixel the last, nearest one stays
    pixel = (y * size + x)[inside[order]]
    nearest = np.full(size * size, -1, dtype=np.int64)
    nearest[pixel] = order
    seen = nearest >= 0
    ids = np.full(size * size, -1, dtype=np.int64)
    weights = np.zeros((size * size, 3))
    ids[seen] = facing[tri[nearest[seen]]]
    wb, wc = wb[nearest[seen]], wc[nearest[seen]]
    weights[seen] = np.stack([1 - wb - wc, wb, wc], axis=1)
    return ids.reshape(size, size), weights.reshape(size, size, 3)


@dataclass(frozen=True, slots=True)
class Skin:
    """What a head wears.

    Attributes:
        atlas: (512, 768, 3) uint8 RGB texture.
        uv: (V, 2) texture coordinates in px.
    """

    atlas: U8
    uv: F64


def plain_skin(heads: IctHeads) -> Skin:
    """Return a skin of one colour, with eyes: enough to find the landmarks for the first time."""
    atlas = np.zeros((*ATLAS_PX, 3), dtype=np.uint8)
    atlas[:] = PLAIN["skin"]
    for name, (u, v) in PLAIN_UV.items():
        atlas[v - 30 : v + 30, u - 30 : u + 30] = PLAIN[name]
    x, y, radius = EYE_DISC
    cv2.rectangle(atlas, (x - radius, y - radius), (x + radius, y + radius), SCLERA_RGB, -1)
    cv2.circle(atlas, (x, y), radius * 29 // 90, tuple(int(0.6 * v) for v in IRIS_RGB), -1, cv2.LINE_AA)
    cv2.circle(atlas, (x, y), radius * 25 // 90, IRIS_RGB, -1, cv2.LINE_AA)
    cv2.circle(atlas, (x, y), radius * 11 // 90, PUPIL_RGB, -1, cv2.LINE_AA)
    uv = np.zeros((N_DRAWN, 2))
    uv[SKIN] = PLAIN_UV["skin"]
    uv[MOUTH_SOCKET] = uv[EYE_SOCKETS] = PLAIN_UV["socket"]
    uv[GUMS], uv[TEETH] = PLAIN_UV["gums"], PLAIN_UV["teeth"]
    for eye in EYEBALLS:
        ball = heads.neutral[eye]
        away = ball - (ball.min(0) + ball.max(0)) / 2
        angle = np.arctan2(np.hypot(away[:, 0], away[:, 1]), -away[:, 2])
        turn = np.arctan2(away[:, 1], away[:, 0])
        reach = np.minimum(angle / (np.pi / 2), 0.98) * radius
        uv[eye] = np.stack([x + reach * np.cos(turn), y + reach * np.sin(turn)], axis=1)
    return Skin(atlas, uv)


def portrait_skin(heads: IctHeads, portrait: U8, landmarks_px: F64, landmarks_mesh: F64) -> Skin:
    """Return the skin of a frontal portrait, laid on by landmarks.

    Args:
        heads: the model.
        portrait: (H, W, 3) uint8 RGB, neutral and frontal.
        landmarks_px: (468, 2) its landmarks.
        landmarks_mesh: (468, 3) the same landmarks on `heads.neutral`, in cm.
    """
    plain = plain_skin(heads)
    atlas, uv = plain.atlas.copy(), plain.uv.copy()
    height, width = portrait.shape[:2]
    atlas[:, :512] = cv2.resize(portrait, (512, 512), interpolation=cv2.INTER_AREA)
    to_atlas = np.array([512 / width, 512 / height])
    carry = RBFInterpolator(landmarks_mesh[:, :2], landmarks_px * to_atlas, neighbors=64, smoothing=1e-3)
    uv[SKIN] = np.clip(carry(heads.neutral[SKIN, :2]), 0, 511)
    return Skin(atlas, uv)


def render(heads: IctHeads, vertices: F64, skin: Skin, rotation: F64) -> U8:
    """Return a (SIZE_PX, SIZE_PX, 3) uint8 RGB picture of the head on a plain wall."""
    projected = project(vertices, rotation)
    ids, bary = rasterise(projected, heads.triangles)
    seen = ids >= 0
    corners = heads.triangles[ids[seen]]
    uv = np.zeros((SIZE_PX, SIZE_PX, 2), dtype=np.float32)
    uv[seen] = np.einsum("nk,nkc->nc", bary[seen], skin.uv[corners])
    rgb = cv2.remap(skin.atlas, uv[..., 0], uv[..., 1], cv2.INTER_LINEAR).astype(np.float64)
    normals = vertex_normals(vertices @ rotation.T, heads.triangles)
    n = np.einsum("nk,nkc->nc", bary[seen], normals[corners])
    light = np.array([-0.35, -0.5, -0.8]) / np.linalg.norm([0.35, 0.5, 0.8])
    rgb[seen] *= (0.62 + 0.42 * np.clip(n @ light, 0, 1))[:, None]
    rgb[~seen] = (120, 125, 130)
    return cv2.GaussianBlur(np.clip(rgb, 0, 255).astype(np.uint8), (3, 3), 0.6)


def vertex_normals(vertices: F64, triangles: I64) -> F64:
    """Return (V, 3) unit normals that point out of the head."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for axis in range(3):
        for corner in range(3):
            out[:, axis] += np.bincount(triangles[:, corner], face[:, axis], minlength=len(vertices))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
