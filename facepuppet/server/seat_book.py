"""Which sessions there are, where they are watched, and who may come back."""

from __future__ import annotations

import hmac

from facepuppet.core.clock import Clock
from facepuppet.server.join_limits import PerMinute
from facepuppet.server.seat import Seat, WatchAddress
from facepuppet.server.token_file import Token

_BACK_S = 120.0  # in which somebody whose session has ended may come back
_RETURNS_PER_MINUTE = 15  # with one ticket, whose holder is no newcomer


class SeatBook:
    """All sessions from their join to their end.

    Args:
        clock: tells when.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, Seat] = {}
        self._watched: dict[str, Seat] = {}  # by the address's name
        self._tickets: dict[str, Seat] = {}
        self._lost: dict[str, tuple[WatchAddress, Token, int]] = {}  # by ticket; and until when
        self._returns: dict[str, PerMinute] = {}  # by ticket

    def __len__(self) -> int:
        return len(self._sessions)

    def seats(self) -> list[Seat]:
        """Return all of them."""
        return list(self._sessions.values())

    def add(self, seat: Seat) -> None:
        """Write one in; its address leads to it from now on."""
        self._sessions[seat.session] = seat
        self._lost.pop(seat.address.back, None)
        self._watched[seat.address.name] = self._tickets[seat.address.back] = seat

    def remove(self, seat: Seat, *, may_return: bool) -> bool:
        """Strike one out; False where that has happened already.

        Args:
            seat: the session.
            may_return: whether its person may come back as such.
        """
        if self._sessions.pop(seat.session, None) is None:
            return False
        if self._watched.get(seat.address.name) is seat:
            del self._watched[seat.address.name], self._tickets[seat.address.back]
            if may_return:
                until_ns = self._clock.now_ns() + round(_BACK_S * 1e9)
                self._lost[seat.address.back] = seat.address, seat.token, until_ns
            else:
                self._returns.pop(seat.address.back, None)
        self._forget()
        return True

    def get(self, session: str) -> Seat | None:
        """Return one by its id."""
        return self._sessions.get(session)

    def with_ticket(self, back: str) -> Seat | None:
        """Return the session whose person has this ticket."""
        return self._tickets.get(back)

    def may_return(self, back: str) -> bool:
        """Say whether somebody's ticket was not used too often within a minute; counts it as used."""
        self._forget()
        rate = self._returns.setdefault(back, PerMinute(_RETURNS_PER_MINUTE, self._clock))
        return rate.take() == 0

    def lost_address(self, back: str, token: Token) -> WatchAddress | None:
        """Return where somebody was watched who was inside a moment ago; None for others."""
        self._forget()
        address, whose, _ = self._lost.get(back, (None, None, 0))
        return address if whose == token else None

    def _forget(self) -> None:
        """Forget tickets that are too old; the oldest stand first."""
        now_ns = self._clock.now_ns()
        while self._lost and next(iter(self._lost.values()))[2] <= now_ns:
            self._returns.pop(self._lost.pop(next(iter(self._lost)))[0].back, None)

    def to_watch(self, name: str, key: str) -> Seat | None:
        """Return the session that somebody may watch by an address; None by another."""
        seat = self._watched.get(name)
        known = "" if seat is None else seat.address.key
        fits = hmac.compare_digest(known.encode(), key.encode("utf-8", "surrogatepass"))
        return seat if fits and known else None
