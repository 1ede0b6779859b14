"""One connection to a network stream, read in a thread of its own: nobody else ever waits for the network."""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import closing, suppress
from dataclasses import dataclass

from facepuppet.core.clock import Clock
from facepuppet.core.types import U8
from facepuppet.media.video_frame import rgb_of
from facepuppet.media.video_reader import VideoReader

AHEAD = 2  # pictures decoded before they are asked for
SLICE_S = 0.05  # how long a dropped link may go on waiting for somebody to take its pictures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream is there; the attributes are those of VideoReader."""

    fps: float | None
    size_px: tuple[int, int]
    live: bool
    n_frames: int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the stream.

    Attributes:
        rgb: (H, W, 3) uint8.
        pts_s: seconds since the stream's start, by its own time.
        captured_ns: when it arrived.
    """

    rgb: U8
    pts_s: float
    captured_ns: int


@dataclass(frozen=True, slots=True)
class Ended:
    """There will be no more.

    Attributes:
        lost: why the connection broke; None at the end of the stream.
        error: why it could not be opened or decoded.
    """

    lost: Exception | None = None
    error: Exception | None = None


Event = Opened | Picture | Ended


class NetworkLink:
    """Opens a URL and reads it until it ends, breaks, or is dropped.

    FFmpeg cannot be woken while it waits for the network. So a dropped link is left to itself: its
    thread notices within FFmpeg's own timeout, and closes the connection.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock = url, clock
        self._events: queue.Queue[Event] = queue.Queue(AHEAD)
        self._dropped = threading.Event()
        threading.Thread(target=self._run, name="network", daemon=True).start()

    def take(self, timeout_s: float) -> Event | None:
        """Return what came next; None when nothing did in time."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def drop(self) -> None:
        """Let go of the connection; returns at once."""
        self._dropped.set()

    def _run(self) -> None:
        try:
            with closing(VideoReader(self._url)) as reader:
                self._offer(Opened(reader.fps, reader.size_px, reader.live, reader.n_frames))
                while not self._dropped.is_set() and (read := reader.read()) is not None:
                    captured_ns = self._clock.now_ns()  # before the conversion, which takes milliseconds
                    self._offer(Picture(rgb_of(read[0]), read[1], captured_ns))
                self._offer(Ended(lost=reader.lost))
        except Exception as error:  # whatever it is belongs to who takes, not to this thread
            log.debug("%s: %s", self._url, error)
            self._offer(Ended(error=error))

    def _offer(self, event: Event) -> None:
        while not self._dropped.is_set():
            with suppress(queue.Full):
                self._events.put(event, timeout=SLICE_S)
                break
