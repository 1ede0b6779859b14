"""A network camera or stream by URL, which may break off and come back in the middle of a call."""

from __future__ import annotations

import logging
import threading
from time import monotonic

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.types import Frame
from facepuppet.media.network_link import Ended, Event, NetworkLink, Opened, Picture
from facepuppet.media.patience import PATIENCE_S, Patience
from facepuppet.media.source import Source

STALLED_AFTER_S = 10.0  # streams in segments arrive in bursts, some seconds apart
SLICE_S = 0.05  # close() and Ctrl-C never wait longer than this

log = logging.getLogger(__name__)


class NetworkSource(Source):
    """A live stream or a recording by URL.

    When a live stream breaks off, ends or falls silent, read() opens it anew with growing pauses;
    frame ids and presentation times go on. A recording ends where it ends, or where its connection
    is lost for good, with a warning.

    Args:
        url: any that FFmpeg reads: http, rtsp, …
        clock: stamps the frames.
        patience_s: how long to wait for a live stream to come back before giving up.
        stalled_after_s: without a picture for so long, a live stream counts as lost.

    Raises:
        MediaUnreadableError: unreachable, not a video, or without a single frame.
    """

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        patience_s: float = PATIENCE_S,
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        self.description = url
        self._clock = clock or SystemClock()
        self._stalled_after_s = stalled_after_s
        self._closed = threading.Event()
        self._patience = Patience(url, self._clock, self._closed, patience_s)
        self._next_id = 0
        self._first_ns: int | None = None
        self._shift_s = 0.0  # from a link's times to those of the whole
        self._last_pts_s = -1.0
        self._link = NetworkLink(url, self._clock)
        try:
            opened = self._opened()
        except BaseException:  # Ctrl-C too: nobody holds this yet who could close it
            self.close()
            raise
        self.fps, self.size_px = opened.fps, opened.size_px
        self.live, self.n_frames = opened.live, opened.n_frames

    def read(self) -> Frame | None:
        """Block for the next frame, through an outage if need be; None at the end and after close()."""
        event = self._next(self._stalled_after_s if self.live else None)
        if self._closed.is_set():
            return None
        if isinstance(event, Picture):
            return self._frame(event)
        if isinstance(event, Ended) and event.error is not None:
            raise event.error
        if self.live:
            return self._patience.until_back(self._reopened, lambda: "Check the camera and the network.")
        if isinstance(event, Ended) and event.lost is not None:
            log.warning(
                "%s: the connection is lost, and the recording ends here (%s)", self.description, event.lost
            )
        self.close()
        return None

    def close(self) -> None:
        """Let go of the connection; a blocked read() returns None."""
        self._closed.set()
        self._link.drop()

    @property
    def reconnecting(self) -> threading.Event:
        """Set while a live stream is gone."""
        return self._patience.reconnecting

    @property
    def reconnects(self) -> int:
        """How often it came back."""
        return self._patience.reconnects

    def _opened(self) -> Opened:
        event = self._next(None)  # FFmpeg gives up by itself
        if isinstance(event, Ended) and event.error is not None:
            raise event.error
        assert isinstance(event, Opened)
        return event

    def _next(self, patience_s: float | None) -> Event | None:
        """Return what the link brings next; None after close() or when nothing came in time."""
        end_s = None if patience_s is None else monotonic() + patience_s
        while not self._closed.is_set() and (end_s is None or monotonic() < end_s):
            event = self._link.take(SLICE_S)
            if event is not None:
                return event
        return None

    def _reopened(self) -> Frame | None:
        """Return the first picture of a new connection; None where there is none yet."""
        self._link.drop()
        self._link = NetworkLink(self.description, self._clock)
        if self._closed.is_set():  # close() may have dropped the former one
            self._link.drop()
        if not isinstance(self._next(self._stalled_after_s), Opened):
            return None
        picture = self._next(self._stalled_after_s)
        if not isinstance(picture, Picture):
            return None
        if self._first_ns is not None:
            self._shift_s = (picture.captured_ns - self._first_ns) * 1e-9 - picture.pts_s
        return self._frame(picture)

    def _frame(self, picture: Picture) -> Frame:
        if self._first_ns is None:
            self._first_ns = picture.captured_ns
        # Until a stream broke off its own times may have run ahead of the clock's, but none comes twice.
        pts_s = max(picture.pts_s + self._shift_s, self._last_pts_s + 1e-6)
        self._last_pts_s = pts_s
        self._next_id += 1
        return Frame(picture.rgb, self._next_id - 1, picture.captured_ns, pts_s)
