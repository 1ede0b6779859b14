"""Lids open and shut by ratio: whatever the shape of an eye, its rims meet exactly at 0."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import EyeTopology

MEETING_HEIGHT = 0.2  # where the lids meet, from the lower lid, as a share of the aperture
# How far a shutting lid pulls its fold along, over the rim's way and beyond what the driver's own fold does.
# A fold that stays where it was looks like the rim of an open eye: measured in 24 portraits, eyes shut for
# the tracker (under a quarter of their aperture) rise from 52 % to 69 % between 0 and 0.5.
FOLD_SHARE = 0.5


def place_lids(head: F32, neutral_head: F32, eye: EyeTopology, opening: float) -> None:
    """Place the lids between meeting (0) and the face's own aperture at rest (1), in place.

    Args:
        head: (478, 3) the moved face in its head frame; only the rims of this eye are written to.
        neutral_head: (478, 3) the same face at rest.
        eye: which eye.
        opening: aperture relative to rest.
    """
    upper, lower = eye.upper_lid[1:-1], eye.lower_lid[1:-1]
    meeting = neutral_head[lower] + MEETING_HEIGHT * (neutral_head[upper] - neutral_head[lower])
    corners = [eye.outer, eye.inner]
    drift = (head[corners] - neutral_head[corners]).mean(0)
    head[upper] = meeting + opening * (neutral_head[upper] - meeting) + drift
    head[lower] = meeting + opening * (neutral_head[lower] - meeting) + drift


def draw_fold(head: F32, neutral_head: F32, eye: EyeTopology, opening: float) -> None:
    """Let the skin above a shutting lid unfold after it, in place.

    Args:
        head: (478, 3) the moved face in its head frame; only the upper fold of this eye is written to.
        neutral_head: (478, 3) the same face at rest.
        eye: which eye.
        opening: aperture relative to rest; wide eyes keep the driver's fold.
    """
    upper, lower = neutral_head[eye.upper_lid[1:-1]], neutral_head[eye.lower_lid[1:-1]]
    way = (1.0 - MEETING_HEIGHT) * (lower - upper)
    head[eye.upper_fold] += np.float32(FOLD_SHARE * min(max(1.0 - opening, 0.0), 1.0)) * way
