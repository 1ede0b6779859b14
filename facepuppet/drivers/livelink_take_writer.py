"""Writing what a driver does as a take of Live Link Face (.csv), whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import check_target, publish, temporary_beside
from facepuppet.core.types import Expression
from facepuppet.drivers.expression_writer import ExpressionWriter
from facepuppet.drivers.recording_format import TAKE_SUFFIX
from facepuppet.wires import sample_of_expression
from facepuppet.wires.livelink_csv import HEADER, table_row


class LiveLinkTakeWriter(ExpressionWriter):
    """Writes expressions as they come; the file appears under its name at close().

    Args:
        path: ends in .csv; an existing file is replaced.

    Raises:
        OutputUnwritableError: another ending, no such folder, read-only, or disk full.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() != TAKE_SUFFIX:
            raise OutputUnwritableError(f"'{path}'", f"a name that ends in {TAKE_SUFFIX}", "Rename the take.")
        check_target(path)
        self._path = path
        self._temporary = temporary_beside(path)
        self._first_ns: int | None = None
        self._closed = False
        self.n = self.n_with_face = 0
        try:
            self._file = self._temporary.open("w", encoding="ascii", newline="")
        except OSError as error:
            raise self._unwritable(error) from error
        self._write(HEADER)

    def add(self, expression: Expression) -> None:
        """Append one expression; ignored after close().

        Raises:
            OutputUnwritableError: the disk is full.
        """
        if self._closed:
            return
        if self._first_ns is None:
            self._first_ns = expression.captured_ns
        self.n += 1
        self.n_with_face += expression.face is not None
        t_s = max(expression.captured_ns - self._first_ns, 0) * 1e-9
        self._write(table_row(sample_of_expression(expression).face, t_s))

    def close(self) -> None:
        """Finish the file and give it its name; without a single expression there is no file."""
        if self._closed:
            return
        if self.n == 0:
            self.abort()
            return
        try:
            self._file.close()
        except OSError as error:
            raise self._unwritable(error) from error
        self._closed, finished = True, self._temporary
        self._temporary = temporary_beside(self._path)  # an abort() from now on finds nothing to remove
        publish(finished, self._path)

    def abort(self) -> None:
        """Throw away what was written; a former file under the name stays as it was."""
        self._closed = True
        with suppress(OSError, AttributeError):
            self._file.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _write(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
        except OSError as error:
            raise self._unwritable(error) from error
