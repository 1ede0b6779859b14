"""May somebody come in: token, bounds, portrait, right and offer, the cheap questions first."""

from __future__ import annotations

import asyncio
import logging
import secrets

from facepuppet.core.clock import Clock
from facepuppet.core.errors import ConsentError, ConsentRevokedError, FacepuppetError, ServerError
from facepuppet.portrait.consent import Consent
from facepuppet.portrait.consent.store import ConsentStore
from facepuppet.server.avatar_shelf import AvatarShelf, OnShelf
from facepuppet.server.join_limits import JoinLimits, PerMinute
from facepuppet.server.join_message import Asked
from facepuppet.server.messages import Join, Leave, Over, Why
from facepuppet.server.reception_settings import ReceptionSettings
from facepuppet.server.revocation_watch import RevocationWatch
from facepuppet.server.seat import RefusedError, Seat, WatchAddress
from facepuppet.server.seat_book import SeatBook
from facepuppet.server.signalling import Part, checked_offer
from facepuppet.server.token_file import Token
from facepuppet.session.call_counter import next_session

log = logging.getLogger(__name__)


class Admission:
    """Lets in.

    Args:
        settings: the operator's.
        shelf: what may be worn.
        revocations: what may not.
        book: sessions that there are.
        clock: tells when.
    """

    def __init__(
        self,
        settings: ReceptionSettings,
        shelf: AvatarShelf,
        revocations: RevocationWatch,
        book: SeatBook,
        clock: Clock,
    ) -> None:
        self._settings, self._shelf, self._revocations = settings, shelf, revocations
        self._book, self._clock = book, clock
        self._limits, self._strangers = JoinLimits(clock), PerMinute(1, clock)
        self._store = ConsentStore(settings.consent_folder)

    async def admitted(self, asked: Asked) -> Seat:
        """Return a seat for somebody, who has no host yet; it has to be given back by `left`.

        Raises:
            RefusedError: they may not come in.
        """
        token = self._settings.tokens.find(asked.token)
        if token is None:
            if self._strangers.take() == 0:
                log.warning("somebody came with an unknown access code (told once a minute)")
            raise _refusal("This access code is not known here: ask whoever invited you for a new one.")
        address = self._returning(asked.back, token)
        problem = self._limits.enter(token, back=address is not None)
        if problem:
            raise _refusal(problem, Why.FULL)
        try:
            return await self._checked(asked, token, address or WatchAddress())
        except BaseException as error:
            self._limits.leave(token)
            if isinstance(error, ConsentRevokedError):
                raise _refusal(str(error), Why.REVOKED) from error
            if isinstance(error, FacepuppetError):
                raise _refusal(str(error)) from error
            raise

    def left(self, seat: Seat) -> None:
        """A session is over."""
        if not seat.replaced:
            self._limits.leave(seat.token)

    def _returning(self, back: str, token: Token) -> WatchAddress | None:
        """Return where somebody was watched who comes back, and end what is left of them."""
        if not back:
            return None
        seat = self._book.with_ticket(back)
        address = seat.address if seat else self._book.lost_address(back, token)
        if address is None or (seat and (seat.token != token or seat.replaced)):
            return None
        if not self._book.may_return(back):
            raise _refusal("You came back too often within a minute: wait a little.", Why.FULL)
        if seat is None:
            return address
        seat.replaced = True
        self._limits.leave(token)
        seat.ask(Leave(Over(Why.LOST, "You came back in another connection.")))
        return seat.address

    async def _checked(self, asked: Asked, token: Token, address: WatchAddress) -> Seat:
        avatar = self._shelf.named(asked.avatar)
        if avatar is None or not token.may_wear(avatar.name, avatar.sha256):
            raise ServerError(
                "an avatar that is not offered here", "one of those shown", "Choose another one."
            )
        consent = await self._cleared(asked, avatar)
        offer = checked_offer(asked.offer, Part(asked.driven_by.value))
        number = await asyncio.to_thread(next_session)
        join = Join(
            session=secrets.token_urlsafe(16),
            offer=offer,
            avatar=avatar.sha256,
            avatar_name=avatar.path.name,
            consent=consent.to_json(),
            driven_by=asked.driven_by,
            picture=asked.picture or self._settings.picture,
            number=number,
            ice_servers=self._settings.ice_servers,
            sound=asked.sound,
        )
        watches = PerMinute(self._settings.watches_per_minute, self._clock)
        return Seat(join, token, consent, address, watches, self._clock.now_ns())

    async def _cleared(self, asked: Asked, avatar: OnShelf) -> Consent:
        try:
            revoked = await self._revocations.fresh()
        except ConsentError as error:  # told in the log, with its path
            raise _refusal("The list of revoked rights cannot be read: nobody may come in.") from error
        stated = None if asked.right is None else asked.right.claim(avatar.source_sha256)
        try:
            return await asyncio.to_thread(avatar.cleared, stated, revoked, self._store)
        except ConsentRevokedError:
            raise
        except ConsentError as error:
            raise ConsentError(
                error.got, error.expected, "Say by what right you use the portrait."
            ) from error


def _refusal(sentence: str, why: Why = Why.REFUSED) -> RefusedError:
    return RefusedError(Over(why, sentence))
