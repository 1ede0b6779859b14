"""uvicorn as a guest of a live show: it takes few file handles, and wakes for requests alone."""

from __future__ import annotations

import asyncio

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
_PATIENCE_S = 10.0  # for the head of a request, once connected


class BoundedHttp(H11Protocol):
    """Closes what is one too many, or says nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or end it at once where there are enough."""
        enough = len(self.connections) >= MOST_CONNECTIONS
        super().connection_made(transport)
        if enough:
            transport.abort()
        else:
            self.loop.call_later(_PATIENCE_S, self._end_if_silent)

    def _end_if_silent(self) -> None:
        if self in self.connections and getattr(self, "cycle", None) is None:  # no request has come
            self.transport.abort()


class QuietServer(uvicorn.Server):
    """Waits to be told to quit, where uvicorn's own looks ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def quit(self) -> None:
        """End; from the loop's own thread."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Serve until told to quit."""
        await self.on_tick(0)  # sets the headers that every answer has
        await self._told.wait()
