"""Pictures that a peer sends, as a source for the camera driver: newest wins, nothing is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Frame
from facepuppet.media.source import Source
from facepuppet.media.video_frame import rgb_of

MOST_PX = (1280, 720)  # larger pictures show a tracker no more, and cost it time
LARGE_PX = 1920 * 1088  # beyond, decoding alone takes a host more than a puppet does
_EARLY = 0.75  # of a frame's time: cameras jitter, and a frame that is a little early is not one too many


@dataclass(frozen=True, slots=True)
class _Arrived:
    frame: av.VideoFrame
    ns: int


class PeerSource(Source):
    """The camera of a peer.

    A track must always be read, or its frames pile up in memory; so `hear` takes every frame in the event
    loop and keeps the newest, and `read` turns it to RGB in the thread that asks.

    Args:
        clock: tells when a frame arrived, which counts as its capture.
        fps: frames a second that are passed on at most.

    Attributes:
        arrived: frames that came.
        large: of them, those of more than LARGE_PX, which are not passed on.
        newest_ns: when the newest came; 0 before the first.
    """

    live = True
    n_frames = None
    description = "the camera of a peer"

    def __init__(self, clock: Clock | None = None, fps: float = 30.0) -> None:
        self.fps: float | None = fps
        self.size_px = (0, 0)
        self.arrived = self.large = self.newest_ns = 0
        self._clock = clock or SystemClock()
        self._slot: LatestSlot[_Arrived] = LatestSlot()
        self._most_fps = fps
        self._passed_ns = 0
        self._n = 0

    async def hear(self, track: MediaStreamTrack) -> None:
        """Take frames from a track until it ends; may be called again with another one."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.VideoFrame):
                self._take(frame)
            await asyncio.sleep(0)  # a burst must not hold up the loop's other peers

    def leave_out(self) -> None:
        """Count a picture of more than LARGE_PX that was not even decoded; in the event loop."""
        self.arrived += 1
        self.large += 1
        self.newest_ns = self._clock.now_ns()

    def set_fps(self, fps: float) -> None:
        """Pass on at most so many frames a second from now on."""
        self._most_fps = fps

    def read(self) -> Frame | None:
        """Return the newest frame, at most 1280x720; None after close().

        Raises:
            MediaUnreadableError: pixels that cannot be converted.
        """
        arrived = self._slot.take()
        if arrived is None:
            return None
        rgb = rgb_of(_fitted(arrived.frame))
        self.size_px = (rgb.shape[1], rgb.shape[0])
        self._n += 1
        return Frame(rgb, self._n - 1, arrived.ns)

    def close(self) -> None:
        """Take no more."""
        self._slot.close()

    def _take(self, frame: av.VideoFrame) -> None:
        now_ns = self._clock.now_ns()
        self.arrived += 1
        self.newest_ns = now_ns
        if frame.width * frame.height > LARGE_PX:
            self.large += 1
        elif (now_ns - self._passed_ns) * self._most_fps >= _EARLY * 1e9:
            self._passed_ns = now_ns
            self._slot.put(_Arrived(frame, now_ns))


def _fitted(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a frame of at most MOST_PX, or its like upright; the same if it is no larger."""
    most = MOST_PX if frame.width >= frame.height else MOST_PX[::-1]
    scale = min(most[0] / frame.width, most[1] / frame.height)
    if scale >= 1.0:
        return frame
    width, height = (max(2, 2 * round(scale * side / 2)) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height, threads=1)
