"""Whether pictures come as fast as they are wanted, judged by what the newest ones took."""

from __future__ import annotations

from collections import deque

import numpy as np

LOOKED_AT_S = 2.0  # of work
LEAST_FRAMES = 5
_HELD = 90  # percent of the pictures that have to be in time: a late one is repeated, which nobody sees


class PaceWatch:
    """Counts what pictures take.

    Args:
        fps: pictures a second that are wanted.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._taken_s: deque[float] = deque(maxlen=max(LEAST_FRAMES, round(LOOKED_AT_S * fps)))

    def took(self, duration_s: float) -> None:
        """Count one more picture."""
        self._taken_s.append(duration_s)

    @property
    def is_late(self) -> bool:
        """Whether it is sure that pictures do not hold the cadence."""
        enough = len(self._taken_s) >= LEAST_FRAMES and sum(self._taken_s) >= LOOKED_AT_S
        return enough and not self.holds

    @property
    def holds(self) -> bool:
        """Whether the pictures so far hold the cadence."""
        return bool(self._taken_s) and self._at_s(_HELD) <= 1.0 / self.fps

    def __str__(self) -> str:
        taken_ms = 1e3 * self._at_s(50) if self._taken_s else 0.0
        return f"{taken_ms:.0f} ms a picture, of {1e3 / self.fps:.0f} ms at {self.fps:g} a second"

    def _at_s(self, percent: int) -> float:
        return float(np.percentile(self._taken_s, percent))
