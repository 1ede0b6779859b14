"""Small hosts for a reception's tests: one that only answers, and one that really sends a moving picture."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

from facepuppet.server.messages import (
    Announce,
    Answered,
    DrivenBy,
    Errand,
    Join,
    Leave,
    Over,
    Told,
    Unwatch,
    Watch,
    Why,
)
from facepuppet.server.seams import Desk

NOWHERE = RTCConfiguration(iceServers=[])
ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97 98\r\n"
    "a=rtpmap:97 VP8/90000\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n"
)


class AnsweringHosts:
    """Places where nobody performs: each session is answered, and lasts until it is told to leave.

    Args:
        places: how many there are.

    Attributes:
        desk: the reception, once there is one.
        inside: sessions that have a place, by id.
        asked: every Join that came.
        errands: what each session was told to do.
        denials: what is told before anything else, to whoever comes first.
        fetches: whether hosts ask for errands.
    """

    def __init__(self, places: int = 10) -> None:
        self.places, self.desk = places, _NoDesk()
        self.inside: dict[str, asyncio.Event] = {}
        self.asked: list[Join] = []
        self.errands: dict[str, list[Errand]] = {}
        self.denials: list[Over] = []
        self.fetches = True
        self.over: dict[str, Over] = {}
        self._line: list[str] = []

    async def seats(self) -> tuple[int, int]:
        """Tell of the places."""
        return self.places, len(self.inside)

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """Answer as soon as there is a place, and stay."""
        self.asked.append(join)
        if self.denials:
            yield self.denials.pop(0)
            return
        ended = await self._place(join)
        fetching = asyncio.create_task(self._fetch(join.session)) if self.fetches else None
        try:
            yield Answered(ANSWER)
            await ended.wait()
        finally:
            del self.inside[join.session]
            if fetching is not None:
                fetching.cancel()
        yield self.over.get(join.session, Over(Why.LOST, "the host was lost", again=True))

    def lose(self, session: str) -> None:
        """End a session as a host does that dies."""
        self.over[session] = Over(Why.LOST, "the host was lost", again=True)
        self.inside[session].set()

    async def _place(self, join: Join) -> asyncio.Event:
        """Wait for a place, first come, first served; returns what ends the session."""
        self._line.append(join.session)
        try:
            while self._line[0] != join.session or len(self.inside) >= self.places:
                await asyncio.sleep(0.02)
            ended = self.inside[join.session] = asyncio.Event()
        finally:
            self._line.remove(join.session)
        return ended

    async def _fetch(self, session: str) -> None:
        while True:
            for errand in await self.desk.errands(session):
                self.errands.setdefault(session, []).append(errand)
                await self._do(session, errand)

    async def _do(self, session: str, errand: Errand) -> None:
        if isinstance(errand, Leave):
            self.over[session] = errand.over
            if session in self.inside:
                self.inside[session].set()
        elif isinstance(errand, Watch):
            await self.desk.answer(errand.errand, ANSWER)


class MovingPicture(VideoStreamTrack):
    """A bar that moves across a field, 30 times a second; its colour is the driver's kind."""

    COLOURS: ClassVar = {
        DrivenBy.CAMERA: (40, 90, 200),
        DrivenBy.VOICE: (30, 140, 80),
        DrivenBy.TEXT: (150, 80, 160),
    }

    def __init__(self, driven_by: DrivenBy, size_px: tuple[int, int]) -> None:
        super().__init__()
        self._colour, self._size_px, self._n = self.COLOURS[driven_by], size_px, 0

    async def recv(self) -> VideoFrame:
        """Return the next picture, when it is due."""
        pts, time_base = await self.next_timestamp()
        width, height = self._size_px
        rgb = np.empty((height, width, 3), np.uint8)
        rgb[:] = self._colour
        left = self._n * 8 % (width - 40)
        rgb[:, left : left + 40] = 235
        self._n += 1
        frame = VideoFrame.from_ndarray(rgb, "rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class MovingHosts(AnsweringHosts):
    """Places that send a `MovingPicture` by WebRTC, tell how they are, and let others watch.

    Attributes:
        peers: connections of sessions, by id.
        received: pictures that a session's page sent, (width, height) each.
        said: what pages said on their data channels.
        silent: whether hosts tell nothing on data channels.
        face, light: that they tell of.
    """

    def __init__(self, places: int = 10) -> None:
        super().__init__(places)
        self.peers: dict[str, RTCPeerConnection] = {}
        self.watchers: dict[str, RTCPeerConnection] = {}
        self.received: dict[str, list[tuple[int, int]]] = {}
        self.said: list[dict[str, Any]] = []
        self.channels: list[Any] = []
        self.silent, self.face, self.light = False, True, 0.5
        self._tasks: set[asyncio.Task[None]] = set()

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """Answer as soon as there is a place, and send until the peer is gone."""
        self.asked.append(join)
        ended = await self._place(join)
        peer = self.peers[join.session] = RTCPeerConnection(NOWHERE)
        fetching = asyncio.create_task(self._fetch(join.session))
        self._listen(join.session, peer, ended)
        track = MovingPicture(join.driven_by, join.picture.size_px)
        try:
            yield Answered(await answered(peer, join.offer, track))
            await ended.wait()
        finally:
            fetching.cancel()
            del self.inside[join.session], self.peers[join.session]
            await peer.close()
        yield self.over.get(join.session, Over(Why.LOST, "the host was lost", again=True))

    async def close(self) -> None:
        """End all."""
        for ended in list(self.inside.values()):
            ended.set()
        for peer in [*self.watchers.values(), *self.peers.values()]:
            await peer.close()
        for task in self._tasks:
            task.cancel()

    async def _do(self, session: str, errand: Errand) -> None:
        if isinstance(errand, Watch):
            peer = self.watchers[errand.errand] = RTCPeerConnection(NOWHERE)
            join = next(one for one in self.asked if one.session == session)
            track = MovingPicture(join.driven_by, join.picture.size_px)
            await self.desk.answer(errand.errand, await answered(peer, errand.offer, track))
        elif isinstance(errand, Unwatch) and errand.errand in self.watchers:
            await self.watchers.pop(errand.errand).close()
        elif isinstance(errand, Announce):
            self.tell({"note": errand.sentence})
        else:
            await super()._do(session, errand)

    def tell(self, values: dict[str, Any]) -> None:
        """Say something on all open data channels."""
        for channel in self.channels:
            if channel.readyState == "open":
                channel.send(json.dumps(values))

    def _listen(self, session: str, peer: RTCPeerConnection, ended: asyncio.Event) -> None:
        @peer.on("connectionstatechange")
        def changed() -> None:
            if peer.connectionState in ("closed", "failed"):
                self.over.setdefault(session, Over(Why.LEFT, "the person went"))
                ended.set()

        @peer.on("track")
        def heard(track: Any) -> None:
            if track.kind == "video":
                self._begin(self._look(session, track))

        @peer.on("datachannel")
        def opened(channel: Any) -> None:
            self.channels.append(channel)
            channel.on("message", lambda text: self.said.append(json.loads(text)))
            self._begin(self._tell_status(channel))

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, session: str, track: Any) -> None:
        with suppress(Exception):  # the track has ended
            while True:
                frame = await track.recv()
                self.received.setdefault(session, []).append((frame.width, frame.height))

    async def _tell_status(self, channel: Any) -> None:
        status = {"fps": 29.8, "delay_ms": 63, "size": [640, 360], "asked_fps": 30, "step": "full"}
        while channel.readyState == "open":
            if not self.silent:
                now = {"face": self.face, "light": self.light, "watchers": len(self.watchers)}
                channel.send(json.dumps({"status": {**status, **now}}))
            await asyncio.sleep(0.5)


async def answered(peer: RTCPeerConnection, offer: str, track: VideoStreamTrack) -> str:
    """Answer an offer with a picture."""
    peer.addTrack(track)
    await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return str(peer.localDescription.sdp)


class _NoDesk:
    """A desk before there is a reception."""

    async def avatar(self, sha256: str) -> bytes:
        raise AssertionError

    async def errands(self, session: str) -> list[Errand]:
        raise AssertionError

    async def answer(self, errand: str, answer: str | Over) -> None:
        raise AssertionError

    async def revoked(self) -> frozenset[str]:
        raise AssertionError


def as_desk(reception: Desk) -> Desk:
    """Return a reception as its hosts see it; for the type checker."""
    return reception
