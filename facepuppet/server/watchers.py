"""Those who watch a session's puppet: a connection each, that only sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiortc import MediaStreamTrack

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import IceServer, Over, Why
from facepuppet.server.peer_connection import PeerConnection
from facepuppet.server.peer_presence import COMES_S

MOST_WATCHERS = 4  # each costs an encoder


class Watchers:
    """The watchers of one session; made and used in one event loop.

    Args:
        tracks: returns new tracks of the puppet, for a watcher.
        ice_servers: as of the session.
    """

    def __init__(
        self, tracks: Callable[[], list[MediaStreamTrack]], ice_servers: Sequence[IceServer] = ()
    ) -> None:
        self._tracks, self._ice_servers = tracks, ice_servers
        self._peers: dict[str, PeerConnection] = {}
        self._until_gone: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def peers(self) -> tuple[PeerConnection, ...]:
        """A connection for each."""
        return tuple(self._peers.values())

    async def answer(self, name: str, offer: str) -> str | Over:
        """Let somebody watch, and return the answer to the offer, or why they may not."""
        if len(self._peers) >= MOST_WATCHERS:
            return Over(Why.FULL, f"{MOST_WATCHERS} watch already; no more can.")
        peer = PeerConnection(offer, self._ice_servers)
        try:
            sdp = await peer.answer(self._tracks())
        except ServerError as problem:
            await peer.close()
            return Over(Why.REFUSED, str(problem))
        except BaseException:
            await peer.close()
            raise
        self._peers[name] = peer
        task = asyncio.ensure_future(self._wait_until_gone(name, peer))
        self._until_gone.add(task)
        task.add_done_callback(self._until_gone.discard)
        return sdp

    async def leave(self, name: str) -> None:
        """Let one go; one that is not there is no matter."""
        peer = self._peers.pop(name, None)
        if peer is not None:
            await peer.close()

    async def close(self) -> None:
        """Let all go."""
        waiting = tuple(self._until_gone)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.gather(*(self.leave(name) for name in tuple(self._peers)))

    async def _wait_until_gone(self, name: str, peer: PeerConnection) -> None:
        try:
            async with asyncio.timeout(COMES_S):
                await peer.connected.wait()
            await peer.closed.wait()
        except TimeoutError:
            pass
        await self.leave(name)
