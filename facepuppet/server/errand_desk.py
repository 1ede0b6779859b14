"""The reception's desk for hosts: portraits, errands, answers, and what may not be shown any more."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from facepuppet.core.clock import Clock
from facepuppet.core.errors import FacepuppetError, ServerError
from facepuppet.server.avatar_shelf import AvatarShelf
from facepuppet.server.messages import Errand, Leave, Over, Unwatch, Watch, Why
from facepuppet.server.revocation_watch import RevocationWatch
from facepuppet.server.seat import RefusedError, Seat
from facepuppet.server.seat_book import SeatBook

_ERRANDS_S = 20.0  # that a host waits for errands at most
_UNKNOWN_S = 0.1  # so that a host that goes on asking can do something else
_ANSWER_S = 10.0  # that a host takes at most to answer a watcher


class ErrandDesk:
    """`seams.Desk` over a book of sessions.

    Args:
        book: sessions that there are.
        shelf: what may be worn.
        revocations: what may not.
        clock: tells when.

    Attributes:
        shelf: as given.
    """

    def __init__(
        self, book: SeatBook, shelf: AvatarShelf, revocations: RevocationWatch, clock: Clock
    ) -> None:
        self.shelf = shelf
        self._book, self._revocations, self._clock = book, revocations, clock
        self._answers: dict[str, asyncio.Future[str | Over]] = {}

    async def avatar(self, sha256: str) -> bytes:
        """Return the file of a portrait or pack; as `Desk.avatar`."""
        found = self.shelf.get(sha256)
        if found is None:
            raise ServerError(f"avatar {sha256[:12]}…", "one that is offered", "Choose another one.")
        return await asyncio.to_thread(found.file)

    async def errands(self, session: str) -> list[Errand]:
        """Wait for errands of a session; as `Desk.errands`."""
        seat = self._book.get(session)
        if seat is None:  # a reception that was started anew knows neither its right nor its token
            await asyncio.sleep(_UNKNOWN_S)
            return [Leave(Over(Why.LOST, "The reception was started anew.", again=True))]
        seat.heard_ns = self._clock.now_ns()
        found = await seat.errands(_ERRANDS_S)
        seat.heard_ns = self._clock.now_ns()
        return found

    async def answer(self, errand: str, answer: str | Over) -> None:
        """Take the answer to a Watch; as `Desk.answer`."""
        waiting = self._answers.get(errand)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def revoked(self) -> frozenset[str]:
        """Return the revocation list's entries; as `Desk.revoked`."""
        with suppress(FacepuppetError):
            await self._revocations.fresh()
        return self._revocations.newest.entries

    async def _answer_of(self, seat: Seat, offer: str) -> tuple[str, str]:
        """Have a session's host answer a watcher; returns the errand's id and the answer.

        Raises:
            RefusedError: it does not, or will not.
        """
        errand = secrets.token_urlsafe(16)
        answer = self._answers[errand] = asyncio.get_running_loop().create_future()
        silent = RefusedError(Over(Why.LOST, "The session does not answer: try again.", again=True))
        try:
            if not seat.ask(Watch(errand, offer)):
                raise silent
            async with asyncio.timeout(_ANSWER_S):
                found = await answer
        except TimeoutError:
            seat.ask(Unwatch(errand))
            raise silent from None
        finally:
            del self._answers[errand]
        if isinstance(found, Over):
            raise RefusedError(found)
        return errand, found
