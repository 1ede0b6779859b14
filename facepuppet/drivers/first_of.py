"""Several drivers, of which the first that sees a face drives: phone, else camera, else nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError
from facepuppet.core.metrics import Spread
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver
from facepuppet.voice.voice_manner import VoiceManner

LOST_NS = 400_000_000  # without a face for so long, the next driver takes over
BACK_NS = 500_000_000  # a driver that comes before the present one takes over once it is there for so long
_SLICE_S = 0.05

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seat:
    """One driver, and what it said last.

    Attributes:
        seen_ns: when it last showed a face; None before.
        since_ns: when the present spell of faces began.
    """

    driver: Driver
    thread: threading.Thread | None = None
    newest: Expression | None = None
    seen_ns: int | None = None
    since_ns: int = 0
    ended: bool = False
    error: Exception | None = field(default=None)

    def present(self, now_ns: int) -> bool:
        return not self.ended and self.seen_ns is not None and now_ns - self.seen_ns < LOST_NS


class FirstOf(Driver):
    """Gives the expressions of the first driver that is there; each is read by a thread of its own.

    Where it changes, `Expression.whose` does, and the puppet is led over. A driver that ends or fails is
    told of in the log, and the others go on.

    Args:
        drivers: by priority; closed with this.
    """

    live = True

    def __init__(self, drivers: Sequence[Driver]) -> None:
        self.description = ", else ".join(driver.description for driver in drivers)
        self._seats = [_Seat(driver) for driver in drivers]
        self._clock: Clock = SystemClock()
        self._changed = threading.Condition()
        self._whose = 0
        self._n = 0
        self._closed = False

    def start(self, clock: Clock) -> None:
        """Start every driver."""
        self._clock = clock
        for seat in self._seats:
            seat.driver.start(clock)
            seat.thread = threading.Thread(target=self._follow, args=(seat,), name="a driver", daemon=True)
            seat.thread.start()

    def read(self) -> Expression | None:
        """Block for the next expression of whoever drives; None when all have ended, and after close().

        Raises:
            FacepuppetError: the last of them could not go on.
        """
        with self._changed:
            while not self._closed:
                chosen = self._choose()
                if chosen is not None and (newest := chosen.newest) is not None:
                    chosen.newest = None
                    self._n += 1
                    return replace(newest, frame_id=self._n, whose=self._whose)
                if all(seat.ended for seat in self._seats):
                    self._raise_last()
                    return None
                self._changed.wait(_SLICE_S)
        return None

    def recentre(self) -> None:
        """Re-centre them all."""
        for seat in self._seats:
            seat.driver.recentre()

    def set_smoothing(self, strength: float) -> None:
        """Set that of all; ValueError for no strength."""
        for seat in self._seats:
            seat.driver.set_smoothing(strength)

    @property
    def voice(self) -> VoiceManner | None:
        """As of the first voice among them."""
        return next((manner for seat in self._seats if (manner := seat.driver.voice) is not None), None)

    @property
    def mood(self) -> tuple[float, float] | None:
        """As of who drives now."""
        return self._seats[self._whose].driver.mood

    def set_voice(self, manner: VoiceManner) -> None:
        """Set that of all."""
        for seat in self._seats:
            seat.driver.set_voice(manner)

    def look(self, width_px: int) -> bytes | None:
        """Return what the first camera among them sees."""
        return next((seen for seat in self._seats if (seen := seat.driver.look(width_px)) is not None), None)

    @property
    def light(self) -> float | None:
        """Brightness of the face, as the first camera among them sees it."""
        return next((seen for seat in self._seats if (seen := seat.driver.light) is not None), None)

    def close(self) -> None:
        """Close them all."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for seat in self._seats:
            seat.driver.close()
        for seat in self._seats:
            if seat.thread is not None:
                seat.thread.join(5.0)

    @property
    def arrived(self) -> int | None:
        """As of who drives now."""
        return self._seats[self._whose].driver.arrived

    @property
    def dropped(self) -> int:
        """As of who drives now."""
        return self._seats[self._whose].driver.dropped

    @property
    def rejected(self) -> int:
        """Of all together."""
        return sum(seat.driver.rejected for seat in self._seats)

    def timings(self) -> Mapping[str, Spread]:
        """As of who drives now."""
        return self._seats[self._whose].driver.timings()

    def _choose(self) -> _Seat | None:
        """The seat to take from; nobody's expressions are those of who drove last."""
        now_ns = self._clock.now_ns()
        there = [at for at, seat in enumerate(self._seats) if seat.present(now_ns)]
        if there and there[0] != self._whose:
            first, lost = self._seats[there[0]], self._whose not in there
            back = first.driver.certain or now_ns - first.since_ns >= BACK_NS
            if lost or (there[0] < self._whose and back):
                log.info("%s drives", first.driver.description)
                self._whose = there[0]
        return self._seats[self._whose]

    def _follow(self, seat: _Seat) -> None:
        try:
            while (expression := seat.driver.read()) is not None:
                self._take(seat, expression)
        except Exception as error:  # belongs to who reads, once no other is left
            seat.error = error
            if not self._closed:
                log.warning("%s cannot go on: %s", seat.driver.description, error)
        with self._changed:
            seat.ended = True
            self._changed.notify_all()

    def _take(self, seat: _Seat, expression: Expression) -> None:
        with self._changed:
            now_ns = self._clock.now_ns()
            if expression.face is not None:
                if not seat.present(now_ns):
                    seat.since_ns = now_ns
                seat.seen_ns = now_ns
            seat.newest = expression
            self._changed.notify_all()

    def _raise_last(self) -> None:
        errors = [seat.error for seat in self._seats if seat.error is not None]
        foreseen = [error for error in errors if isinstance(error, FacepuppetError)]
        if errors:
            raise (foreseen or errors)[-1]
