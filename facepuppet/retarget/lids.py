"""Lids open and shut by ratio: whatever the shape of an eye, its rims meet exactly at 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core.types import F32, Floats
from facepuppet.face.topology import EYES, EyeTopology

MEETING_HEIGHT = 0.2  # where the lids meet, from the lower lid, as a share of the aperture
# How far a shutting lid pulls its fold along, over the rim's way and beyond what the driver's own fold does.
# A fold that stays where it was looks like the rim of an open eye: measured in 24 portraits, eyes shut for
# the tracker (under a quarter of their aperture) rise from 52 % to 69 % between 0 and 0.5.
FOLD_SHARE = 0.5


class Lids:
    """The lids of one face, of one eye or more; what depends on the face at rest is worked out once.

    Args:
        neutral_head: (478, 3) the face at rest, in its head frame.
        eyes: whose lids; the openings below are in their order.
    """

    def __init__(self, neutral_head: Floats, eyes: Sequence[EyeTopology] = EYES) -> None:
        upper = np.stack([eye.upper_lid[1:-1] for eye in eyes])
        lower = np.stack([eye.lower_lid[1:-1] for eye in eyes])
        self._rims = np.concatenate([upper, lower], axis=1)  # (eyes, 14)
        self._corners = np.stack([[eye.outer for eye in eyes], [eye.inner for eye in eyes]])
        self._folds = np.stack([eye.upper_fold for eye in eyes])
        meeting = neutral_head[lower] + MEETING_HEIGHT * (neutral_head[upper] - neutral_head[lower])
        meeting = np.concatenate([meeting, meeting], axis=1)
        self._way = neutral_head[self._rims] - meeting
        self._meeting = meeting - neutral_head[self._corners].mean(0)[:, None]  # from between the corners
        self._fold_way = FOLD_SHARE * (1.0 - MEETING_HEIGHT) * (neutral_head[lower] - neutral_head[upper])

    def place(self, head: F32, opening: Floats) -> None:
        """Place the lids between meeting (0) and the face's own aperture at rest (1), in place.

        Args:
            head: (478, 3) the moved face in its head frame; only the rims are written to.
            opening: aperture of each eye relative to rest.
        """
        outer, inner = head[self._corners]
        middle = 0.5 * (outer + inner)
        head[self._rims] = opening[:, None, None] * self._way + (self._meeting + middle[:, None])

    def draw_folds(self, head: F32, opening: Floats) -> None:
        """Let the skin above shutting lids unfold after them, in place.

        Args:
            head: (478, 3) the moved face in its head frame; only the upper folds are written to.
            opening: aperture of each eye relative to rest; wide eyes keep the driver's fold.
        """
        shut = np.minimum(np.maximum(1.0 - opening, 0.0), 1.0)
        head[self._folds] += shut[:, None, None] * self._fold_way


def place_lids(head: F32, neutral_head: F32, eye: EyeTopology, opening: float) -> None:
    """Place the lids of one eye once, in place, as `Lids.place` does.

    Args:
        head: (478, 3) the moved face in its head frame; only the rims of this eye are written to.
        neutral_head: (478, 3) the same face at rest.
        eye: which eye.
        opening: aperture relative to rest.
    """
    Lids(neutral_head, [eye]).place(head, np.array([opening], np.float32))


def draw_fold(head: F32, neutral_head: F32, eye: EyeTopology, opening: float) -> None:
    """Let the skin above one shutting lid unfold after it once, in place, as `Lids.draw_folds` does.

    Args:
        head: (478, 3) the moved face in its head frame; only the upper fold of this eye is written to.
        neutral_head: (478, 3) the same face at rest.
        eye: which eye.
        opening: aperture relative to rest; wide eyes keep the driver's fold.
    """
    Lids(neutral_head, [eye]).draw_folds(head, np.array([opening], np.float32))
