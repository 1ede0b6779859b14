"""How far a mouth is open, and how wide it is."""

from __future__ import annotations

import math

from facepuppet.core.types import F32
from facepuppet.face.topology import LOWER_LIP_INNER, MOUTH_CORNERS, UPPER_LIP_INNER

_UPPER, _LOWER = int(UPPER_LIP_INNER[5]), int(LOWER_LIP_INNER[5])


def mouth_gap(landmarks_head: F32) -> float:
    """Height of the mouth's opening at its middle, in the units of the landmarks."""
    upper, lower = landmarks_head[_UPPER, :2].tolist(), landmarks_head[_LOWER, :2].tolist()
    return math.dist(upper, lower)


def mouth_width(landmarks_head: F32) -> float:
    """Distance of the mouth's corners, in the units of the landmarks."""
    return math.dist(*landmarks_head[MOUTH_CORNERS].tolist())
