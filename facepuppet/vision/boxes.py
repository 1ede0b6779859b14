"""Where a face is in a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import N_MESH, OUTER_CORNERS

STIR = 0.08  # a face has moved when its centre or size changed by this share of its size


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Where a face is in the image: its centre, its longer side, and how it is tilted (clockwise)."""

    x_px: float
    y_px: float
    size_px: float
    roll_rad: float = 0.0

    def distance(self, other: FaceBox) -> float:
        """Distance of the centres over the larger size."""
        return math.hypot(self.x_px - other.x_px, self.y_px - other.y_px) / max(self.size_px, other.size_px)

    def zoom(self, other: FaceBox) -> float:
        """Ratio of the larger to the smaller size, at least 1."""
        return max(self.size_px, other.size_px) / max(min(self.size_px, other.size_px), 1e-6)

    def resembles(self, other: FaceBox, distance: float = 1.0, zoom: float = 2.0) -> bool:
        """Whether both could be one face, seen at two moments."""
        return self.distance(other) < distance and self.zoom(other) < zoom

    def stirred_from(self, other: FaceBox) -> bool:
        """Whether the face has visibly moved."""
        return self.distance(other) > STIR or self.zoom(other) > 1.0 + STIR


def face_box(landmarks_px: F32) -> FaceBox:
    """The box of (478, 3) landmarks; detector boxes agree with it within about a tenth."""
    mesh = landmarks_px[:N_MESH, :2]
    low, high = mesh.min(axis=0), mesh.max(axis=0)
    x, y = (low + high) / 2
    left, right = landmarks_px[OUTER_CORNERS, :2]
    return FaceBox(float(x), float(y), float((high - low).max()), eye_roll(left, right))


def eye_roll(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Angle of the line through the eyes, clockwise."""
    x, y = right - left
    return float(np.arctan2(y, x))
