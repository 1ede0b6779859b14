"""A slow output on a thread of its own: whoever sends never waits for a disk or an encoder."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from facepuppet.core.clock import Clock
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

MOST_BYTES = 64 << 20  # of pictures that wait: 0.8 s of 1280x720; a longer stall leaves pictures out
GIVE_UP_S = 2.0  # abort() waits so long for what the sink is in the middle of
TELL_S = 5.0  # close() says what it waits for when that takes longer
_POLL_S = 0.5  # Ctrl-C must get through everywhere

log = logging.getLogger(__name__)


class Buffered(Sink):
    """Hands frames to a sink on a thread of its own.

    Frames keep the time at which they were sent. One that finds no room is left out of the output, counted,
    and told. What the sink raises is raised by the next `send`, or by `close`.

    Args:
        sink: belongs to this one from now on; the thread alone uses it.
        clock: stamps frames without a presentation time; the first one is at 0.

    Attributes:
        left_out: how many frames found no room.
    """

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self.size_px, self.description = sink.size_px, sink.description
        self.left_out = 0
        self._sink, self._clock = sink, clock
        self._start_ns: int | None = None
        width, height = sink.size_px
        self._room = max(2, MOST_BYTES // (3 * width * height))
        self._waiting: deque[tuple[Marked, float]] = deque()
        self._changed = threading.Condition()
        self._closing = self._aborting = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="slow sink", daemon=True)
        self._thread.start()

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._error is not None:
            raise self._error
        if self._closing or self._aborting:
            raise ValueError(f"{self.description} is closed")
        pts_s = self._elapsed_s() if pts_s is None else pts_s
        with self._changed:
            if has_room := len(self._waiting) < self._room:
                self._waiting.append((frame, pts_s))
                self._changed.notify()
        if not has_room:
            self.left_out += 1
            if self.left_out == 1:
                log.warning("%s does not keep up: pictures are left out of it.", self.description)

    def close(self) -> None:
        """Let the sink take what waits, and finish; a stalled one is waited for until Ctrl-C.

        Raises:
            SinkError: what the sink met.
        """
        self._tell_thread(aborting=False)
        try:
            if not self._has_ended(TELL_S):
                log.warning("%s is still being finished; Ctrl-C gives it up.", self.description)
            while not self._has_ended(_POLL_S):
                pass
        except KeyboardInterrupt:
            self.abort()
            raise
        left_out, self.left_out = self.left_out, 0
        if left_out:
            log.warning("%s: %d pictures were left out.", self.description, left_out)
        error, self._error = self._error, None
        if error is not None:
            raise error

    def abort(self) -> None:
        """Throw away what waits and what was written; a stalled sink does so when it wakes."""
        self._tell_thread(aborting=True)
        self._has_ended(GIVE_UP_S)

    def _tell_thread(self, *, aborting: bool) -> None:
        with self._changed:
            self._closing, self._aborting = True, self._aborting or aborting
            self._changed.notify()

    def _has_ended(self, patience_s: float) -> bool:
        end_s = time.monotonic() + patience_s
        while self._thread.is_alive() and (left_s := end_s - time.monotonic()) > 0:
            self._thread.join(min(_POLL_S, left_s))
        return not self._thread.is_alive()

    def _elapsed_s(self) -> float:
        now_ns = self._clock.now_ns()
        if self._start_ns is None:
            self._start_ns = now_ns
        return (now_ns - self._start_ns) * 1e-9

    def _next(self) -> tuple[Marked, float] | None:
        """Wait for a frame; None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.popleft() if self._waiting and not self._aborting else None

    def _work(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._sink.send(*item)
            if not self._aborting:
                self._sink.close()
        except Exception as error:  # belongs to who sends, not to this thread
            self._error = error
        if self._aborting or self._error is not None:
            self._sink.abort()
        self._waiting.clear()
