"""Playing a recording, and making one of any driver."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from facepuppet.core.clock import Clock
from facepuppet.core.side_thread import SideThread
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver
from facepuppet.drivers.expression_writer import ExpressionWriter
from facepuppet.drivers.recording_reader import RecordingReader
from facepuppet.drivers.tapped import TappedDriver

log = logging.getLogger(__name__)

ROOM = 2000  # expressions that wait for a stalled disk: half a minute and more, 12 MB


class RecordedDriver(Driver):
    """Plays a recording once: offline to the bit, live at its own pace.

    Raises:
        RecordingError: no recording, of another version, cut off or damaged; from read() too.
    """

    def __init__(self, path: Path) -> None:
        self._reader = RecordingReader(path)
        self._expressions = iter(self._reader)
        self.description = f"recording {path.name!r}"
        self.fps: float | None = self._reader.fps
        self.n_frames: int | None = self._reader.n_frames
        self._closed = False

    def read(self) -> Expression | None:
        """Return the next expression, or None after the last."""
        expression = None if self._closed else next(self._expressions, None)
        return None if expression is None else self.paced(expression)

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        super().close()
        self._reader.close()


class RecordingDriver(TappedDriver):
    """Does what another driver does, and writes it down; times of a live one count from its first moment.

    Args:
        driver: closed with this.
        writer: stays open: who opened it decides whether the recording is kept, after this is closed.
        waits: a live one waits for the disk, too, and ends where that fails; else a stalled disk costs the
            recording what finds no room, a full one ends the recording alone, and both are told.
    """

    def __init__(self, driver: Driver, writer: ExpressionWriter, *, waits: bool = False) -> None:
        super().__init__(driver)
        self._writer, self._waits = writer, waits
        self._thread: SideThread[Expression] | None = None
        self._told = False
        self._started = False
        self._origin_ns: int | None = None

    def heard(self, expression: Expression) -> None:
        """Write an expression down."""
        if self._origin_ns is None:
            self._origin_ns = expression.captured_ns if self._started else 0
        self._write(replace(expression, captured_ns=expression.captured_ns - self._origin_ns))

    def ended(self) -> None:
        """Write down what still waits for that."""
        if self._thread is not None:
            self._thread.finish()

    @property
    def failure(self) -> Exception | None:
        """What ended the recording while the driver went on, if anything did."""
        return None if self._thread is None else self._thread.error

    def start(self, clock: Clock) -> None:
        """Let the other driver go live."""
        self._started = True
        if not self._waits:
            self._thread = SideThread("the recording", ROOM, self._writer.add, lambda whole: None)
        super().start(clock)

    def _write(self, expression: Expression) -> None:
        if self._thread is None:
            self._writer.add(expression)
        elif self._thread.error is None:
            self._thread.put(expression)
        elif not self._told:
            self._told = True
            log.error("The recording ends here, the run goes on: %s", self._thread.error)
