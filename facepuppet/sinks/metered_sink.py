"""How long an output takes, and when its first frame left."""

from __future__ import annotations

from facepuppet.core.clock import Clock
from facepuppet.core.metrics import Meter
from facepuppet.sinks.sink import Sink
from facepuppet.watermark.marked import Marked


class MeteredSink(Sink):
    """Passes frames on, measures how long that takes, and notes when the first one left.

    Args:
        sink: where they go; whoever opened it closes it.
        meter: told the time of "sink".
        clock: tells when.

    Attributes:
        first_ns: when the first frame had left, None before it.
    """

    def __init__(self, sink: Sink, meter: Meter, clock: Clock) -> None:
        self.size_px, self.pixels = sink.size_px, sink.pixels
        self.description = sink.description
        self.first_ns: int | None = None
        self._sink, self._meter, self._clock = sink, meter, clock

    @property
    def wants_matte(self) -> bool:
        """Whether they who get the frames want one at present."""
        return self._sink.wants_matte

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        with self._meter.time("sink"):
            self._sink.send(frame, pts_s)
        if self.first_ns is None:
            self.first_ns = self._clock.now_ns()

    def close(self) -> None:
        """Leave the sink to whoever opened it."""
