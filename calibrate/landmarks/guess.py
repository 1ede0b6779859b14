"""Points to begin with: what the tracker sees, or an average face in the middle."""

from __future__ import annotations

import numpy as np

from calibrate.landmarks.file import Points
from calibrate.landmarks.points import POINTS
from facepuppet.core import U8
from facepuppet.face import canonical_landmarks
from facepuppet.portrait import find_faces

_FACE_SHARE = 0.4  # of the picture's shorter side, that the average face takes


def guess_points(rgb: U8) -> tuple[Points, bool]:
    """Return all points for an (H, W, 3) uint8 RGB picture, and whether a face was seen."""
    faces = find_faces(rgb)
    if faces:
        where = faces[0].landmarks_px[:, :2]
    else:
        mean = canonical_landmarks()[:, :2]
        middle = np.array(rgb.shape[1::-1]) / 2
        where = middle + _FACE_SHARE * min(rgb.shape[:2]) * (mean - mean.mean(axis=0)) / np.ptp(mean[:, 1])
    inside = np.clip(where, 0, np.array(rgb.shape[1::-1]) - 1)
    return {name: (float(inside[i, 0]), float(inside[i, 1])) for name, i in POINTS.items()}, bool(faces)
