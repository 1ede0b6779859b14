"""Small real implementations in place of cameras, clocks and screens, for tests of who uses facepuppet."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from facepuppet.core.clock import Clock
from facepuppet.core.types import U8, Expression, Frame, Pixels
from facepuppet.drivers.base import Driver
from facepuppet.media.source import Source
from facepuppet.sinks.sink import Sink
from facepuppet.watermark.marked import Marked


class FakeClock:
    """A clock that moves only when told to or slept on."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return the time it shows."""
        with self._lock:
            return self._now_ns

    def sleep_s(self, duration_s: float) -> None:
        """Move on by so much, at once."""
        self.advance_s(max(0.0, duration_s))

    def advance_s(self, duration_s: float) -> None:
        """Move on by so much."""
        with self._lock:
            self._now_ns += round(duration_s * 1e9)


class ListSource(Source):
    """A camera or file that delivers given pictures, one period apart by its clock.

    Args:
        pictures: (H, W, 3) uint8 RGB each.
        fps: of the pictures.
        live: as a camera, which waits for nobody.
        clock: moved on by each picture of a live one.

    Attributes:
        closed: somebody closed it.
    """

    def __init__(
        self, pictures: Sequence[U8], fps: float = 30.0, *, live: bool = True, clock: FakeClock | None = None
    ) -> None:
        self.fps: float | None = fps
        self.size_px = (pictures[0].shape[1], pictures[0].shape[0]) if pictures else (0, 0)
        self.live = live
        self.n_frames: int | None = len(pictures)
        self.description = f"{len(pictures)} pictures"
        self.closed = False
        self._pictures = pictures
        self._clock = clock or FakeClock()
        self._next_id = 0

    def read(self) -> Frame | None:
        """Return the next picture."""
        if self.closed or self._next_id == len(self._pictures):
            return None
        pts_s = self._next_id / (self.fps or 30.0)
        if self.live:
            self._clock.advance_s(1.0 / (self.fps or 30.0))
        frame = Frame(self._pictures[self._next_id], self._next_id, self._clock.now_ns(), pts_s)
        self._next_id += 1
        return frame

    def close(self) -> None:
        """Deliver nothing more."""
        self.closed = True


class ListDriver(Driver):
    """A driver that does what it is given, in order; live, each when it is due by its own time.

    Args:
        expressions: what it does.
        fps: told to whoever asks.

    Attributes:
        recentred: how often somebody asked for it.
        closed: somebody closed it.
    """

    description = "given expressions"

    def __init__(self, expressions: Iterable[Expression], fps: float | None = 30.0) -> None:
        self.fps = fps
        self.recentred = 0
        self.closed = False
        self._expressions = iter(expressions)

    def read(self) -> Expression | None:
        """Return the next expression."""
        expression = None if self.closed else next(self._expressions, None)
        return None if expression is None else self.paced(expression)

    def recentre(self) -> None:
        """Count it."""
        self.recentred += 1

    def close(self) -> None:
        """Do nothing more."""
        self.closed = True
        super().close()


class MemorySink(Sink):
    """Keeps what it is sent.

    Args:
        size_px: width and height of the frames it takes.
        fails_at: number of the frame at which it fails, if it is to fail.
        clock: stamps what is sent.
        pixels: as what it wants pictures.

    Attributes:
        frames, times_s, sent_ns: what was sent, its presentation times, and when it was sent.
        closed, aborted: how it ended.
    """

    def __init__(
        self,
        size_px: tuple[int, int] = (160, 128),
        *,
        fails_at: int | None = None,
        clock: Clock | None = None,
        pixels: Pixels = Pixels.RGB,
    ) -> None:
        self.size_px, self.pixels = size_px, pixels
        self.description = "memory"
        self.frames: list[Marked] = []
        self.times_s: list[float | None] = []
        self.sent_ns: list[int] = []
        self.closed = False
        self.aborted = False
        self._fails_at = fails_at
        self._clock = clock or FakeClock()

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if len(self.frames) == self._fails_at:
            raise OSError("memory sink told to fail")
        self.frames.append(frame)
        self.times_s.append(pts_s)
        self.sent_ns.append(self._clock.now_ns())

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    def abort(self) -> None:
        """Remember it."""
        self.aborted = True
