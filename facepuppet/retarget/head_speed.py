"""A head that turns and shifts no faster than its user wants: calm for an audience that gets dizzy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facepuppet.core.types import F32
from facepuppet.retarget.deltas import Deltas

# A head that turns by one radian about the neck also moves by about this, in inter-ocular distances.
SHIFT_OF_TURN = 1.0
LONGEST_S = 0.2  # of a longer gap no more is made up for: the head shall not jump after it


class HeadSpeed:
    """Limits how fast the head and the torso go; time comes in with each update."""

    def __init__(self) -> None:
        self._shown: Deltas | None = None
        self._t_ns = 0

    def update(self, deltas: Deltas, t_ns: int, most_rad_s: float | None) -> Deltas:
        """Return the deltas with the head no further from where it was than the time since allows.

        Args:
            deltas: where the driver wants the head, and everything else, which passes as it is.
            t_ns: now, not decreasing.
            most_rad_s: limit of the turn; shifts follow by `SHIFT_OF_TURN`. None is no limit.
        """
        before, self._shown = self._shown, deltas
        elapsed_s = min((t_ns - self._t_ns) * 1e-9, LONGEST_S)
        self._t_ns = t_ns
        if before is None or most_rad_s is None:
            return deltas
        most_turn = most_rad_s * elapsed_s
        most_shift = SHIFT_OF_TURN * most_turn
        self._shown = replace(
            deltas,
            turn=_within(before.turn, deltas.turn, most_turn),
            shift=_within(before.shift, deltas.shift, most_shift),
            lean=_within(before.lean, deltas.lean, most_shift),
            log_scale=_near(before.log_scale, deltas.log_scale, most_turn),
            torso_roll=_near(before.torso_roll, deltas.torso_roll, most_turn),
            torso_log_scale=_near(before.torso_log_scale, deltas.torso_log_scale, most_turn),
        )
        return self._shown


def _within(before: F32, wanted: F32, most: float) -> F32:
    """Go towards what is wanted, by a length of no more than `most`."""
    way = wanted - before
    length = float(np.linalg.norm(way))
    return wanted if length <= most else np.asarray(before + way * (most / length), np.float32)


def _near(before: float, wanted: float, most: float) -> float:
    return min(max(wanted, before - most), before + most)
