"""Several outputs at once: the failure of one does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError, SinkError
from facepuppet.core.tolerance import Tolerance
from facepuppet.core.types import Pixels
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

log = logging.getLogger(__name__)


class Fanout(Sink):
    """Sends every frame to each of several sinks.

    A sink that fails is reported in `failures` and the log, dropped, and aborted. When the last
    one fails its error is raised. One that is away in the end counts as failed, too. Where nobody foresaw
    the failure (it is no FacepuppetError), the sink first misses some frames and is tried again, a few
    times a minute.

    Args:
        sinks: what the run is for; closed with this.
        beside: are sent every frame too, and closed, but keep no run going.
        clock: tells when to try again.
    """

    def __init__(
        self, sinks: Sequence[Sink], beside: Sequence[Sink] = (), *, clock: Clock | None = None
    ) -> None:
        everyone = [*sinks, *beside]
        if not sinks or len({sink.size_px for sink in everyone}) != 1:
            raise ValueError(f"needs sinks of one size, got {[sink.size_px for sink in everyone]}")
        self.size_px = sinks[0].size_px
        wanted = {sink.pixels for sink in everyone} - {None}
        self.pixels = wanted.pop() if len(wanted) == 1 else Pixels.RGB
        self.description = " and ".join(sink.description for sink in sinks)
        self.failures: list[tuple[str, Exception]] = []
        self._sinks, self._beside = list(sinks), list(beside)
        self._clock = clock or SystemClock()
        # By id: a sink of somebody else's need not be hashable.
        self._tolerances = {id(sink): Tolerance(self._clock) for sink in everyone}
        self._again_ns: dict[int, int] = {}  # when to try those that failed

    @property
    def wants_matte(self) -> bool:
        """Whether any of them wants one at present."""
        return any(sink.wants_matte for sink in (*self._sinks, *self._beside))

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        for sink in (*self._sinks, *self._beside):
            if self._again_ns.get(id(sink), 0) > self._clock.now_ns():
                continue
            try:
                sink.send(frame, pts_s)
            except FacepuppetError as error:
                self._drop(sink, error)
            except Exception as error:
                self._bear(sink, error)
        if not self._sinks:
            raise self.failures[-1][1]

    def seen_by(self) -> tuple[str, ...]:
        """Return the names of programs that show any of them."""
        return tuple(name for sink in tuple(self._sinks) for name in sink.seen_by())

    def missing(self) -> tuple[str, ...]:
        """Return what each of them misses."""
        return tuple(sentence for sink in tuple(self._sinks) for sentence in sink.missing())

    def close(self) -> None:
        """Close every sink that is left, then raise the first error that closing met."""
        errors = []
        while self._sinks or self._beside:
            sink = (self._sinks or self._beside).pop()
            if sink.away is not None:
                self.failures.append((sink.description, sink.away))
            try:
                sink.close()
            except SinkError as error:
                errors.append(error)
                self.failures.append((sink.description, error))
        if errors:
            raise errors[0]

    def abort(self) -> None:
        """Abort every sink that is left."""
        while self._sinks or self._beside:
            (self._sinks or self._beside).pop().abort()

    def _bear(self, sink: Sink, error: Exception) -> None:
        pause_s = self._tolerances[id(sink)].pause_s()
        if pause_s is None:
            self._drop(sink, error)
            return
        log.warning(
            "%s misses pictures: an unexpected %s (%s)", sink.description, type(error).__name__, error
        )
        self._again_ns[id(sink)] = self._clock.now_ns() + round(pause_s * 1e9)

    def _drop(self, sink: Sink, error: Exception) -> None:
        log.error("%s failed and is dropped: %s", sink.description, error)
        self.failures.append((sink.description, error))
        (self._sinks if sink in self._sinks else self._beside).remove(sink)
        sink.abort()
