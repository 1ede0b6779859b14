"""From the line to a host: who waits, at what place, and what a host tells in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from facepuppet.core.clock import Clock
from facepuppet.server.messages import Answered, Over, Why
from facepuppet.server.seams import Hosts
from facepuppet.server.seat import Seat
from facepuppet.server.waiting_line import WaitingLine

_LOOK_S = 0.5  # how often a place in line is looked at
_FRESH_S = 1.0  # how old the count of free places may be
_PATIENCE_S = 2.0  # with who counts them
_AGAIN_S = 0.2
_MOST_LOST = 2  # hosts that are lost before they answer; another one may do
_LOST = Over(Why.LOST, "The host of this session was lost.", again=True)

log = logging.getLogger(__name__)


class Seating:
    """Asks for hosts. Everybody in line has been asked for already, so that a cluster sees how many wait.

    Args:
        hosts: where puppets perform.
        most_waiting: in line.
        clock: tells when.

    Attributes:
        n_answered: how many sessions began.
    """

    def __init__(self, hosts: Hosts, most_waiting: int, clock: Clock) -> None:
        self._hosts, self._clock = hosts, clock
        self._line, self._most_waiting = WaitingLine(), most_waiting
        self.n_answered = 0
        self._free = 0
        self._counted_ns: int | None = None

    @property
    def n_waiting(self) -> int:
        """How many stand in line, or are being seated."""
        return len(self._line)

    async def enter(self, seat: Seat) -> bool:
        """Stand in line; False where as many wait as may. Who finds a free place does not wait."""
        return self._line.enter(seat.session, self._most_waiting + await self._count())

    def leave(self, seat: Seat) -> None:
        """Step out of it."""
        self._line.leave(seat.session)

    async def perform(self, seat: Seat) -> Over:
        """Have a session performed, from the line to its end; `seat.answered` tells of the answer."""
        n_lost = 0
        while True:
            over = _LOST
            async for told in self._hosts.perform(seat.join):
                if isinstance(told, Over):
                    over = told
                elif not seat.answered.done():
                    self._answer(seat, told)
            n_lost += over.why is Why.LOST
            may_again = over.why is Why.OCCUPIED or (over.why is Why.LOST and n_lost <= _MOST_LOST)
            if seat.answered.done() or not may_again:
                return over
            await asyncio.sleep(_AGAIN_S)  # at the same place in line

    async def places(self, seat: Seat) -> AsyncIterator[int]:
        """Tell somebody's place in line, from 1, whenever it is another one, until there is an answer."""
        told = 0
        while not seat.answered.done():
            place = self._line.place(seat.session) - await self._count()
            if place > 0 and place != told and not seat.answered.done():
                yield place
                told = place
            await asyncio.wait([seat.answered], timeout=_LOOK_S)

    def _answer(self, seat: Seat, answered: Answered) -> None:
        seat.heard_ns = self._clock.now_ns()
        seat.answered.set_result(answered)
        self.n_answered += 1
        self._free = max(0, self._free - 1)
        self.leave(seat)
        said = {"session": seat.session, "avatar": seat.join.avatar}
        log.info("session %s: begins, driven by %s", seat.session, seat.join.driven_by.value, extra=said)

    async def _count(self) -> int:
        """Return how many places are free, as of a moment ago."""
        now_ns = self._clock.now_ns()
        if self._counted_ns is None or now_ns - self._counted_ns >= _FRESH_S * 1e9:
            self._counted_ns = now_ns
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    seats, taken = await self._hosts.seats()
                self._free = max(0, seats - taken)
            except Exception as error:  # what a cluster says while it changes
                log.debug("free places are not known", exc_info=error)
        return self._free
