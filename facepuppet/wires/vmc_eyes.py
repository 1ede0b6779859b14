"""Where a VMC performer's eyes look: it may tell by bones, by shapes, by a point, or twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from facepuppet.core.types import F32

_AS_FAR = 0.5  # bones that turn less than so much of what shapes say are held back, or moved by nobody
_FORGOTTEN = 0.99  # a frame


class EyesToldTwice:
    """Whose word counts of one performer: that of its eyes' bones, or that of its shapes.

    VSeeFace moves an avatar's eyes by bones if it has them, and else by LookUp and its like (its author,
    issue 30 of VSeeFaceReleases); the other then stays at rest. Performers with ARKit's shapes tell both.
    Receivers that have an avatar (EVMC4U) do both as they come. Here one must count: bones, which are angles,
    unless they stay behind what the shapes say. Where shapes move an avatar's eyes its bones stand still, and
    VRM's range maps hold bones to a few degrees.
    """

    def __init__(self) -> None:
        self._together = self._looks = 0.0

    def angles(self, bones_rad: F32 | None, looks_rad: F32) -> F32 | None:
        """Return angles (2, 2) of the bones; None where the shapes count.

        Args:
            bones_rad: (2, 2) of bones or a point, image-left eye first; None where neither is told.
            looks_rad: (2, 2) that the shapes say.
        """
        if bones_rad is None or not looks_rad.any():
            return bones_rad
        self._together = _FORGOTTEN * self._together + float(np.sum(bones_rad * looks_rad))
        self._looks = _FORGOTTEN * self._looks + float(np.sum(looks_rad * looks_rad))
        return bones_rad if self._together >= _AS_FAR * self._looks else None


def eyes_towards(point: Sequence[float]) -> F32 | None:
    """Return angles (2, 2) of both eyes towards a point in the head's frame, in Unity's axes."""
    if len(point) != 3 or math.hypot(*point) < 1e-6:
        return None
    right, up, ahead = point
    angles = -math.atan2(right, ahead), -math.atan2(up, math.hypot(right, ahead))
    return np.array([angles, angles], np.float32)
