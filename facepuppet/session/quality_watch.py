"""Looking at a live run from beside it, so that its quality fits the machine, and telling what changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from facepuppet.core.clock import Clock
from facepuppet.core.hardware import on_battery
from facepuppet.session.control import Control
from facepuppet.session.governor import LOOK_S, Governor, Load, Why
from facepuppet.session.ladder import AUTO, LADDER

POWER_S = 30.0  # between two questions what the machine runs on; some systems answer slowly

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run has counted since its start.

    Attributes:
        arrived: frames that came in from the driver.
        made: pictures that were made.
        busy_ns: for how long each stage that makes pictures has worked.
    """

    arrived: int
    made: int
    busy_ns: tuple[int, ...]


class QualityWatch:
    """Lets a governor choose the quality of a run, in a thread of its own; the run's threads only count.

    While a quality is asked for by name it only watches.

    Args:
        control: told of the quality that was chosen.
        counts: tells what was counted so far.
        fps: pictures a second that are wanted.
        clock: tells when.
        battery: tells whether the machine runs on its battery.

    Attributes:
        changes: one sentence for each time the quality changed by itself, in order.
    """

    def __init__(
        self,
        control: Control,
        counts: Callable[[], Counts],
        fps: float,
        clock: Clock,
        battery: Callable[[], bool] = on_battery,
    ) -> None:
        self._control, self._counts, self._fps, self._clock = control, counts, fps, clock
        self._battery = battery
        self._governor = Governor()
        self._before, self._before_ns = Counts(0, 0, ()), 0
        self._asked_power_ns: int | None = None
        self._told_overwhelmed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="quality", daemon=True)
        self.changes: list[str] = []

    def start(self) -> None:
        """Watch from now on."""
        self._before, self._before_ns = self._counts(), self._clock.now_ns()
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Look once at what was counted since the look before."""
        counts, now_ns = self._counts(), self._clock.now_ns()
        load = self._load(counts, now_ns)
        self._before, self._before_ns = counts, now_ns
        if self._control.asked_quality != AUTO or not self._control.puppet.adapts:
            self._governor.put(LADDER.index(self._control.step))
            return
        if self._asked_power_ns is None or now_ns - self._asked_power_ns >= POWER_S * 1e9:
            self._asked_power_ns = now_ns
            self._change(self._governor.power(self._battery()))
        self._change(self._governor.look(load, now_ns))
        if self._governor.overwhelmed and not self._told_overwhelmed:
            self._told_overwhelmed = True
            log.warning(
                "Even at quality '%s' this machine does not make %g new pictures a second: "
                "the last picture is repeated to keep the cadence.",
                *(LADDER[-1].name, self._fps),
            )

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()

    def _load(self, counts: Counts, now_ns: int) -> Load:
        elapsed_ns = max(now_ns - self._before_ns, 1)
        busy_before = self._before.busy_ns or (0,) * len(counts.busy_ns)
        busiest_ns = max(now - then for now, then in zip(counts.busy_ns, busy_before, strict=True))
        arrived = counts.arrived - self._before.arrived
        due = min(float(arrived), self._fps * elapsed_ns * 1e-9)
        return Load(busiest_ns / elapsed_ns, due, counts.made - self._before.made)

    def _change(self, why: Why | None) -> None:
        """Let control use the governor's step, and tell once."""
        if why is None:
            return
        step = LADDER[self._governor.at]
        self._control.adapt(step)
        sentence = _SENTENCES[why].format(f"to '{step.name}' ({step.meaning})")
        self.changes.append(sentence)
        log.warning("%s", sentence)


_SENTENCES = {
    Why.LATE: "New pictures come too late on this machine as it is: quality goes down {}.",
    Why.ROOM: "There is room again: quality goes up {}.",
    Why.BATTERY: "The machine runs on its battery: quality goes down {}; --quality best keeps the best.",
}
