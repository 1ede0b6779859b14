"""Figures of the newest second of a live run, for whoever looks at it now; nobody looking costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from facepuppet.core.clock import Clock
from facepuppet.core.metrics import RunStats, Spread

AT_LEAST_S = 0.9  # of a shorter time, figures jump and cost more than all else a page asks for
NEWEST = 150  # latencies: five seconds at 30 a second


@dataclass(frozen=True, slots=True)
class Figures:
    """How a run fares now.

    Attributes:
        fps: new pictures a second since the last look.
        latency_median_ms, latency_p95_ms: capture to sink of the newest pictures; None before the first.
        dropped: share of the driver's frames since the last look that no picture was made of.
        cpu: cores that the process keeps busy; 1.0 is one whole core.
        memory_mb: resident.
        seconds: since the start.
        pictures: new ones that went out so far.
    """

    fps: float
    latency_median_ms: float | None
    latency_p95_ms: float | None
    dropped: float
    cpu: float
    memory_mb: float
    seconds: float
    pictures: int


class Meters:
    """Reads the figures; any thread may.

    Args:
        stats: of the run so far.
        latencies_s: capture to sink of the newest pictures, oldest first.
        clock: tells when.
    """

    def __init__(
        self, stats: Callable[[], RunStats], latencies_s: Callable[[], tuple[float, ...]], clock: Clock
    ) -> None:
        self._stats, self._latencies_s, self._clock = stats, latencies_s, clock
        self._process = psutil.Process()
        self._reading = threading.Lock()
        self._before: RunStats | None = None
        self._before_ns, self._before_cpu_s = 0, 0.0
        self._last: Figures | None = None

    def read(self) -> Figures:
        """Return the figures of now."""
        with self._reading:
            now_ns = self._clock.now_ns()
            elapsed_s = (now_ns - self._before_ns) * 1e-9
            if self._last is None or elapsed_s >= AT_LEAST_S:
                self._last = self._read(now_ns, elapsed_s)
            return self._last

    def _read(self, now_ns: int, elapsed_s: float) -> Figures:
        stats, before = self._stats(), self._before
        times = self._process.cpu_times()
        cpu_s = times.user + times.system
        if before is None:  # of the whole run
            elapsed_s = max(stats.seconds, 1e-3)
        n_out = stats.frames_out - (0 if before is None else before.frames_out)
        n_in = stats.frames_in - (0 if before is None else before.frames_in)
        spread = Spread.of(self._latencies_s()[-NEWEST:])
        figures = Figures(
            fps=round(n_out / elapsed_s, 1),
            latency_median_ms=None if spread is None else spread.median_ms,
            latency_p95_ms=None if spread is None else spread.p95_ms,
            dropped=round(max(0.0, 1.0 - n_out / n_in), 3) if n_in > 0 else 0.0,
            cpu=0.0 if before is None else round((cpu_s - self._before_cpu_s) / elapsed_s, 2),
            memory_mb=stats.rss_mb,
            seconds=stats.seconds,
            pictures=stats.frames_out,
        )
        self._before, self._before_ns, self._before_cpu_s = stats, now_ns, cpu_s
        return figures
