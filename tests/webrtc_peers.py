"""Peers for tests of the server: real WebRTC connections over loopback, and a reception of one session."""

from __future__ import annotations

import asyncio
import fractions
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import av
import numpy as np
import pytest

pytest.importorskip("aiortc", reason="needs the extra facepuppet[server]")

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from pictures import astronaut_rgb

from facepuppet.core.errors import ServerError
from facepuppet.core.types import U8
from facepuppet.portrait.consent.sample import sample_consents
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.server.messages import Answered, Errand, Join, Over, Told, Watch

T = TypeVar("T")
PORTRAIT = sample_portrait_path()
DATA = PORTRAIT.read_bytes()
SHA = hashlib.sha256(DATA).hexdigest()
CONSENT = next(one for one in sample_consents() if one.claim.portrait_sha256 == SHA)
OFFLINE = RTCConfiguration(iceServers=[])


class OneDesk:
    """A reception for one portrait: errands are put, answers looked up."""

    def __init__(self) -> None:
        self.entries: frozenset[str] = frozenset()
        self.waiting: asyncio.Queue[Errand] = asyncio.Queue()
        self.answers: dict[str, str | Over] = {}
        self.answered = asyncio.Event()

    async def avatar(self, sha256: str) -> bytes:
        if sha256 != SHA:
            raise ServerError("a portrait that is gone", "one of the shelf", "Choose another.")
        return DATA

    async def errands(self, session: str) -> list[Errand]:
        with suppress(TimeoutError):
            return [await asyncio.wait_for(self.waiting.get(), 20)]
        return []

    async def answer(self, errand: str, answer: str | Over) -> None:
        self.answers[errand] = answer
        self.answered.set()

    async def revoked(self) -> frozenset[str]:
        return self.entries

    async def ask(self, errand: Watch) -> str | Over:
        """Hand in a Watch, and wait for its answer."""
        self.answered.clear()
        self.waiting.put_nowait(errand)
        await asyncio.wait_for(self.answered.wait(), 20)
        return self.answers[errand.errand]


class FaceTrack(MediaStreamTrack):
    """Somebody before a camera, swaying."""

    kind = "video"

    def __init__(
        self, size_px: tuple[int, int] = (640, 360), fps: float = 30.0, rgb: U8 | None = None
    ) -> None:
        super().__init__()
        self._pictures = [_framed(astronaut_rgb() if rgb is None else rgb, size_px, shift) for shift in _SWAY]
        self._fps, self._n, self._begun_s = fps, 0, 0.0

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._begun_s = self._begun_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._begun_s + self._n / self._fps - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._pictures[self._n % len(self._pictures)], format="rgb24")
        frame.pts, frame.time_base = round(self._n * 90_000 / self._fps), fractions.Fraction(1, 90_000)
        self._n += 1
        return frame


class Client:
    """A page without a page: sends pictures, sees the puppet, talks on the data channel.

    Attributes:
        seen: what came, (H, W, 3) each, at most the newest 300.
        n: how many came.
        told: messages of the data channel.
    """

    def __init__(self, *tracks: MediaStreamTrack, watches: bool = False, talks: bool = True) -> None:
        self.connection = RTCPeerConnection(OFFLINE)
        self.seen: list[U8] = []
        self.n = 0
        self.answer = ""
        self.told: list[dict[str, Any]] = []
        self._readers: list[asyncio.Task[None]] = []
        for track in tracks:
            self.connection.addTrack(track)
        if watches:
            self.connection.addTransceiver("video", "recvonly")
        self.channel = self.connection.createDataChannel("puppet") if talks else None
        if self.channel is not None:
            self.channel.on("message", lambda text: self.told.append(json.loads(text)))
        self.connection.on("track", self._on_track)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def take(self, answer: str) -> None:
        self.answer = answer
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    @property
    def address(self) -> str:
        """Of the host, as its answer says."""
        return next(line.split()[4] for line in self.answer.splitlines() if "candidate" in line)

    def say(self, message: dict[str, Any] | str | bytes) -> None:
        assert self.channel is not None
        self.channel.send(json.dumps(message) if isinstance(message, dict) else message)

    def notes(self) -> list[str]:
        return [one["note"] for one in self.told if "note" in one]

    async def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.connection.close()
        for reader in self._readers:
            reader.cancel()

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._readers.append(asyncio.ensure_future(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                self.n += 1
                self.seen = [*self.seen[-299:], frame.to_ndarray(format="rgb24")]


def join_of(offer: str, **changes: Any) -> Join:
    """A Join for the sample portrait."""
    values = {"session": "one", "avatar": SHA, "avatar_name": PORTRAIT.name, "consent": CONSENT.to_json()}
    return Join(offer=offer, **{**values, "number": 7, **changes})


@asynccontextmanager
async def joined(host: Any, client: Client, **changes: Any) -> AsyncIterator[AsyncIterator[Told]]:
    """Let a client in, and see that it leaves."""
    told = host.perform(join_of(await client.offer(), **changes))
    first = await anext(told)
    assert isinstance(first, Answered), first
    await client.take(first.sdp)
    try:
        yield told
    finally:
        await client.close()
        await client.until(lambda: host.taken == 0)  # or the loop ends while the session still does


def run(work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
    """Run a test's work in a loop of its own."""
    return asyncio.run(asyncio.wait_for(work, seconds))


_SWAY = (0, 2, 4, 6, 8, 6, 4, 2)


def _framed(rgb: U8, size_px: tuple[int, int], shift_px: int) -> U8:
    """A picture of the size, the face in its middle, a little aside."""
    import cv2

    width, height = size_px
    side = min(width, height)
    face = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 90, np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    canvas[top : top + side, left : left + side] = face
    return np.ascontiguousarray(np.roll(canvas, shift_px, axis=1))
