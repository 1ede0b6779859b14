"""From one who moves the portrait to another, no faster than a face may go: nothing pops."""

from __future__ import annotations

import math

import numpy as np

from facepuppet.core.geometry import rotation_from_vector, smoothstep
from facepuppet.core.types import F32
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.life_signs import FASTEST
from facepuppet.retarget.deltas import Deltas

_ROOM = 1.2  # portraits differ from the mean face, in whose points the way is measured
_SHOULDERS = 1.5  # inter-ocular distances from their middle
# The way ends softly: as a low-pass of this time constant, which fades within so long.
_SOFT_S, _FADE_S = 0.10, 0.35


class HandOver:
    """Holds the portrait back while it changes hands, until it has caught up; a driver is left alone."""

    def __init__(self) -> None:
        self._shown: Deltas | None = None
        self._last_ns = 0
        self._behind_ns: int | None = None  # when it last was too far to be there at once

    def update(self, wanted: Deltas, t_ns: int, changing: bool, gain: float = 1.0) -> Deltas:
        """Return what to show at time t_ns (monotonic, not decreasing, from wherever it starts).

        Args:
            wanted: where the portrait should be.
            t_ns: now.
            changing: whether it changes hands.
            gain: the largest factor by which the motion is to be enlarged after this.
        """
        before, passed_s = self._shown, (t_ns - self._last_ns) * 1e-9
        self._last_ns, self._shown = t_ns, wanted
        if before is None or not (changing or self._behind_ns is not None):
            return wanted
        most = FASTEST * passed_s / (_ROOM * max(gain, 1.0))
        way = _way(before, wanted)
        if way > most:
            self._behind_ns = t_ns
        elif self._behind_ns is None:
            return wanted
        share = min(1.0, most / way) if way > 0.0 else 1.0
        soft_s = _SOFT_S * (1.0 - smoothstep((t_ns - self._behind_ns) * 1e-9 / _FADE_S))
        if soft_s > 0.0:
            share = min(share, 1.0 - math.exp(-passed_s / soft_s))
        elif share == 1.0:
            self._behind_ns = None
        self._shown = before.toward(wanted, share)
        return self._shown


def _way(one: Deltas, other: Deltas) -> float:
    """How far the point that goes farthest is carried, lids and irises apart, in inter-ocular distances."""
    across = _points(one) - _points(other)
    lean = float(np.linalg.norm(one.lean - other.lean))
    turned = abs(one.torso_roll - other.torso_roll) + abs(one.torso_log_scale - other.torso_log_scale)
    return max(float(np.sqrt((across * across).sum(axis=1).max())), lean + _SHOULDERS * turned)


def _points(deltas: Deltas) -> F32:
    """(478, 2): where the mean face's points go on the picture."""
    head = math.exp(deltas.log_scale) * rotation_from_vector(deltas.turn)[:2].astype(np.float32)
    points: F32 = (canonical_landmarks() + deltas.offsets) @ head.T + (deltas.shift + deltas.lean)
    return points
