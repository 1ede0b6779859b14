"""What is swept: each channel of a SafeRange, outwards from rest on each side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from facepuppet.core import F32, N_BLENDSHAPES, rotation_from_euler, vector_from_rotation
from facepuppet.face import ARKIT_INDEX, canonical_landmarks, compose_landmarks, mouth_gap
from facepuppet.portrait import LEAST_TRAVEL
from facepuppet.retarget import Deltas


@dataclass(frozen=True, slots=True)
class Channel:
    """One limit of a SafeRange.

    Attributes:
        field: the attribute of SafeRange.
        side: 0 towards negative values, 1 towards positive ones; None where there is one side only.
        values: magnitudes to try, outwards; the last is the farthest limit that may come out.
        least: the nearest limit that may come out, so that no puppet is paralysed.
        rest: the magnitude at which the portrait is as it is.
    """

    field: str
    side: int | None
    values: tuple[float, ...]
    least: float
    rest: float = 0.0

    def signed(self, magnitude: float) -> float:
        """The magnitude towards this channel's side."""
        return -magnitude if self.side == 0 else magnitude

    def deltas(self, magnitude: float) -> Deltas:
        """The motion that goes so far on this channel and nowhere else."""
        value, rest = self.signed(magnitude), Deltas.rest()
        if self.field in _AXES:
            angles = [value if axis == self.field else 0.0 for axis in _AXES]
            turn = vector_from_rotation(rotation_from_euler(*angles))
            return replace(rest, turn=turn.astype(np.float32))
        if self.field == "gaze_x":
            return replace(rest, gaze=np.array([[value, 0.0]] * 2, np.float32))
        if self.field == "gaze_y":
            return replace(rest, gaze=np.array([[0.0, value]] * 2, np.float32))
        if self.field == "eye_opening":
            return replace(rest, eye_opening=np.full(2, value, np.float32))
        return replace(rest, offsets=np.float32(value) * _jaw_drop())


_AXES = ("yaw_rad", "pitch_rad", "roll_rad")


def _both(field: str, values: tuple[float, ...], least: float) -> tuple[Channel, Channel]:
    return Channel(field, 0, values, least), Channel(field, 1, values, least)


CHANNELS = (
    *_both("yaw_rad", (0.2, 0.35, 0.5, 0.65, 0.8), LEAST_TRAVEL),
    *_both("pitch_rad", (0.15, 0.3, 0.45, 0.6, 0.7), 0.12),
    *_both("roll_rad", (0.2, 0.35, 0.5, 0.6, 0.7), 0.15),
    *_both("gaze_x", (0.1, 0.2, 0.3, 0.36), 0.10),
    *_both("gaze_y", (0.06, 0.12, 0.18, 0.24), 0.06),
    Channel("mouth_opening", None, (0.15, 0.3, 0.4, 0.5, 0.6), 0.20),  # gap added to the portrait's own
    Channel("eye_opening", None, (1.15, 1.3, 1.45, 1.6), 1.15, rest=1.0),
)


@cache
def _jaw_drop() -> F32:
    """(478, 3) offsets in the head frame that part the lips by one inter-ocular distance."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 1.0
    shut = canonical_landmarks()
    dropped = compose_landmarks(shut, weights)
    offsets: F32 = ((dropped - shut) / (mouth_gap(dropped) - mouth_gap(shut))).astype(np.float32)
    return offsets
