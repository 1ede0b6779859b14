"""Whose expression a live puppet shows next: the driver's newest, or nobody's while none comes."""

from __future__ import annotations

from dataclasses import replace

from facepuppet.core.clock import Clock
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Expression
from facepuppet.sinks.cadence import Cadence

STARVED_S = 0.25  # without an expression for so long, the puppet goes on without its driver


class NextExpression:
    """Waits for the driver as long as a picture can wait for it.

    Of a driver that is faster than the output, what the output could not show is passed over: nobody paints
    pictures to throw them away.

    Args:
        slot: where the driver's newest expression is.
        fps: pictures a second of the output; as many are made without a driver.
        clock: tells when, from now on.

    Attributes:
        passed_over: how many expressions came too soon for the output.
    """

    def __init__(self, slot: LatestSlot[Expression], fps: float, clock: Clock) -> None:
        self.passed_over = 0
        self._slot, self._fps, self._clock = slot, fps, clock
        self._cadence = Cadence(fps)
        self._patience_s = 0.0  # the first picture waits for nobody
        self._taken_ns = clock.now_ns()
        self._last = Expression.absent(0, self._taken_ns)

    def take(self) -> Expression | None:
        """Return the next one; None when there will be no more. Time never runs back from one to the next."""
        newest = self._slot.take(self._patience_s)
        while newest is not None and self._clock.now_ns() < self._cadence.earliest_ns():
            self.passed_over += 1
            newest = self._slot.take(self._patience_s)
        if newest is None and self._slot.closed:
            return None
        now_ns = self._clock.now_ns()
        if newest is None:
            # Nobody's, as much later than the last one as it is now since that was taken.
            later_ns = self._last.captured_ns + now_ns - self._taken_ns
            self._last = Expression.absent(self._last.frame_id, later_ns)
            self._patience_s = 1.0 / self._fps
        else:
            # Nobody's may have run ahead of a late frame.
            self._last = replace(newest, captured_ns=max(newest.captured_ns, self._last.captured_ns))
            self._patience_s = STARVED_S
            self._cadence.sent(now_ns)
        self._taken_ns = now_ns
        return self._last
