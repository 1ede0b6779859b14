"""Time as a value that can be passed in, so that drop and cadence tests need no sleeping."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock."""

    def now_ns(self) -> int:
        """Return monotonic time in nanoseconds."""

    def sleep_s(self, duration_s: float) -> None:
        """Block for duration_s seconds (no-op when it is not positive)."""


class SystemClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """Return time.monotonic_ns()."""
        return time.monotonic_ns()

    def sleep_s(self, duration_s: float) -> None:
        """Block the calling thread."""
        if duration_s > 0:
            time.sleep(duration_s)
