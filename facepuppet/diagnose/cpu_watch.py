"""What a frame of a live run costs, its start-up left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from facepuppet.core.cpu_use import CpuSnapshot, CpuUse, cpu_snapshot
from facepuppet.core.metrics import RunStats

START_UP_S = 2.0  # networks run for the first time, rest is looked for, caches fill
_BEFORE_END_S = 0.1  # the end is looked at while every thread still lives


class CpuWatch:
    """Looks at a run of known length twice, from a thread of its own: after its start-up, and before its end.

        with CpuWatch(live.stats, seconds) as watch:
            live.run(seconds)
        print(watch.use)

    Of a run under 4 s the first half counts as start-up.

    Args:
        stats: tells how the run is doing, from any thread.
        seconds: length of the run, from now on.

    Attributes:
        use: what a frame between the two looks cost; None when the run ended before, or had no new frame.
    """

    def __init__(self, stats: Callable[[], RunStats], seconds: float) -> None:
        self.use: CpuUse | None = None
        self._stats, self._seconds = stats, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> CpuWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        begun_s = time.monotonic()
        looks: list[CpuSnapshot] = []
        for at_s in (min(START_UP_S, self._seconds / 2), self._seconds - _BEFORE_END_S):
            if self._over.wait(begun_s + at_s - time.monotonic()):
                return
            looks.append(cpu_snapshot(self._stats()))
        self.use = CpuUse.between(*looks)
