"""Where people come in: it lets in, keeps the line, seats, and carries errands to hosts.

Pictures and sound go past it, straight between a page and its host.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError
from facepuppet.server.admission import Admission
from facepuppet.server.avatar_shelf import AvatarShelf
from facepuppet.server.errand_desk import ErrandDesk
from facepuppet.server.join_events import InLine, Seated, Standing
from facepuppet.server.join_message import Asked
from facepuppet.server.messages import Announce, Answered, Leave, Over, Unwatch, Why
from facepuppet.server.reception_settings import ReceptionSettings
from facepuppet.server.revocation_watch import RevocationWatch
from facepuppet.server.seams import Hosts
from facepuppet.server.seat import RefusedError, Seat
from facepuppet.server.seat_book import SeatBook
from facepuppet.server.seating import Seating
from facepuppet.server.signalling import Part, checked_offer, sharp_answer

_SILENT_S = 60.0  # after which a host that asks for none is taken for lost
_BEAT_S = 5.0
_SCAN_BEATS = 6
_BLIND_S = 30.0  # without a readable revocation list, which is looked at each 20 s: within the minute
_LOOK_S = 0.1  # how often a drain looks whether all have gone
_LEAVE_S = 5.0  # for hosts to fetch that all is over
# A page that finds its host silent leaves it, and comes back: to the host it has left.
_RETURNING = (Why.LOST, Why.LEFT, Why.SILENT, Why.FAILED)
_FULL = Over(Why.FULL, "All places are taken, and the line is full: try again in a minute.")
_CLOSED = Over(Why.CLOSING, "The server is about to stop: come back later.")

log = logging.getLogger(__name__)


class Reception(ErrandDesk):
    """The reception: one for all hosts, who come to its desk. All of it belongs to one event loop.

    Args:
        hosts: where puppets perform.
        settings: the operator's.
        clock: tells when.

    Attributes:
        settings: as given.
        shelf: what may be worn.
    """

    def __init__(self, hosts: Hosts, settings: ReceptionSettings, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        revocations = RevocationWatch(settings.revoked, clock)
        super().__init__(SeatBook(clock), AvatarShelf(settings.avatars), revocations, clock)
        self.settings = settings
        self._admission = Admission(settings, self.shelf, self._revocations, self._book, self._clock)
        self._seating = Seating(hosts, settings.most_waiting, self._clock)
        self._performing: dict[str, asyncio.Task[None]] = {}
        self._beat: asyncio.Task[None] | None = None
        self._refused = self._watches = 0
        self._is_ready = self._is_draining = False

    async def start(self) -> None:
        """Look at the avatars and the revocation list, and begin to keep house; once is enough."""
        if self._beat is not None:
            return
        self._beat = asyncio.create_task(self._keep_house())
        await asyncio.to_thread(self.shelf.scan)
        self._is_ready = True
        log.info("%d avatars are offered", len(self.shelf.all()))

    async def stop(self) -> None:
        """Stop keeping house, and give up who waits; sessions are the hosts'."""
        self._is_draining = True
        tasks = [*self._performing.values(), *([self._beat] if self._beat else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._beat = None

    async def trouble(self) -> str:
        """Say why nobody can come in now; empty where they can."""
        if self._is_draining:
            return "the server is about to stop"
        if not self._is_ready:
            return "the avatars are being looked at"
        try:
            await self._revocations.fresh()
        except FacepuppetError:  # its path is nobody's business
            return "the list of revoked rights cannot be read"
        return ""

    @property
    def standing(self) -> Standing:
        """How it stands."""
        performing = sum(seat.performs for seat in self._book.seats())
        counts = (self._seating.n_answered, self._refused, self._watches, len(self.shelf.all()))
        return Standing(performing, self._seating.n_waiting, *counts, self._is_draining)

    async def join(self, asked: Asked) -> AsyncGenerator[InLine | Seated | Over, None]:
        """Let somebody in, and tell how it goes: places in line, a host's answer, the end.

        Whoever closes it before the answer gives the place up; after it the session runs on.
        """
        try:
            seat = await self._begun(asked)
        except RefusedError as refusal:
            self._refused += 1
            yield refusal.over
            return
        try:
            async for place in self._seating.places(seat):
                yield InLine(place)
            answered = seat.answered.result()
            if isinstance(answered, Answered):
                sdp = sharp_answer(answered.sdp, seat.join.picture.size_px)
                yield Seated(sdp, seat.session, seat.address)
            yield await asyncio.shield(seat.over)
        finally:
            if not seat.answered.done():
                self._end(seat, Over(Why.LEFT, "You left the line."))

    async def watch(self, name: str, key: str, offer: str) -> tuple[str, str]:
        """Let somebody watch a session: returns an errand's id, by which they leave again, and the answer.

        Args:
            name: of the watch address.
            key: that lets watch.
            offer: SDP, not checked yet.

        Raises:
            RefusedError: no such session or another key, too many at once, or a host that does not answer.
            ServerError: an offer that will not do.
        """
        seat = self._to_watch(name, key)
        if seat.watches.take() > 0:
            raise RefusedError(
                Over(Why.FULL, "Too many begin to watch within a minute: try again.", again=True)
            )
        offer = checked_offer(offer, Part.WATCH)
        found = await self._answer_of(seat, offer)
        self._watches += 1
        return found

    def check_watcher(self, name: str, key: str) -> None:
        """Check that somebody may watch.

        Raises:
            RefusedError: no such session, or another key.
        """
        self._to_watch(name, key)

    def unwatch(self, name: str, key: str, errand: str) -> None:
        """A watcher goes.

        Raises:
            RefusedError: no such session, or another key.
        """
        self._to_watch(name, key).ask(Unwatch(errand))

    def leave(self, back: str, token: str) -> bool:
        """End a session by its ticket; False where the two are of none that performs."""
        seat = self._book.with_ticket(back)
        if seat is None or self.settings.tokens.find(token) != seat.token:
            return False
        return seat.ask(Leave(Over(Why.LEFT, "You left.")))

    async def drain(self, seconds: float) -> None:
        """Let nobody in any more, tell those who are here, and wait for them to go; then end what is left."""
        self._is_draining = True
        closing = Over(Why.CLOSING, "The server stops. Thank you for coming.")
        for seat in self._book.seats():
            if not seat.answered.done():
                self._end(seat, _CLOSED)
            else:
                seat.ask(Announce(f"The server stops in {round(seconds)} s: please come to an end."))
        end_ns = self._clock.now_ns() + round(seconds * 1e9)
        while self._book and self._clock.now_ns() < end_ns:
            await asyncio.sleep(_LOOK_S)
        ends = [seat.over for seat in self._book.seats()]
        for seat in self._book.seats():
            seat.ask(Leave(closing))
        if ends:
            await asyncio.wait(ends, timeout=_LEAVE_S)

    async def _begun(self, asked: Asked) -> Seat:
        """Let somebody in, and ask for a host.

        Raises:
            RefusedError: they may not come in, or there is no room in line.
        """
        if self._is_draining:
            raise RefusedError(_CLOSED)
        seat = await self._admission.admitted(asked)
        try:
            if not await self._seating.enter(seat):
                raise RefusedError(_FULL)
            if self._is_draining:
                raise RefusedError(_CLOSED)
        except BaseException:  # who hangs up here has counted, too
            self._seating.leave(seat)
            self._admission.left(seat)
            raise
        self._book.add(seat)
        performing = asyncio.create_task(self._perform(seat))
        self._performing[seat.session] = performing
        return seat

    async def _perform(self, seat: Seat) -> None:
        over = Over(Why.FAILED, "Something failed here: please try again.", again=True)
        try:
            over = await self._seating.perform(seat)
        except asyncio.CancelledError:
            over = Over(Why.LOST, "The server gave it up.", again=True)
            raise
        except Exception as error:  # of `Hosts`, which should have told it
            log.error("session %s: an unexpected %s", seat.session, type(error).__name__)
            log.debug("where", exc_info=error)
        finally:
            self._end(seat, over)

    def _end(self, seat: Seat, over: Over) -> None:
        """End a session here, for whatever reason, once."""
        seat.end(over)
        self._seating.leave(seat)
        if not self._book.remove(seat, may_return=over.why in _RETURNING):
            return
        self._admission.left(seat)
        self._performing.pop(seat.session).cancel()
        said = {"session": seat.session, "why": over.why.value}
        log.info("session %s: %s (%s)", seat.session, over.why.value, over.sentence, extra=said)

    def _to_watch(self, name: str, key: str) -> Seat:
        seat = self._book.to_watch(name, key)
        if seat is None:
            raise RefusedError(Over(Why.REFUSED, "There is no such session, or it is over."))
        return seat

    async def _keep_house(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(_BEAT_S)
            beats += 1
            try:
                if beats % _SCAN_BEATS == 0:
                    await asyncio.to_thread(self.shelf.scan)
                await self.look_after()
            except Exception as error:  # the next beat may do
                log.error("the reception's housekeeping met an unexpected %s", type(error).__name__)
                log.debug("where", exc_info=error)

    async def look_after(self) -> None:
        """End sessions whose right was taken back, and those whose host is silent."""
        with suppress(FacepuppetError):
            await self._revocations.fresh()
        newest, now_ns = self._revocations.newest, self._clock.now_ns()
        for seat in self._book.seats():
            if self._revocations.blind_s >= _BLIND_S:
                self._revoke(seat, "The list of revoked rights cannot be read, so nothing may be shown.")
            elif not seat.words_against.isdisjoint(newest.entries):
                self._revoke(seat, "The right to show this portrait was taken back.")
            elif seat.performs and now_ns - seat.heard_ns > _SILENT_S * 1e9:
                self._end(seat, Over(Why.LOST, "The host of this session was lost.", again=True))

    def _revoke(self, seat: Seat, sentence: str) -> None:
        over = Over(Why.REVOKED, sentence)
        if seat.answered.done():
            seat.ask(Leave(over))
        else:
            self._end(seat, over)
