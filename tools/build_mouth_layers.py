"""Build facepuppet/face/data/mouth_layers.npz: teeth, gums and tongue of ICT-FaceKit as layers with depth.

The upper teeth, the lower teeth and the tongue are seen from the front, each alone, and kept as pictures of
what they are and of the light that falls on them; colours come from the portrait. Upper teeth are seen with
the mouth shut, the others with the jaw dropped a little, so that chewing surfaces show. How far each row
bends away from the viewer is kept as a curve. Needs the development data (heads/ict_facekit_light.npz, MIT;
see facepuppet/face/data/LICENSE-ICT-FaceKit). Usage: python tools/build_mouth_layers.py ICT_FILE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from ict_render import GUMS, TEETH, IctHeads, rasterise
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from facepuppet.core import fit_similarity, rotation_from_euler
from facepuppet.face import ARKIT_INDEX, CHIN, LOWER_LIP_INNER, canonical_landmarks, landmark_basis

TARGET = Path(__file__).parents[1] / "facepuppet" / "face" / "data" / "mouth_layers.npz"

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

PX_PER_CM = 32
FINE = 3  # drawn so many times larger, then averaged
WIDTH_CM = 6.375  # 204 px
DROP = 0.4  # jawOpen that the lower layers are seen with
SKY = 60  # directions that light comes from, within SKY_RAD of the viewer's
SKY_RAD = np.radians(60.0)
OPENING_CM = 2.2  # radius of the opening that light enters by: what lies deeper is darker
CURVE = 65  # points of a row's curve, over WIDTH_CM

# Landmarks of the ICT mesh beside MediaPipe's: corners of the eyes, root and foot of the nose, lips.
ICT_POINTS = (1507, 1528, 3742, 3721, 1147, 5708, 6213, 5533)
MEDIAPIPE_POINTS = (33, 133, 362, 263, 2, 61, 291, 13)
UPPER_LIP, OUTER_EYES = 5533, (1507, 3721)
TONGUE = slice(16312, GUMS.stop)  # among other flesh at the back
THROAT_CM, FLOOR_CM = 5.5, 4.0  # how far behind the lips the flesh of the upper and the lower layer ends


@dataclass(frozen=True, slots=True)
class Mouth:
    """A part of the inside of the ICT head's mouth, at one opening of the jaw.

    Attributes:
        vertices: (V, 3) cm, x right, y down, z away, about the edge of the upper lip.
        normals: (V, 3) unit, towards the viewer.
        triangles: of teeth and flesh (T, 3).
        teeth: (V,) which vertices are teeth.
    """

    vertices: F64
    normals: F64
    triangles: I64
    teeth: Mask

    @staticmethod
    def of(heads: IctHeads, drop: float, shading: Mask) -> Mouth:
        """Open the jaw by `drop`, and keep the vertices that stand in each other's light."""
        origin = heads.neutral[UPPER_LIP]
        vertices = heads.neutral + drop * heads.expression["jawOpen"] - origin
        triangles = heads.triangles[shading[heads.triangles].all(1)]
        return Mouth(
            vertices, _normals(vertices, triangles), triangles, np.arange(len(vertices)) >= TEETH.start
        )


def _normals(vertices: F64, triangles: I64) -> F64:
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, triangles[:, i], np.cross(b - a, c - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals *= np.where(normals[:, 2:] > 0, -1.0, 1.0)
    return normals


def members(heads: IctHeads) -> dict[str, Mask]:
    """Return which vertices belong to each layer."""
    v, number = heads.neutral, np.arange(len(heads.neutral))
    inside = (number >= GUMS.start) & (number < TEETH.stop)
    moves = np.abs(heads.expression["jawOpen"]).max(1) > 1.3
    tongue = (number >= TONGUE.start) & (number < TONGUE.stop) & moves & (np.abs(v[:, 0]) < 2.0)
    tongue = _largest_piece(heads.triangles, tongue)
    near = v[:, 2] < heads.neutral[UPPER_LIP, 2] + THROAT_CM
    # Flesh behind the lower row would stand beside the tongue like a wall.
    front = (number >= TEETH.start) | (v[:, 2] < heads.neutral[UPPER_LIP, 2] + FLOOR_CM)
    return {"upper": inside & ~moves & near, "lower": inside & moves & ~tongue & front, "tongue": tongue}


def _largest_piece(triangles: I64, member: Mask) -> Mask:
    inside = triangles[member[triangles].all(1)]
    ends = np.concatenate([inside[:, :2], inside[:, 1:]]).T
    joined = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(len(member), len(member)))
    _, piece = connected_components(joined, directed=False)
    return np.asarray(member & (piece == np.bincount(piece[member]).argmax()))


def seen(mouth: Mouth, member: Mask, rows_cm: tuple[float, float]) -> dict[str, npt.NDArray[np.float64]]:
    """Draw one layer from the front; planes (h, w, …) at PX_PER_CM, premultiplied by coverage."""
    fine = PX_PER_CM * FINE
    side = round(WIDTH_CM * fine)
    place = np.column_stack(
        [(mouth.vertices[:, :1] + WIDTH_CM / 2) * fine, (mouth.vertices[:, 1:2] - rows_cm[0]) * fine]
    )
    projected = np.column_stack([place - 0.5, mouth.vertices[:, 2]])
    triangles = mouth.triangles[member[mouth.triangles].all(1)]
    ids, weights = rasterise(projected, triangles, side)
    rows = round((rows_cm[1] - rows_cm[0]) * PX_PER_CM) * FINE
    ids, weights = ids[:rows], weights[:rows]
    hit = ids >= 0
    corners = triangles[ids[hit]]

    def plane(values: F64) -> F64:
        out = np.zeros((*ids.shape, values.shape[1]))
        out[hit] = (weights[hit][:, :, None] * values[corners]).sum(1)
        return out

    points, normals = plane(mouth.vertices), plane(mouth.normals)
    light = np.zeros(ids.shape)
    light[hit] = _sky(mouth, points[hit], normals[hit])
    teeth = plane(mouth.teeth[:, None].astype(np.float64))[..., 0]
    planes = {"cover": hit.astype(np.float64), "teeth": teeth, "light": light, "depth": points[..., 2]}
    planes |= {"across": normals[..., 0], "down": normals[..., 1]}
    return {name: _averaged(p) for name, p in planes.items()}


def _averaged(fine: F64) -> F64:
    h, w = fine.shape[0] // FINE, fine.shape[1] // FINE
    return np.asarray(fine.reshape(h, FINE, w, FINE).mean((1, 3)))


def _sky(mouth: Mouth, points: F64, normals: F64) -> F64:
    """How much light (N,) reaches points through an opening in front: teeth and flesh stand in its way."""
    k = np.arange(SKY) + 0.5
    height = 1 - k / SKY * (1 - np.cos(SKY_RAD))  # equal areas of the sphere, turned by the golden angle
    turn = k * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - height**2)
    found, most = np.zeros(len(points)), 0.0
    for yaw, pitch, facing in zip(
        np.arctan2(across * np.cos(turn), height), np.arcsin(across * np.sin(turn)), height, strict=True
    ):
        look = rotation_from_euler(yaw, pitch, 0.0)
        facing_light = np.clip(-(normals @ look[2]), 0.0, 1.0)
        found += facing_light * _unshadowed(mouth, points, look)
        most += facing
    front = mouth.vertices[mouth.teeth & np.isin(np.arange(len(mouth.teeth)), mouth.triangles), 2].min()
    depth = np.maximum(points[:, 2] - front, 0.0)
    return np.asarray(found / most * OPENING_CM**2 / (OPENING_CM**2 + depth**2))


def _unshadowed(mouth: Mouth, points: F64, look: F64) -> Mask:
    size, scale, centre = 480, 44.0, np.array([0.0, 1.0, 2.5])
    projected = (mouth.vertices - centre) @ look.T * (scale, scale, 1.0) + (size / 2, size / 2, 0.0)
    ids, weights = rasterise(projected, mouth.triangles, size)
    depth = (weights * projected[mouth.triangles[ids], 2]).sum(-1)
    depth[ids < 0] = np.inf
    at = (points - centre) @ look.T
    x, y = (np.clip(np.rint(at[:, i] * scale + size / 2), 0, size - 1).astype(int) for i in (0, 1))
    # The farthest of the neighbours: an edge of a step is not its own shadow.
    return np.asarray(at[:, 2] < cv2.dilate(depth, np.ones((3, 3)))[y, x] + 0.04)


def bend(planes: dict[str, F64], rows_cm: tuple[float, float], name: str) -> tuple[F64, F64]:
    """How a row lies in depth: z = plane[0] + plane[1] · y + curve(x).

    Returns:
        plane (2,) and curve (CURVE,) in cm; the tongue is a plane.
    """
    solid = planes["cover"] > 0.99
    if name != "tongue":
        solid &= planes["teeth"] > 0.99
    row, column = np.nonzero(solid)
    x, y = (column + 0.5) / PX_PER_CM - WIDTH_CM / 2, (row + 0.5) / PX_PER_CM + rows_cm[0]
    z = planes["depth"][solid]
    at = np.linspace(-WIDTH_CM / 2, WIDTH_CM / 2, CURVE)
    if name == "tongue":
        slope, level = np.polyfit(y, z, 1)
        return np.array([level, slope]), np.zeros(CURVE)
    middle = np.abs(x) < 1.0
    slope = np.polyfit(y[middle], z[middle] - 0.5 * x[middle] ** 2, 1)[0]
    rest = z - slope * y
    level = np.median(rest[np.abs(x) < 0.3])
    away = [
        np.median((rest - level)[np.abs(np.abs(x) - abs(t)) < 0.08] if abs(t) < 2.9 else [9.0]) for t in at
    ]
    half = np.maximum.accumulate(np.array(away)[CURVE // 2 :])
    half[half > 5] = half[half < 5].max()
    curve = cv2.GaussianBlur(np.concatenate([half[:0:-1], half])[None], (0, 0), 1.2)[0]
    return np.array([level, slope]), curve - curve.min()


def jaw(heads: IctHeads) -> dict[str, F64]:
    """How the jaw turns at jawOpen 1: angle in radians, hinge (y, z) in cm, how far the incisors sink."""
    moved = heads.expression["jawOpen"]
    teeth = np.flatnonzero(np.abs(moved[TEETH]).max(1) > 1.3) + TEETH.start
    fit = fit_similarity(heads.neutral[teeth], heads.neutral[teeth] + moved[teeth])
    turn, shift = fit.rotation[1:, 1:], fit.translation[1:]
    hinge = np.linalg.solve(np.eye(2) - turn, shift) - heads.neutral[UPPER_LIP, 1:]
    return {
        "jaw_rad": np.arctan2(turn[1, 0], turn[0, 0]),
        "jaw_hinge_cm": hinge,
        "jaw_teeth_cm": moved[teeth[np.argmin(heads.neutral[teeth, 2])], 1],
    }


def main(path: Path) -> None:
    """Draw, measure, write."""
    heads = IctHeads.load(path)
    fit = fit_similarity(heads.neutral[list(ICT_POINTS)], canonical_landmarks()[list(MEDIAPIPE_POINTS)])
    cm_per_unit = np.float32(np.linalg.norm(np.subtract(*heads.neutral[list(OUTER_EYES)])))
    # What trackers see of a dropped jaw: landmarks on soft skin sink less than the bone below.
    sunk = landmark_basis()[ARKIT_INDEX["jawOpen"], [CHIN, LOWER_LIP_INNER[5]], 1]
    stored: dict[str, npt.ArrayLike] = {
        "head_from_model": fit.rotation.astype(np.float32),
        "cm_per_unit": cm_per_unit,
        "jaw_landmarks_cm": (cm_per_unit * sunk).astype(np.float32),
        "px_per_cm": np.float32(PX_PER_CM),
        "drop": np.float32(DROP),
    }
    stored |= {name: np.asarray(value, np.float32) for name, value in jaw(heads).items()}
    rows_cm = {"upper": (-2.1, 0.65), "lower": (-0.4, 2.725), "tongue": (-0.4, 2.725)}
    layers = members(heads)
    for name, member in layers.items():
        drop, shading = (0.0, member) if name == "upper" else (DROP, layers["lower"] | layers["tongue"])
        planes = seen(Mouth.of(heads, drop, shading), member, rows_cm[name])
        plane, curve = bend(planes, rows_cm[name], name)
        signed = [np.rint(127 * planes[k]).astype(np.int8) for k in ("across", "down")]
        plain = [
            np.rint(255 * np.clip(planes[k], 0, 1)).astype(np.uint8) for k in ("cover", "teeth", "light")
        ]
        stored |= {f"{name}_planes": np.stack(plain), f"{name}_normals": np.stack(signed)}
        stored |= {f"{name}_top_cm": np.float32(rows_cm[name][0])}
        stored |= {f"{name}_plane_cm": plane.astype(np.float32), f"{name}_curve_cm": curve.astype(np.float32)}
    np.savez_compressed(TARGET, **stored)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB; head_from_model {fit.rotation.round(3)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
