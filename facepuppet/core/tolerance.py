"""How often something may fail in a way nobody foresaw before it is given up."""

from __future__ import annotations

from collections import deque

from facepuppet.core.clock import Clock

WITHIN_S = 60.0
# Before it is tried again. What is over at once costs a frame; a full memory needs longer to become free.
PAUSES_S = (0.0, 0.5, 2.0)


class Tolerance:
    """Bears as many failures a minute as there are pauses.

    Args:
        clock: tells when.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed_ns: deque[int] = deque()

    def pause_s(self) -> float | None:
        """Note a failure; returns how long to wait before the next try, None where there should be none."""
        now_ns = self._clock.now_ns()
        while self._failed_ns and now_ns - self._failed_ns[0] > WITHIN_S * 1e9:
            self._failed_ns.popleft()
        self._failed_ns.append(now_ns)
        n = len(self._failed_ns)
        return PAUSES_S[n - 1] if n <= len(PAUSES_S) else None
