"""People for a running server: peers that send the sample portrait, swaying, and note what comes back."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import websockets
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from facepuppet.portrait import sample_portrait_path

_FRAMES = 40  # of a sway
_ALIVE_S = 1.0


class Swaying(MediaStreamTrack):
    """A face before a camera; its pictures are drawn once, so that it costs little but its encoder.

    Args:
        size_px: of the picture.
        fps: rate.
    """

    kind = "video"

    def __init__(self, size_px: tuple[int, int], fps: float) -> None:
        super().__init__()
        self._pictures, self._fps, self._n = _sway(size_px), fps, 0
        self._began_s = time.monotonic()

    async def recv(self) -> VideoFrame:
        """Return the next picture, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._began_s + self._n / self._fps - time.monotonic()))
        picture = self._pictures[self._n % _FRAMES]
        frame = VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = int(self._n * 90000 / self._fps), Fraction(1, 90000)
        self._n += 1
        return frame


def _sway(size_px: tuple[int, int]) -> list[Any]:
    width, height = size_px
    bgr = cv2.imread(str(sample_portrait_path()))
    scale = height / bgr.shape[0]
    pictures = []
    for i in range(_FRAMES):
        shift = 0.04 * width * np.sin(2 * np.pi * i / _FRAMES)
        place = np.array([[scale, 0, (width - scale * bgr.shape[1]) / 2 + shift], [0, scale, 0]], np.float32)
        moved = cv2.warpAffine(bgr, place, size_px, borderValue=(90, 90, 90))
        pictures.append(cv2.cvtColor(moved, cv2.COLOR_BGR2YUV_I420))
    return pictures


class Person:
    """Comes in, stays, and comes back when the server says so or the picture stands still, as the page does.

    Args:
        url: of the server, "http://HOST:PORT/".
        token: access code.
        size_px: of the camera.
        fps: of the camera.

    Attributes:
        seen_s: when each picture came, by time.monotonic().
        joined_s: how long each join took to its answer.
        overs: whys of what ended.
        status: newest from the host.
    """

    def __init__(
        self, url: str, token: str, size_px: tuple[int, int] = (640, 360), fps: float = 30.0
    ) -> None:
        self._url, self._token, self._size_px, self._fps = url, token, size_px, fps
        self._back = ""
        self.seen_s: list[float] = []
        self.joined_s: list[float] = []
        self.overs: list[str] = []
        self.status: dict[str, Any] = {}
        self.peer: RTCPeerConnection | None = None

    async def stay(self, seconds: float, still_s: float = 4.0) -> None:
        """Be there for so long, and come back when need be.

        Args:
            seconds: from now on.
            still_s: without a picture, after which a connection is taken for lost.
        """
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            with suppress(OSError, websockets.WebSocketException):
                await self._visit(end_s, still_s)
            await asyncio.sleep(0.2)

    async def _visit(self, end_s: float, still_s: float) -> None:
        camera = Swaying(self._size_px, self._fps)
        self.peer = peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        watching: list[asyncio.Task[None]] = []
        peer.on("track", lambda track: watching.append(asyncio.create_task(self._see(track))))
        peer.addTrack(camera)
        channel = peer.createDataChannel("puppet")
        channel.on("message", self._hear)
        try:
            await peer.setLocalDescription(await peer.createOffer())
            async with websockets.connect(f"ws{self._url[4:]}api/join") as socket:
                if await self._come(socket, peer, end_s):
                    await self._be_there(socket, channel, end_s, still_s)
        finally:
            camera.stop()
            await peer.close()
            for task in watching:
                task.cancel()

    async def _come(self, socket: Any, peer: RTCPeerConnection, end_s: float) -> bool:
        began_s = time.monotonic()
        wish = {
            "token": self._token,
            "avatar": sample_portrait_path().stem,
            "driven_by": "camera",
            "offer": peer.localDescription.sdp,
            "sound": False,
        }
        await socket.send(json.dumps(wish | ({"back": self._back} if self._back else {})))
        async with asyncio.timeout(max(0.1, end_s - time.monotonic())):
            while True:
                said = json.loads(await socket.recv())
                if "over" in said:
                    self.overs.append(said["over"]["why"])
                    return False
                if "answer" in said:
                    break
        self.joined_s.append(time.monotonic() - began_s)
        self._back = said.get("back", "")
        await peer.setRemoteDescription(RTCSessionDescription(said["answer"], "answer"))
        return True

    async def _be_there(self, socket: Any, channel: RTCDataChannel, end_s: float, still_s: float) -> None:
        """Stay until the end, an over, or a picture that stands still."""
        came_s, n = time.monotonic(), 0
        while (now_s := time.monotonic()) < end_s:
            try:
                said = json.loads(await asyncio.wait_for(socket.recv(), min(_ALIVE_S, end_s - now_s)))
                if "over" in said:
                    self.overs.append(said["over"]["why"])
                    return
            except TimeoutError:
                n += 1
                if channel.readyState == "open":
                    channel.send(json.dumps({"alive": n}))
            newest_s = max(came_s, self.seen_s[-1] if self.seen_s else came_s)
            if time.monotonic() - newest_s > still_s:
                self.overs.append("still")
                return

    async def _see(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                await track.recv()
                if track.kind == "video":
                    self.seen_s.append(time.monotonic())

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, str):
            said = json.loads(message)
            self.status = said.get("status", self.status)
            if "over" in said:
                self.overs.append(said["over"]["why"])


def longest_gap_s(seen_s: list[float], begin_s: float, end_s: float) -> float:
    """Return the longest time without a picture between two moments."""
    within = [begin_s, *(moment for moment in seen_s if begin_s <= moment <= end_s), end_s]
    return max(after - before for before, after in pairwise(within))


def get(url: str) -> str:
    """Return what is at an address."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
