"""A video that starts again when it ends, as an endless camera."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from facepuppet.core.clock import Clock
from facepuppet.core.types import Frame
from facepuppet.media.source import Source

DEFAULT_FPS = 30.0  # of sources that do not say
SLICE_S = 0.05  # close() never waits longer than this for a pause to end


class LoopedVideo(Source):
    """Plays a recording over and over, at its own pace; ids and times count on.

    Args:
        opener: opens the recording at its beginning, each time anew.
        clock: of the pace, and stamps the frames.

    Raises:
        CaptureError: it cannot be opened.
    """

    def __init__(self, opener: Callable[[], Source], clock: Clock) -> None:
        self._opener, self._clock = opener, clock
        self._source = opener()
        self.fps, self.size_px = self._source.fps, self._source.size_px
        self.live, self.n_frames = True, None
        self.description = f"{self._source.description}, looped"
        self._next_id = 0
        self._begin_ns: int | None = None
        self._offset_s = self._last_s = 0.0
        self._closed = threading.Event()

    def read(self) -> Frame | None:
        """Wait until the next frame is due; None after close()."""
        frame = self._source.read()
        if frame is None and not self._closed.is_set():
            frame = self._from_the_beginning()
        if frame is None:
            return None
        self._last_s = self._offset_s + (frame.pts_s or 0.0)
        self._wait_until(self._last_s)
        if self._closed.is_set():
            return None
        self._next_id += 1
        return replace(frame, frame_id=self._next_id - 1, captured_ns=self._clock.now_ns(), pts_s=None)

    def close(self) -> None:
        """Close the recording; a blocked read() returns None."""
        self._closed.set()
        self._source.close()

    def _from_the_beginning(self) -> Frame | None:
        self._source.close()
        self._source = self._opener()
        if self._closed.is_set():  # close() may have closed the former one
            self._source.close()
            return None
        self._offset_s = self._last_s + 1.0 / (self.fps or DEFAULT_FPS)
        return self._source.read()

    def _wait_until(self, time_s: float) -> None:
        if self._begin_ns is None:
            self._begin_ns = self._clock.now_ns() - round(time_s * 1e9)
        due_ns = self._begin_ns + round(time_s * 1e9)
        while not self._closed.is_set() and (left_ns := due_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(SLICE_S, left_ns * 1e-9))
