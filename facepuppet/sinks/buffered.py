"""A slow output behind a buffer: whoever sends never waits for it."""

from __future__ import annotations

from facepuppet.core.clock import Clock
from facepuppet.core.side_thread import SideThread
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

MOST_BYTES = 64 << 20  # of pictures that wait: 0.8 s of 1280x720 at 30 a second


class Buffered(Sink):
    """Hands frames to a sink on a thread of its own.

    Frames keep the time at which they were sent. One that finds no room is left out of the output, counted,
    and told. What the sink raises is raised by the next `send`, or by `close`.

    Args:
        sink: belongs to this one from now on; the thread alone uses it.
        clock: stamps frames without a presentation time; the first one is at 0.
    """

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self.size_px, self.description = sink.size_px, sink.description
        self._clock = clock
        self._start_ns: int | None = None
        width, height = sink.size_px
        self._thread: SideThread[tuple[Marked, float]] = SideThread(
            sink.description,
            max(2, MOST_BYTES // (3 * width * height)),
            work=lambda item: sink.send(*item),
            ended=lambda whole: sink.close() if whole else sink.abort(),
        )

    @property
    def left_out(self) -> int:
        """How many frames found no room."""
        return self._thread.left_out

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._thread.error is not None:
            raise self._thread.error
        if self._thread.closed:
            raise ValueError(f"{self.description} is closed")
        self._thread.put((frame, self._elapsed_s() if pts_s is None else pts_s))

    def close(self) -> None:
        """Let the sink take what waits, and finish; a stalled one is waited for until Ctrl-C.

        Raises:
            SinkError: what the sink met.
        """
        self._thread.finish()
        error, self._thread.error = self._thread.error, None
        if error is not None:
            raise error

    def abort(self) -> None:
        """Throw away what waits and what was written; a stalled sink does so when it wakes."""
        self._thread.throw_away()

    def _elapsed_s(self) -> float:
        now_ns = self._clock.now_ns()
        if self._start_ns is None:
            self._start_ns = now_ns
        return (now_ns - self._start_ns) * 1e-9
