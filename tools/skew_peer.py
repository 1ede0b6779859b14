"""The peer of `serve_sound_skew.py`: sends mouths that open and clicks, and finds both in what comes back."""

from __future__ import annotations

import asyncio
import fractions
import json
import random
import sys
import time
from collections.abc import Callable

import av
import cv2
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from facepuppet.core import Expression, HeadPose
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes
from facepuppet.frames import Composer
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.server import DrivenBy, hold_less
from facepuppet.session import Puppet

AS_PEER = "--as-peer"
EVERY_S, OPEN_S, WARM_S = 1.5, 0.5, 8.0
FPS, RATE_HZ, BLOCK = 30, 48_000, 960
BLOCK_S = BLOCK / RATE_HZ
MOUTH_ALONE = (
    {"do": "voice-region", "values": {"region": "mouth"}},
    {"do": "voice-intensity", "values": {"amount": 2.0}},
)
_SMALL_PX = (160, 90)
_LOUD = 0.05  # of full scale
_GAP_S = 0.3  # of silence before a sound that counts as new
F32 = NDArray[np.float32]


async def be_peer(size_px: tuple[int, int], seconds: float, lose: float, driven_by: DrivenBy) -> int:
    """Offer on standard output, take the answer on standard input, and tell at the end what was found."""
    begun_s = time.monotonic() + 1.0
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    found = Found()
    peer.on("track", lambda track: found.take(peer, track))
    talk = peer.createDataChannel("puppet")
    if driven_by is DrivenBy.CAMERA:
        peer.addTrack(Mouths(size_px, begun_s))
        peer.addTrack(Sounds(click(), begun_s))
    else:
        peer.addTransceiver("video", direction="recvonly")
        peer.addTrack(Sounds(vowel(), begun_s))
    await peer.setLocalDescription(await peer.createOffer())
    print(json.dumps(peer.localDescription.sdp), flush=True)
    answer = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    for sender in peer.getSenders():
        drop(sender, lose)
    if driven_by is DrivenBy.VOICE:
        talk.on("open", lambda: [talk.send(json.dumps(one)) for one in MOUTH_ALONE])
    for i in range(round(WARM_S + seconds)):
        if talk.readyState == "open":
            talk.send(json.dumps({"alive": i}))
        await asyncio.sleep(1.0)
    end_s = time.monotonic() - 1.0
    moments_s = np.arange(begun_s, end_s, EVERY_S)
    moments_s = moments_s[moments_s > begun_s + WARM_S]
    fps = sum(one > end_s - seconds for one, _ in found.pictures) / seconds
    at_s, seen = (np.array(some) for some in zip(*found.pictures, strict=True))
    opened_s = opened(at_s, seen, moments_s)
    told = {"moments_s": list(moments_s), "opened_s": opened_s, "heard_s": found.heard_s}
    print(json.dumps({**told, "fps": fps}), flush=True)
    await peer.close()
    return 0


class Mouths(MediaStreamTrack):
    """The sample portrait as the driver, shut, and open for a while every so often."""

    kind = "video"

    def __init__(self, size_px: tuple[int, int], begun_s: float) -> None:
        super().__init__()
        self._begun_s, self._n = begun_s, 0
        self._pictures = shown_mouths(size_px)

    async def recv(self) -> av.VideoFrame:
        """Wait for the next picture."""
        await asyncio.sleep(max(0.0, self._begun_s + self._n / FPS - time.monotonic()))
        is_open = self._n / FPS % EVERY_S < OPEN_S - 0.5 / FPS
        frame = av.VideoFrame.from_ndarray(self._pictures[is_open], format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = self._n * 90_000 // FPS, fractions.Fraction(1, 90_000)
        self._n += 1
        return frame


class Sounds(MediaStreamTrack):
    """A sound (n,) that begins every so often."""

    kind = "audio"

    def __init__(self, sound: F32, begun_s: float) -> None:
        super().__init__()
        self._begun_s, self._n = begun_s, 0
        self._samples = np.zeros(round(EVERY_S * RATE_HZ), np.int16)
        self._samples[: len(sound)] = np.round(32_767 * sound)

    async def recv(self) -> av.AudioFrame:
        """Wait until the next 20 ms have been heard."""
        await asyncio.sleep(max(0.0, self._begun_s + (self._n + 1) * BLOCK_S - time.monotonic()))
        places = np.arange(self._n * BLOCK, (self._n + 1) * BLOCK)
        block = np.take(self._samples, places, mode="wrap")[None]
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE_HZ, fractions.Fraction(1, RATE_HZ)
        frame.pts = self._n * BLOCK
        self._n += 1
        return frame


class Found:
    """What came back.

    Attributes:
        pictures: when each was sent, about, and what it was, small and grey.
        heard_s: when sounds that began after silence were sent.
    """

    def __init__(self) -> None:
        self.pictures: list[tuple[float, F32]] = []
        self.heard_s: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []

    def take(self, peer: RTCPeerConnection, track: MediaStreamTrack) -> None:
        """Look at a track, or listen to it."""
        receiver = next(one for one in peer.getReceivers() if one.track is track)
        work = self._look(track) if track.kind == "video" else self._listen(track, hold_less(receiver))
        self._tasks.append(asyncio.ensure_future(work))

    async def _look(self, track: MediaStreamTrack) -> None:
        handed_s = time.monotonic()
        try:
            while True:
                frame = await track.recv()
                before_s, handed_s = handed_s, time.monotonic()
                grey = cv2.resize(frame.to_ndarray(format="gray"), _SMALL_PX, interpolation=cv2.INTER_AREA)
                self.pictures.append((before_s, grey.astype(np.float32)))
        except MediaStreamError:
            return

    async def _listen(self, track: MediaStreamTrack, held: int) -> None:
        loud_s = 0.0
        try:
            while True:
                frame = await track.recv()
                sent_s = time.monotonic() - held * BLOCK_S
                sound = frame.to_ndarray().reshape(frame.samples, -1)[:, 0] / 32_768
                loud = np.flatnonzero(abs(sound) > _LOUD)
                if not len(loud):
                    continue
                if sent_s - loud_s > _GAP_S:
                    self.heard_s.append(sent_s + loud[0] / RATE_HZ)
                loud_s = sent_s
        except MediaStreamError:
            return


def opened(at_s: NDArray[np.float64], seen: F32, moments_s: NDArray[np.float64]) -> list[float]:
    """When pictures that have a mouth half open follow others.

    Args:
        at_s: when each picture was seen, (n,).
        seen: the pictures, small and grey, (n, ...).
        moments_s: when mouths opened before the camera.
    """
    seen = seen.reshape(len(seen), -1)
    phase_s, warm = (at_s - moments_s[0]) % EVERY_S, at_s > moments_s[0]
    wide = seen[warm & (phase_s > 0.35) & (phase_s < OPEN_S)].mean(0)
    shut = seen[warm & (phase_s > 1.1)].mean(0)
    pattern = np.where(abs(wide - shut) > 0.5 * abs(wide - shut).max(), wide - shut, 0.0)
    share = (seen - shut) @ pattern / (pattern @ pattern)
    rises = np.flatnonzero((share[1:] > 0.5) & (share[:-1] <= 0.5)) + 1
    return [float(one) for one in at_s[rises]]


def shown_mouths(size_px: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """The sample portrait with its mouth shut, and open."""
    avatar = load_avatar(sample_portrait_path())
    puppet = Puppet(avatar, Composer(avatar, size_px))
    return [_shown(puppet, jaw) for jaw in (0.0, 0.7)]


def _shown(puppet: Puppet, jaw: float) -> NDArray[np.uint8]:
    """A portrait whose jaw is so far open, after it has had time to get there."""
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = jaw
    face = face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32)))
    for i in range(30):
        marked = puppet.show(Expression(face, None, i, i * 33_333_333))
    return marked.rgb


def click() -> F32:
    """3 ms of 2 kHz."""
    return (0.6 * np.sin(2 * np.pi * 2000 * np.arange(144) / RATE_HZ)).astype(np.float32)


def vowel() -> F32:
    """Half a second of something like an /a/."""
    t_s = np.arange(round(OPEN_S * RATE_HZ)) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 130 * k * t_s) / k for k in range(1, 25))
    return (0.2 * tone).astype(np.float32)


def drop(sender: RTCRtpSender, share: float) -> None:
    """Lose that share of what a sender sends, but no reports."""
    transport = sender.transport
    send: Callable[[bytes], object] = transport._send_rtp

    async def lossy(packet: bytes) -> None:
        if 192 <= packet[1] <= 223 or random.random() >= share:
            await send(packet)

    if share and send.__name__ != "lossy":
        transport._send_rtp = lossy
