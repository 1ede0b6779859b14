"""Threads of the live loop, one for each stage; what nobody foresaw begins a stage again, a few times."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from facepuppet.core.clock import Clock
from facepuppet.core.errors import FacepuppetError
from facepuppet.core.memory import return_free_memory
from facepuppet.core.slot import LatestSlot
from facepuppet.core.tolerance import Tolerance

_JOIN_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """One thread's work.

    Attributes:
        name: of the thread, and for people.
        body: works until there is nothing more to do; begun again, it goes on.
        out: where its results go; closed when it ends for good, which also ends those after it.
        shows: pictures come from it: something must stand in for them while it pauses.
    """

    name: str
    body: Callable[[], None]
    out: LatestSlot[Any]
    shows: bool


class Supervised:
    """Runs stages until they end, or one fails in a way that was foreseen, or too often.

    Args:
        stages: in the order of work.
        clock: tells how often is too often.
        stopping: set when nobody wants them any more.

    Attributes:
        failure: the stage that ended all, and what it met; None while there is none.
        restarts: one sentence for each time a stage was begun again.
        paused: a stage that shows has failed, and has shown nothing since (`shown`).
    """

    def __init__(self, stages: Sequence[Stage], clock: Clock, stopping: threading.Event) -> None:
        self.failure: tuple[str, Exception] | None = None
        self.restarts: list[str] = []
        self.paused = False
        self._stopping = stopping
        self._threads = [
            threading.Thread(target=self._run, args=(stage, Tolerance(clock)), name=stage.name, daemon=True)
            for stage in stages
        ]

    def start(self) -> None:
        """Start the threads, the last stage first, so that nothing waits for who takes it."""
        for thread in reversed(self._threads):
            thread.start()

    def join(self) -> None:
        """Wait for the threads, once they were told to stop."""
        for thread in self._threads:
            thread.join(_JOIN_S)
            if thread.is_alive():
                log.error("stage %s does not stop", thread.name)

    def shown(self) -> None:
        """A picture came: nothing need stand in for it."""
        self.paused = False

    def _run(self, stage: Stage, tolerance: Tolerance) -> None:
        try:
            while not self._ended(stage, tolerance):
                pass
        except Exception as error:  # belongs to the owner of the loop, not to this thread
            log.debug("stage %s ended", stage.name, exc_info=error)
            self.failure = self.failure or (stage.name, error)
        finally:
            stage.out.close()

    def _ended(self, stage: Stage, tolerance: Tolerance) -> bool:
        """Let a stage work; returns False where it should be begun again."""
        try:
            stage.body()
            return True
        except FacepuppetError:
            raise
        except Exception as error:
            pause_s = None if self._stopping.is_set() else tolerance.pause_s()
            if pause_s is None:
                raise
            self._tell(stage, error)
        # Only here, out of the handler, is free what the failed work held.
        return_free_memory()
        if pause_s > 0.0:
            self.paused = self.paused or stage.shows
            self._stopping.wait(pause_s)
        return False

    def _tell(self, stage: Stage, error: Exception) -> None:
        what = f"{type(error).__name__} ({' '.join(str(error).split())})"  # OpenCV's have line breaks
        told = f"Stage {stage.name} met an unexpected {what} and was begun again."
        self.restarts.append(told)
        log.warning("%s", told)
        log.debug("where that was:", exc_info=error)
