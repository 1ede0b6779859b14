"""Reading a recording (`recording_format`) that nobody trusts."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import RecordingError
from facepuppet.core.types import Expression
from facepuppet.drivers.recording_format import (
    ABOUT,
    CHUNK,
    END,
    FRAMES,
    MOST_BYTES,
    SCHEMA,
    expression_of,
    member_name,
)


class RecordingReader:
    """Reads a recording, a quarter of a minute at a time.

    Attributes:
        description: who the driver was.
        fps: nominal expressions a second, None when unknown.
        n_frames: how many expressions there are.

    Raises:
        RecordingError: no recording, of another version, cut off or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except OSError as error:
            raise _bad(path, f"cannot be opened ({error.strerror or error})") from error
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise _bad(path, "is damaged, cut off, or no recording at all") from error
        try:
            self._describe()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Expression]:
        """Yield every expression in order.

        Raises:
            RecordingError: a part is damaged.
        """
        for number in range(-(-self.n_frames // CHUNK)):
            expected = min(CHUNK, self.n_frames - number * CHUNK)
            for row in self._rows(member_name(number), expected):
                yield expression_of(row)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _describe(self) -> None:
        about = self._table(ABOUT)
        schema = about.get("facepuppet_recording")
        if type(schema) is not int:
            raise _bad(self._path, "is no recording of facepuppet's")
        if schema not in FRAMES:
            raise _bad(self._path, f"is of format {schema}, which this version does not read")
        self._frame = FRAMES[schema]
        if END not in self._archive.namelist():
            raise _bad(self._path, "was cut off before its end")
        frames, fps = self._table(END).get("frames"), about.get("fps")
        if type(frames) is not int or frames < 1:
            raise _bad(self._path, "does not tell how long it is")
        self.n_frames = frames
        self.description = str(about.get("driver", ""))[:200]
        self.fps = float(fps) if isinstance(fps, (int, float)) and 0.1 <= fps <= 1000.0 else None

    def _table(self, name: str) -> dict[str, Any]:
        try:
            table = json.loads(self._content(name))
        except ValueError as error:
            raise _bad(self._path, f"has a damaged {name}") from error
        return table if isinstance(table, dict) else {}

    def _rows(self, name: str, expected: int) -> npt.NDArray[np.void]:
        try:
            rows = np.load(io.BytesIO(self._content(name)), allow_pickle=False)
        except (ValueError, EOFError, OSError, SyntaxError, TypeError) as error:
            raise _bad(self._path, f"has a damaged {name}") from error
        if rows.dtype != self._frame or rows.shape != (expected,):
            raise _bad(self._path, f"has {name} of {rows.shape} {str(rows.dtype)[:60]}")
        return np.asarray(rows)

    def _content(self, name: str) -> bytes:
        """Return a member's content; what claims to be larger than any of ours is not unpacked."""
        try:
            if self._archive.getinfo(name).file_size > MOST_BYTES:
                raise _bad(self._path, f"has {name} larger than any recording's")
            return self._archive.read(name)
        except KeyError as error:
            raise _bad(self._path, f"lacks {name}") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise _bad(self._path, f"has a damaged {name}") from error


def _bad(path: Path, what: str) -> RecordingError:
    return RecordingError(
        f"'{path}', which {what}",
        f"a whole recording of format {SCHEMA}, as `facepuppet record` writes it",
        "Record it again, or choose another file.",
    )
