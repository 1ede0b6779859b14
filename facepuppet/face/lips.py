"""How far a mouth is open, and how wide it is."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import LOWER_LIP_INNER, MOUTH_CORNERS, UPPER_LIP_INNER


def mouth_gap(landmarks_head: F32) -> float:
    """Height of the mouth's opening at its middle, in the units of the landmarks."""
    gap = landmarks_head[LOWER_LIP_INNER[5], :2] - landmarks_head[UPPER_LIP_INNER[5], :2]
    return float(np.linalg.norm(gap))


def mouth_width(landmarks_head: F32) -> float:
    """Distance of the mouth's corners, in the units of the landmarks."""
    return float(np.linalg.norm(np.subtract(*landmarks_head[MOUTH_CORNERS])))
