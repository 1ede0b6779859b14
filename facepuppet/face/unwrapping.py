"""The face mesh laid flat: one picture frame for every face, whoever's and wherever it looks."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import N_MESH

_AXIS = (
    0.25  # how far behind the mean face's rearmost point its cylinder's axis lies, in inter-ocular distances
)
_SEATED = 0.9
_RIM = 0.02  # of the side, left free all around


def unwrapped_points(side_px: int) -> F32:
    """Return (468, 2) where each point of the mesh lies in the flat picture of side_px by side_px.

    The mean face is projected onto an upright cylinder; no triangle of it is turned over by that, and the
    picture is symmetric: column c mirrors column side_px - 1 - c.
    """
    mean = canonical_landmarks()[:N_MESH].astype(np.float64)
    around = np.arctan2(mean[:, 0], _SEATED * mean[:, 2].max() + _AXIS - mean[:, 2])
    height = mean[:, 1]
    places = np.column_stack(
        [0.5 + 0.5 * around / np.abs(around).max(), (height - height.min()) / np.ptp(height)]
    )
    return ((_RIM + (1.0 - 2.0 * _RIM) * places) * side_px - 0.5).astype(np.float32)
