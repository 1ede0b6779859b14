"""Where a face is in a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core.types import F32, F64
from facepuppet.face.topology import N_MESH, OUTER_CORNERS, RIGID

STIR = 0.08  # a face has moved when its centre or size changed by this share of its size
SKULL = 3.2  # size of a face over the spread (RMS radius) of its rigid points, of the mean face


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

    def offset_from(self, other: FaceBox) -> F64:
        """(4,) what leads here from another box: right and down over its size, log zoom, turn (rad)."""
        return np.array(
            [
                (self.x_px - other.x_px) / other.size_px,
                (self.y_px - other.y_px) / other.size_px,
                math.log(self.size_px / other.size_px),
                math.remainder(self.roll_rad - other.roll_rad, 2 * math.pi),
            ]
        )

    def moved(self, offset: F64) -> FaceBox:
        """The box at a (4,) offset from this one; undoes `offset_from`."""
        right, down, log_zoom, turn = map(float, offset)
        return FaceBox(
            self.x_px + right * self.size_px,
            self.y_px + down * self.size_px,
            self.size_px * math.exp(log_zoom),
            self.roll_rad + turn,
        )

    def is_within(self, band: float, other: FaceBox) -> bool:
        """Whether this box is another one but for a band, the same share of size, zoom and radian."""
        return extent(self.offset_from(other)) <= band


def extent(offset: F64) -> float:
    """How far a (4,) offset leads: shift, log zoom or turn, whichever is the most."""
    right, down, log_zoom, turn = map(float, offset)
    return max(math.hypot(right, down), abs(log_zoom), abs(turn))


def face_box(landmarks_px: F32) -> FaceBox:
    """The box of (478, 3) landmarks; detector boxes agree with it within about a tenth."""
    # Column by column: NumPy takes ten times as long for the least of each of two columns at once.
    x, y = landmarks_px[:N_MESH, 0], landmarks_px[:N_MESH, 1]
    left, right, top, bottom = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    size_px, roll_rad = max(right - left, bottom - top), eye_roll(*landmarks_px[OUTER_CORNERS, :2])
    return FaceBox((left + right) / 2, (top + bottom) / 2, size_px, roll_rad)


def skull_box(landmarks_px: F32) -> FaceBox:
    """Where the skull of (478, 3) landmarks is, about as large as the face; no jaw or lip moves it."""
    rigid = landmarks_px.take(RIGID, axis=0)[:, :2].astype(np.float64)
    middle = rigid.sum(axis=0) / len(rigid)
    beside = rigid - middle
    spread = math.sqrt(float(np.vdot(beside, beside)) / len(rigid))
    x, y = middle.tolist()
    return FaceBox(x, y, SKULL * spread, eye_roll(*landmarks_px[OUTER_CORNERS, :2]))


def eye_roll(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Angle of the line through the eyes, clockwise."""
    x, y = (right - left).tolist()
    return math.atan2(y, x)
