"""Writing a recording (`recording_format`), whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import check_target, publish, temporary_beside
from facepuppet.core.types import Expression
from facepuppet.core.version import __version__
from facepuppet.drivers.expression_writer import ExpressionWriter
from facepuppet.drivers.recording_format import (
    ABOUT,
    CHUNK,
    END,
    FRAME,
    RECORDING_SUFFIX,
    SCHEMA,
    member_name,
    row_of,
)


class RecordingWriter(ExpressionWriter):
    """Writes expressions as they come; the file appears under its name at close().

    Args:
        path: ends in .npz; an existing file is replaced.
        description: who the driver is.
        fps: nominal expressions a second, None when unknown.

    Raises:
        OutputUnwritableError: another ending, no such folder, read-only, or disk full.
    """

    def __init__(self, path: Path, description: str = "", fps: float | None = None) -> None:
        if path.suffix.lower() != RECORDING_SUFFIX:
            raise OutputUnwritableError(
                f"'{path}'", f"a name that ends in {RECORDING_SUFFIX}", "Rename the recording."
            )
        check_target(path)
        self._path = path
        self._temporary = temporary_beside(path)
        self._rows: npt.NDArray[np.void] = np.zeros(CHUNK, FRAME)
        self.n = self.n_with_face = 0
        self._archive: zipfile.ZipFile | None = None
        about = {"facepuppet_recording": SCHEMA, "version": __version__, "driver": description, "fps": fps}
        try:
            self._archive = zipfile.ZipFile(self._temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            self._archive.writestr(ABOUT, json.dumps(about))
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, expression: Expression) -> None:
        """Append one expression; ignored after close().

        Raises:
            OutputUnwritableError: the disk is full.
        """
        if self._archive is None:
            return
        self._rows[self.n % CHUNK] = row_of(expression)
        self.n += 1
        self.n_with_face += expression.face is not None
        if self.n % CHUNK == 0:
            self._flush(self._archive, CHUNK)

    def close(self) -> None:
        """Finish the file and give it its name; without a single expression there is no file."""
        if self._archive is None:
            return
        if self.n == 0:
            self.abort()
            return
        if self.n % CHUNK:
            self._flush(self._archive, self.n % CHUNK)
        try:
            self._archive.writestr(END, json.dumps({"frames": self.n}))
            self._archive.close()
        except OSError as error:
            raise self._unwritable(error) from error
        self._archive, finished = None, self._temporary
        self._temporary = temporary_beside(self._path)  # an abort() from now on finds nothing to remove
        publish(finished, self._path)

    def abort(self) -> None:
        """Throw away what was written; a former file under the name stays as it was."""
        archive, self._archive = self._archive, None
        with suppress(OSError, ValueError):
            if archive is not None:
                archive.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _flush(self, archive: zipfile.ZipFile, n: int) -> None:
        content = io.BytesIO()
        np.save(content, self._rows[:n], allow_pickle=False)
        try:
            archive.writestr(member_name((self.n - 1) // CHUNK), content.getvalue())
        except OSError as error:
            raise self._unwritable(error) from error
