"""Several outputs at once: the failure of one does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from facepuppet.core.errors import SinkError
from facepuppet.core.types import Pixels
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

log = logging.getLogger(__name__)


class Fanout(Sink):
    """Sends every frame to each of several sinks.

    A sink that fails is reported in `failures` and the log, dropped, and aborted. When the last
    one fails its error is raised.

    Args:
        sinks: what the run is for.
        beside: are sent every frame too, but keep no run going.
    """

    def __init__(self, sinks: Sequence[Sink], beside: Sequence[Sink] = ()) -> None:
        everyone = [*sinks, *beside]
        if not sinks or len({sink.size_px for sink in everyone}) != 1:
            raise ValueError(f"needs sinks of one size, got {[sink.size_px for sink in everyone]}")
        self.size_px = sinks[0].size_px
        wanted = {sink.pixels for sink in everyone} - {None}
        self.pixels = wanted.pop() if len(wanted) == 1 else Pixels.RGB
        self.description = " and ".join(sink.description for sink in sinks)
        self.failures: list[tuple[str, Exception]] = []
        self._sinks, self._beside = list(sinks), list(beside)

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        for sink in (*self._sinks, *self._beside):
            try:
                sink.send(frame, pts_s)
            except Exception as error:
                self._drop(sink, error)
        if not self._sinks:
            raise self.failures[-1][1]

    def close(self) -> None:
        """Close every sink that is left, then raise the first error that closing met."""
        errors = []
        while self._sinks or self._beside:
            sink = (self._sinks or self._beside).pop()
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

    def _drop(self, sink: Sink, error: Exception) -> None:
        log.error("%s failed and is dropped: %s", sink.description, error)
        self.failures.append((sink.description, error))
        (self._sinks if sink in self._sinks else self._beside).remove(sink)
        sink.abort()
