"""One WebRTC connection to a peer that made an offer: what this host answers, and when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.sdp import SessionDescription

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import IceServer

_PATIENCE_S = 10.0  # for STUN and TURN servers to answer
CHANNEL = "puppet"


class PeerConnection:
    """Answers one offer, and hands over what comes.

    Args:
        offer: SDP.
        ice_servers: none at all if empty; aiortc by itself would ask a public one.
        on_track: called with each track that the peer sends.
        on_channel: called with its data channel.
    """

    def __init__(
        self,
        offer: str,
        ice_servers: Sequence[IceServer] = (),
        on_track: Callable[[MediaStreamTrack], None] = lambda track: None,
        on_channel: Callable[[RTCDataChannel], None] = lambda channel: None,
    ) -> None:
        servers = [RTCIceServer(one.url, one.username or None, one.credential or None) for one in ice_servers]
        self._offer, self._on_channel = offer, on_channel
        self._connection = connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.closed = asyncio.Event()
        self.connected = asyncio.Event()
        connection.on("track", on_track)
        connection.on("datachannel", self._opened)
        connection.on("connectionstatechange", self._changed)

    async def answer(self, tracks: Sequence[MediaStreamTrack]) -> str:
        """Send tracks, as far as the offer wants them, and return the answer.

        Raises:
            ServerError: the offer will not do.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                wanted = _wanted_kinds(self._offer)
                await self._connection.setRemoteDescription(RTCSessionDescription(self._offer, "offer"))
                for track in tracks:
                    if track.kind in wanted:
                        self._connection.addTrack(track)
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except TimeoutError as error:
            raise ServerError(
                f"no answer from the ICE servers in {_PATIENCE_S:g} s",
                "servers that answer",
                "See --ice-server.",
            ) from error
        # Whatever an SDP holds that aiortc does not expect: it checks little, and says so in many ways.
        except (
            ValueError,
            InvalidStateError,
            AttributeError,
            LookupError,
            TypeError,
            AssertionError,
        ) as error:
            raise ServerError(
                f"an offer that cannot be answered ({type(error).__name__})",
                "SDP of a browser or another WebRTC peer, with VP8 or H.264",
                "Load the page again, or use another browser.",
            ) from error
        return str(self._connection.localDescription.sdp)

    async def close(self) -> None:
        """End it, and let the peer know."""
        self.closed.set()
        await self._connection.close()

    async def transport_bytes(self) -> tuple[int, int]:
        """Return how many bytes were received and sent."""
        report = await self._connection.getStats()
        transports = [one for one in report.values() if one.type == "transport"]
        return sum(one.bytesReceived for one in transports), sum(one.bytesSent for one in transports)

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            self._on_channel(channel)

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.connected.set()
        if state in ("failed", "closed"):
            self.closed.set()


def _wanted_kinds(offer: str) -> set[str]:
    """Return of what kinds of media a peer offers to receive."""
    media = SessionDescription.parse(offer).media
    return {one.kind for one in media if one.direction in ("sendrecv", "recvonly")}
