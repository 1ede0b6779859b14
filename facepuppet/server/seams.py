"""What the reception needs of hosts, and hosts of the reception; Ray Serve lies between, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from facepuppet.server.messages import Errand, Join, Over, Told


class Hosts(Protocol):
    """Where puppets perform; the reception's side."""

    def perform(self, join: Join) -> AsyncIterator[Told]:
        """Give somebody a place, as soon as there is one, and tell how it goes.

        The iterator's first item is an Answered, or an Over. It ends after its Over. Whoever closes it
        early lets the session run on for as long as its peer is there. A host that is lost ends it with
        Over(Why.LOST, …, again=True): implementations turn their errors into that.
        """

    async def seats(self) -> tuple[int, int]:
        """Return how many places there are now, and how many of them are taken."""


class Desk(Protocol):
    """What a host may ask of the reception."""

    async def avatar(self, sha256: str) -> bytes:
        """Return the file of a portrait or pack that a Join named.

        Raises:
            ServerError: there is none of that digest any more.
        """

    async def errands(self, session: str) -> list[Errand]:
        """Wait up to some 20 s for errands of a session, and return them: perhaps none.

        While the host asks, the reception takes the session for alive.
        """

    async def answer(self, errand: str, answer: str | Over) -> None:
        """Answer a Watch: SDP, or why not."""

    async def revoked(self) -> frozenset[str]:
        """Return the revocation list's entries, as they are now (`portrait.consent.Revocations`)."""
