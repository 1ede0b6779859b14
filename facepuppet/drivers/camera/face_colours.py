"""Which colours a face has at its landmarks, whatever it does and however large it is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8
from facepuppet.drivers.camera.tracking import Face
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.surface import vertex_normals
from facepuppet.face.topology import N_MESH, OUTER_CORNERS

SEEN_PX = 32.0  # inter-ocular distance, at least, of the small picture that colours are read from
MARGIN = 0.1  # inter-ocular distances around the landmarks
DARK = 20.0  # added to each value, so that noise in the dark stays small
FACING = 0.45  # cosine between a point's normal and the viewer; beyond it noses hide it, and outlines waver
# Of logarithms of red, green and blue: brightness, and two colours that shadows leave as they are.
_OPPONENT = np.array([[1 / 3, 1.0, 0.0], [1 / 3, -1.0, -1.0], [1 / 3, 0.0, 1.0]], np.float32)


@dataclass(frozen=True, slots=True)
class FaceColours:
    """Colours at the mesh's landmarks.

    Attributes:
        values: (468, 3) float32: logarithms of brightness, of red over green, of blue over green.
        facing: (468,) float32, 1 where the skin faces the viewer, 0 where the head hides it.
        turn_rad: how far the head is turned away from the viewer, to the side, up or down.
    """

    values: F32
    facing: F32
    turn_rad: float = 0.0


def read_colours(rgb: U8, face: Face) -> FaceColours | None:
    """Read the colours of a face off a picture; None where hardly anything of it is in the picture.

    Args:
        rgb: (H, W, 3) uint8.
        face: where it is.
    """
    points = face.landmarks_px[:N_MESH, :2]
    shrunk = _shrink(rgb, points, float(np.linalg.norm(np.subtract(*points[OUTER_CORNERS]))))
    if shrunk is None:
        return None
    small, corner_px, step = shrunk
    at = (points - corner_px) / np.float32(step) - np.float32(0.5)
    sampled = cv2.remap(small, at[:, None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values = np.log(sampled[:, 0].astype(np.float32) + DARK) @ _OPPONENT
    depth = face.image_from_head.rotation[2]
    facing = (_normals() @ depth.astype(np.float32) < -FACING).astype(np.float32)
    return FaceColours(values, facing, math.acos(min(max(float(depth[2]), -1.0), 1.0)))


def _shrink(rgb: U8, points: F32, unit_px: float) -> tuple[U8, npt.NDArray[Any], int] | None:
    """Cut a face out, `step` times smaller; with where its corner was in the picture."""
    height, width = rgb.shape[:2]
    step = max(1, int(unit_px / SEEN_PX))
    x, y, margin = points[:, 0], points[:, 1], MARGIN * unit_px
    left, top = max(int(x.min() - margin), 0), max(int(y.min() - margin), 0)
    columns = (min(int(x.max() + margin), width) - left) // step
    rows = (min(int(y.max() + margin), height) - top) // step
    if min(columns, rows) < SEEN_PX / 2:
        return None
    part = rgb[top : top + rows * step, left : left + columns * step]
    # The four pixels in the middle of each block are enough, and cost the same for a face of any size.
    small = part if step == 1 else cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blur(small, (3, 3)), np.uint8), np.array([left, top], np.float32), step


@cache
def _normals() -> F32:
    """(468, 3) of the mean face."""
    normals: F32 = vertex_normals(canonical_landmarks().astype(np.float64)).astype(np.float32)
    return normals
