"""One session, as the reception knows it: who, where to watch it, and what its host is to be told."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from facepuppet.portrait.consent import Consent
from facepuppet.portrait.consent.revocation import words_against
from facepuppet.server.join_limits import PerMinute
from facepuppet.server.messages import Answered, Errand, Join, Over
from facepuppet.server.token_file import Token

_MOST_ERRANDS = 64  # that a host has not fetched


class RefusedError(Exception):
    """Somebody may not come in, or not watch.

    Attributes:
        over: why, as it is told.
    """

    def __init__(self, over: Over) -> None:
        super().__init__(over.sentence)
        self.over = over


@dataclass(frozen=True, slots=True)
class WatchAddress:
    """Where a session is watched; it outlives the session where the person comes back.

    Attributes:
        name: in the address; not the session's id.
        key: that lets watch.
        back: ticket with which the person comes back.
    """

    name: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    back: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Seat:
    """A session from its join to its end.

    Args:
        join: as its host gets it.
        token: that let it in.
        consent: by what right the portrait is worn.
        address: where it is watched.
        watches: bounds how many begin to watch it.
        now_ns: when it joined.

    Attributes:
        join, token, address, watches: as given.
        words_against: it; see `revocation.words_against`.
        answered: the host's answer, or why there is none.
        over: its end.
        heard_ns: when its host asked for errands last.
        replaced: whether its person came back in another one, before its end.
    """

    def __init__(
        self,
        join: Join,
        token: Token,
        consent: Consent,
        address: WatchAddress,
        watches: PerMinute,
        now_ns: int,
    ) -> None:
        self.join, self.token, self.words_against = join, token, words_against(consent)
        self.address, self.watches = address, watches
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[Answered | Over] = loop.create_future()
        self.over: asyncio.Future[Over] = loop.create_future()
        self.heard_ns = now_ns
        self.replaced = False
        self._errands: list[Errand] = []
        self._wake = asyncio.Event()

    @property
    def session(self) -> str:
        """Its id."""
        return self.join.session

    @property
    def performs(self) -> bool:
        """Whether a host has answered, and it is not over."""
        return self.answered.done() and not self.over.done()

    def end(self, over: Over) -> None:
        """It is over; the first word counts."""
        for future in (self.answered, self.over):
            if not future.done():
                future.set_result(over)
        self._wake.set()

    def ask(self, errand: Errand) -> bool:
        """Put an errand in for its host; False where too many wait there."""
        if len(self._errands) >= _MOST_ERRANDS:
            return False
        self._errands.append(errand)
        self._wake.set()
        return True

    async def errands(self, patience_s: float) -> list[Errand]:
        """Return what there is to do, as soon as there is something, perhaps nothing in the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._wake.wait()
        self._wake.clear()
        found, self._errands = self._errands, []
        return found
