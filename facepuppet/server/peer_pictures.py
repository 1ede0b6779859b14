"""Where a session's pictures go: to each peer that sees the puppet, and only marked."""

from __future__ import annotations

import asyncio
import fractions
from collections import deque
from contextlib import suppress

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.i420 import to_i420
from facepuppet.core.types import U8, Pixels
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

RTP_HZ = 90_000  # of video's time stamps
_REPEAT_S = 1.0  # a still picture is sent again so often, for peers that came late or lost one
_NEWEST = 15  # pictures, by which it is told how late they are
_EARLY = 0.75  # see `peer_source`
_TIME_BASE = fractions.Fraction(1, RTP_HZ)


class PeerPictures(Sink):
    """Hands marked pictures to the tracks of peers; each track takes the newest when it can.

    Args:
        size_px: width and height of the canvas.
        loop: in which the tracks are read.
        clock: gives pictures their time.

    Attributes:
        taken: new pictures that the first track's encoder took.
        sent_px: width and height in which pictures are sent.
    """

    pixels = Pixels.I420

    def __init__(
        self, size_px: tuple[int, int], loop: asyncio.AbstractEventLoop, clock: Clock | None = None
    ) -> None:
        self.size_px, self.description = size_px, "the browsers of those who see the puppet"
        self.sent_px = size_px
        self.taken = 0
        self._loop, self._clock = loop, clock or SystemClock()
        self._least_ns = 0
        self._sending_ns: deque[int] = deque(maxlen=_NEWEST)
        self._last: Marked | None = None
        self._last_ns = 0
        self._tracks: tuple[PictureTrack, ...] = ()

    def track(self) -> PictureTrack:
        """Return a new track for a peer; it begins with the newest picture, if there is one."""
        track = PictureTrack(self)
        self._tracks = (*self._tracks, track)
        if self._last is not None:
            track.offer(self._last, self._last_ns)
        return track

    @property
    def delay_s(self) -> float:
        """How long a picture takes to be encoded and sent now, in s: the median of the newest."""
        newest_ns = sorted(self._sending_ns)
        return newest_ns[len(newest_ns) // 2] * 1e-9 if newest_ns else 0.0

    def forget(self, track: PictureTrack) -> None:
        """Hand this one no more."""
        self._tracks = tuple(one for one in self._tracks if one is not track)

    def took(self, track: PictureTrack) -> None:
        """Count a picture that goes to an encoder."""
        self.taken += bool(self._tracks) and track is self._tracks[0]

    def sent(self, track: PictureTrack, at_ns: int) -> None:
        """Take note that a picture which was handed over at a time is on its way."""
        if self._tracks and track is self._tracks[0]:
            self._sending_ns.append(self._clock.now_ns() - at_ns)

    def set_step(self, size_px: tuple[int, int], fps: float) -> None:
        """Send pictures of this size from now on, and new ones at most so often."""
        self.sent_px, self._least_ns = size_px, round(_EARLY * 1e9 / fps)

    def close(self) -> None:
        """End every track."""
        tracks, self._tracks = self._tracks, ()
        for track in tracks:
            with suppress(RuntimeError):  # the loop is closed, and its tracks with it
                self._loop.call_soon_threadsafe(track.stop)

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        now_ns = self._clock.now_ns()
        repeated = frame is self._last
        if now_ns - self._last_ns < (_REPEAT_S * 1e9 if repeated else self._least_ns):
            return
        self._last, self._last_ns = frame, now_ns
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._hand_out, frame, now_ns)

    def _hand_out(self, frame: Marked, at_ns: int) -> None:
        for track in self._tracks:
            track.offer(frame, at_ns)


class PictureTrack(MediaStreamTrack):
    """The puppet as one peer sees it.

    Args:
        pictures: what hands it pictures.
    """

    kind = "video"

    def __init__(self, pictures: PeerPictures) -> None:
        super().__init__()
        self._pictures = pictures
        self._newest: tuple[Marked, int] | None = None
        self._changed = asyncio.Event()
        self._first_ns: int | None = None
        self._given_ns: int | None = None
        self._pts = -1

    def offer(self, frame: Marked, at_ns: int) -> None:
        """Take a picture in place of one that still waits; in the loop's thread."""
        self._newest = frame, at_ns
        self._changed.set()

    async def recv(self) -> av.VideoFrame:
        """Wait for the next picture, and return it in I420.

        Raises:
            MediaStreamError: the track has ended.
        """
        if self._given_ns is not None:  # who asks for the next one has sent it
            self._pictures.sent(self, self._given_ns)
            self._given_ns = None
        while self._newest is None:
            if self.readyState != "live":
                raise MediaStreamError
            self._changed.clear()
            await self._changed.wait()
        (frame, at_ns), self._newest = self._newest, None
        self._pictures.took(self)
        self._given_ns = at_ns
        self._first_ns = at_ns if self._first_ns is None else self._first_ns
        # Strictly later than the one before, whatever clocks do.
        self._pts = max(self._pts + 1, (at_ns - self._first_ns) * RTP_HZ // 1_000_000_000)
        return _video_frame(frame, self._pictures.sent_px, self._pts)

    def stop(self) -> None:
        """End it, and wake whoever waits for a picture."""
        self._pictures.forget(self)
        super().stop()
        self._changed.set()


def _video_frame(frame: Marked, size_px: tuple[int, int], pts: int) -> av.VideoFrame:
    """Return a new frame; an encoder may write to its fields, so each track has its own."""
    i420: U8 = to_i420(frame.rgb) if frame.i420 is None else frame.i420
    made = av.VideoFrame.from_ndarray(i420, format="yuv420p")
    if (made.width, made.height) != size_px:
        made = made.reformat(width=size_px[0], height=size_px[1], threads=1)
    made.pts, made.time_base = pts, _TIME_BASE
    return made
