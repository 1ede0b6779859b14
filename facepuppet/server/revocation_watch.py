"""The revocation list, read again and again while people perform."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from facepuppet.core.clock import Clock
from facepuppet.core.errors import ConsentError
from facepuppet.portrait.consent.revocation import Revocations

_FRESH_S = 20.0

log = logging.getLogger(__name__)


class RevocationWatch:
    """Knows what may not be shown any more, as of 20 s ago at most.

    Args:
        path: a list besides this machine's own.
        clock: tells when.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._list = Revocations()
        self._problem: ConsentError | None = None
        self._read_ns: int | None = None
        self._good_ns = clock.now_ns()
        self._reading = asyncio.Lock()

    @property
    def newest(self) -> Revocations:
        """What was read last."""
        return self._list

    @property
    def blind_s(self) -> float:
        """For how long the list could not be read; 0 where it could, the last time."""
        return (self._clock.now_ns() - self._good_ns) / 1e9 if self._problem else 0.0

    async def fresh(self) -> Revocations:
        """Return the list, read again where that is due.

        Raises:
            ConsentError: it cannot be read: what cannot be understood might be a revocation.
        """
        async with self._reading:
            if self._read_ns is None or self._clock.now_ns() - self._read_ns >= _FRESH_S * 1e9:
                await self._read()
        if self._problem is not None:
            raise self._problem
        return self._list

    async def _read(self) -> None:
        was = self._problem
        try:
            self._list = await asyncio.to_thread(Revocations.load, self._path)
            self._problem, self._good_ns = None, self._clock.now_ns()
        except ConsentError as error:
            self._problem = error
            if was is None:
                log.error("nobody new may come in: %s", error)
        self._read_ns = self._clock.now_ns()
