"""One WebRTC connection to a peer that made an offer: what this host answers, and when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.sdp import SessionDescription

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import IceServer

_PATIENCE_S = 10.0  # for STUN and TURN servers to answer
_CLOSE_S = 3.0
CHANNEL = "puppet"

OnTrack: TypeAlias = Callable[[MediaStreamTrack, RTCRtpReceiver | None], None]


class PeerConnection:
    """Answers one offer, and hands over what comes.

    Args:
        offer: SDP.
        ice_servers: none at all if empty; aiortc by itself would ask a public one.
        on_track: called with each track that the peer sends, and what receives it.
        on_channel: called with its data channel.
    """

    def __init__(
        self,
        offer: str,
        ice_servers: Sequence[IceServer] = (),
        on_track: OnTrack = lambda track, receiver: None,
        on_channel: Callable[[RTCDataChannel], None] = lambda channel: None,
    ) -> None:
        servers = [RTCIceServer(one.url, one.username or None, one.credential or None) for one in ice_servers]
        self._offer, self._on_channel = offer, on_channel
        self._connection = connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.closed = asyncio.Event()
        self.connected = asyncio.Event()
        connection.on("track", lambda track: on_track(track, self._receiver_of(track)))
        connection.on("datachannel", self._opened)
        connection.on("connectionstatechange", self._changed)

    async def answer(self, tracks: Sequence[MediaStreamTrack]) -> str:
        """Send tracks, as far as the offer wants them, and return the answer.

        Raises:
            ServerError: the offer will not do.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                wanted = self._wanted_kinds()
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
        # aiortc waits for tasks of its own: for ever where they were cancelled, as by a loop that closes.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._connection.close()

    async def transport_bytes(self) -> tuple[int, int]:
        """Return how many bytes were received and sent."""
        report = await self._connection.getStats()
        transports = [one for one in report.values() if one.type == "transport"]
        return sum(one.bytesReceived for one in transports), sum(one.bytesSent for one in transports)

    def _wanted_kinds(self) -> set[str]:
        """Return of what kinds of media the peer offers to receive.

        Raises:
            ServerError: the offer is of no pictures at all, which aiortc would answer all the same.
        """
        media = SessionDescription.parse(self._offer).media
        if not any(one.kind == "video" for one in media):
            raise ServerError(
                "an offer without pictures", "one media section of video", "Load the page again."
            )
        return {one.kind for one in media if one.direction in ("sendrecv", "recvonly")}

    def _receiver_of(self, track: MediaStreamTrack) -> RTCRtpReceiver | None:
        receivers = self._connection.getReceivers()
        return next((one for one in receivers if one.track is track), None)

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            self._on_channel(channel)

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.connected.set()
        if state in ("failed", "closed"):
            self.closed.set()
