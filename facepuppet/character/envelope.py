"""Numbers that come, stay and go in times of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facepuppet.core.types import F32

_NINE_TENTHS = 2.303  # of a step, in time constants of a first-order lag


class Times(NamedTuple):
    """How long each number takes, in seconds: to come (nine tenths of the way), to stay, and to go.

    Attributes:
        none: whether numbers come and go as they are told.
    """

    onset_s: F32
    hold_s: F32
    decay_s: F32
    none: bool


class Envelope:
    """Numbers that follow targets: away from 0 by their onset, back by their decay, after their hold."""

    def __init__(self) -> None:
        self._at: F32 | None = None
        self._held_s = np.zeros(0, np.float32)

    def reset(self) -> None:
        """Begin anew, at the next targets."""
        self._at = None

    def toward(self, targets: F32, times: Times, dt_s: float) -> F32:
        """Move on by a time and return where the numbers are now; without times, the targets themselves."""
        at = self._at
        if at is None or times.none:
            self._at, self._held_s = targets, np.zeros_like(targets)
            return targets
        grows = np.abs(targets) >= np.abs(at)
        stays = ~grows & (self._held_s < times.hold_s) & (targets * at >= 0.0)
        self._held_s = np.where(grows, np.float32(0.0), self._held_s + np.float32(dt_s))
        lag_s = np.maximum(np.where(grows, times.onset_s, times.decay_s), np.float32(1e-6))
        share = 1.0 - np.exp(np.float32(-_NINE_TENTHS * dt_s) / lag_s)
        share[stays] = 0.0
        self._at = at + share * (targets - at)
        return self._at
