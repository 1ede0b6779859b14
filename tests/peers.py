"""WebRTC peers of one process, which meet over loopback, for tests of the server."""

from __future__ import annotations

import asyncio
import fractions
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from facepuppet.server.packets_held import hold_less

RATE_HZ, BLOCK = 48_000, 960
BLOCK_S = BLOCK / RATE_HZ
OPUS = 312  # samples by which what was encoded is later than its time stamps
F32 = NDArray[np.float32]


@asynccontextmanager
async def two_peers() -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection]]:
    """Two connections that ask no server; closed at the end."""
    here, there = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    try:
        yield here, there
    finally:
        await asyncio.gather(here.close(), there.close())


async def connect(caller: RTCPeerConnection, called: RTCPeerConnection) -> None:
    """Let one call the other."""
    await caller.setLocalDescription(await caller.createOffer())
    await called.setRemoteDescription(caller.localDescription)
    await called.setLocalDescription(await called.createAnswer())
    await caller.setRemoteDescription(called.localDescription)


def receiver_of(connection: RTCPeerConnection, track: MediaStreamTrack) -> object:
    """What receives a track."""
    return next(one for one in connection.getReceivers() if one.track is track)


class Microphone(MediaStreamTrack):
    """Sound (n,) over and over, each 20 ms of it when they have been spoken.

    Attributes:
        begun_s: when the first sample was spoken, on time.monotonic(); 0 before.
    """

    kind = "audio"

    def __init__(self, sound: F32) -> None:
        super().__init__()
        self.begun_s, self._n = 0.0, 0
        self._samples = np.round(32_767 * sound).astype(np.int16)

    async def recv(self) -> av.AudioFrame:
        """Wait for the next 20 ms."""
        if self.readyState != "live":
            raise MediaStreamError
        self.begun_s = self.begun_s or time.monotonic()
        await asyncio.sleep(max(0.0, self.begun_s + (self._n + 1) * BLOCK_S - time.monotonic()))
        block = np.take(self._samples, np.arange(self._n * BLOCK, (self._n + 1) * BLOCK), mode="wrap")
        frame = frame_of(block, self._n * BLOCK)
        self._n += 1
        return frame


class Ear:
    """Hears a track that came over the network.

    Attributes:
        blocks: when each frame was sent, about, on time.monotonic(), and its sound (n,).
    """

    def __init__(self) -> None:
        self.blocks: list[tuple[float, F32]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def listen_to(self, connection: RTCPeerConnection) -> None:
        """Hear what a connection is sent."""
        connection.on(
            "track", lambda track: self.tasks.append(asyncio.ensure_future(self._hear(connection, track)))
        )

    @property
    def loud_s(self) -> float:
        """How much of what came was loud."""
        return sum(float(np.count_nonzero(abs(sound) > 0.02)) for _, sound in self.blocks) / RATE_HZ

    async def _hear(self, connection: RTCPeerConnection, track: MediaStreamTrack) -> None:
        held = hold_less(receiver_of(connection, track))  # type: ignore[arg-type]
        try:
            while True:
                frame = await track.recv()
                sound = frame.to_ndarray().reshape(frame.samples, -1)[:, 0] / np.float32(32_768)
                self.blocks.append((time.monotonic() - held * BLOCK_S, sound))
        except MediaStreamError:
            return


def frame_of(samples: NDArray[np.int16], pts: int, hz: int = RATE_HZ, layout: str = "mono") -> av.AudioFrame:
    """A frame of 16 bits, channels one after another in each sample."""
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = hz, fractions.Fraction(1, hz), pts
    return frame


def clicks(seconds: float, every_s: float) -> F32:
    """2 ms of 2 kHz, every so often: (n,)."""
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    click = 0.6 * np.sin(2 * np.pi * 2000 * np.arange(96) / RATE_HZ)
    for at in range(round(every_s * RATE_HZ / 2), len(sound) - 96, round(every_s * RATE_HZ)):
        sound[at : at + 96] = click
    return sound
