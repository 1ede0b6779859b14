"""A reception for tools: of the sample portrait alone, and it wants nothing of its hosts."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from facepuppet.portrait import sample_consents, sample_portrait_path
from facepuppet.server import Errand, Join, Over


class SampleDesk:
    """What hosts ask, answered for the sample portrait."""

    async def avatar(self, sha256: str) -> bytes:
        """Return the portrait."""
        return sample_portrait_path().read_bytes()

    async def errands(self, session: str) -> list[Errand]:
        """Have none, after a while."""
        await asyncio.sleep(20)
        return []

    async def answer(self, errand: str, answer: str | Over) -> None:
        """Take none."""

    async def revoked(self) -> frozenset[str]:
        """Know of none."""
        return frozenset()


def join_of(session: str, offer: str, **how: Any) -> Join:
    """Return somebody who comes to wear the sample portrait.

    Args:
        session: its id.
        offer: SDP.
        how: further fields of the Join.
    """
    portrait = sample_portrait_path()
    sha256 = hashlib.sha256(portrait.read_bytes()).hexdigest()
    consent = next(one for one in sample_consents() if one.claim.portrait_sha256 == sha256)
    return Join(session, offer, sha256, portrait.name, consent.to_json(), **how)
