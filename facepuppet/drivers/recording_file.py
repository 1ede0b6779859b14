"""A performance on disk: every expression of a run, to the bit.

A recording is a .npz file (NumPy opens it, too): a ZIP archive of `about.json`, which names the format,
of `frames_000000.npy` and so on with up to 256 expressions each, as a structured array of FRAME, and of
`end.json` with their number, without which it was cut off. It holds no picture of anybody, but how a
person moves; personal all the same.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import OutputUnwritableError, RecordingError
from facepuppet.core.types import (
    N_BLENDSHAPES,
    N_LANDMARKS,
    Blendshapes,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
    TorsoPose,
)
from facepuppet.core.version import __version__

RECORDING_SUFFIX = ".npz"
SCHEMA = 1
FRAME = np.dtype(
    [
        ("frame_id", "<i8"),
        ("captured_ns", "<i8"),
        ("face", "u1"),  # 0 not seen, 1 told by landmarks, 2 by blendshapes
        ("turn", "<f4", 3),  # from here on as `facepuppet.core.types.Expression`; 0 where not told
        ("shift", "<f8", 2),
        ("log_scale", "<f8"),
        ("gaze", "<f8", (2, 2)),
        ("eye_opening", "<f4", 2),
        ("offsets", "<f4", (N_LANDMARKS, 3)),
        ("mouth_width", "<f8"),
        ("blendshapes", "<f4", N_BLENDSHAPES),
        ("torso", "u1"),  # 1 seen
        ("torso_lean", "<f8", 2),
        ("torso_roll_rad", "<f8"),
        ("torso_log_scale", "<f8"),
    ]
)
_CHUNK = 256  # frames: no more is ever in memory
_UNSEEN, _BY_LANDMARKS, _BY_BLENDSHAPES = 0, 1, 2
_ABOUT, _END = "about.json", "end.json"
_MOST_BYTES = FRAME.itemsize * _CHUNK + 4096  # of a member, its header included

Row = Any  # one entry of a structured array: NumPy's types do not tell its fields


class RecordingWriter:
    """Writes expressions as they come; the file appears under its name at close().

    Args:
        path: ends in .npz; an existing file is replaced.
        description: who the driver is.
        fps: nominal expressions a second, None when unknown.

    Attributes:
        n: expressions written so far.
        n_with_face: of those, in which the driver was seen.

    Raises:
        OutputUnwritableError: another ending, no such folder, read-only, or disk full.
    """

    def __init__(self, path: Path, description: str = "", fps: float | None = None) -> None:
        if path.suffix.lower() != RECORDING_SUFFIX:
            raise OutputUnwritableError(
                f"'{path}'", f"a name that ends in {RECORDING_SUFFIX}", "Rename the recording."
            )
        self._path = path
        self._temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        self._rows: npt.NDArray[np.void] = np.zeros(_CHUNK, FRAME)
        self.n = self.n_with_face = 0
        self._archive: zipfile.ZipFile | None = None
        about = {"facepuppet_recording": SCHEMA, "version": __version__, "driver": description, "fps": fps}
        try:
            self._archive = zipfile.ZipFile(self._temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            self._archive.writestr(_ABOUT, json.dumps(about))
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, expression: Expression) -> None:
        """Append one expression; ignored after close().

        Raises:
            OutputUnwritableError: the disk is full.
        """
        if self._archive is None:
            return
        self._rows[self.n % _CHUNK] = _row_of(expression)
        self.n += 1
        self.n_with_face += expression.face is not None
        if self.n % _CHUNK == 0:
            self._flush(self._archive, _CHUNK)

    def close(self) -> None:
        """Finish the file and give it its name; without a single expression there is no file."""
        if self._archive is None:
            return
        if self.n == 0:
            self.abort()
            return
        if self.n % _CHUNK:
            self._flush(self._archive, self.n % _CHUNK)
        try:
            self._archive.writestr(_END, json.dumps({"frames": self.n}))
            self._archive.close()
            self._temporary.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from error
        self._archive = None

    def abort(self) -> None:
        """Throw away what was written; a former file under the name stays as it was."""
        archive, self._archive = self._archive, None
        with suppress(OSError, ValueError):
            if archive is not None:
                archive.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _flush(self, archive: zipfile.ZipFile, n: int) -> None:
        content = io.BytesIO()
        np.save(content, self._rows[:n], allow_pickle=False)
        try:
            archive.writestr(_member((self.n - 1) // _CHUNK), content.getvalue())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> OutputUnwritableError:
        self.abort()
        return OutputUnwritableError(
            f"'{self._path}', which cannot be written ({error.strerror or error})",
            "an existing folder that you may write to, with room left",
            "Choose another file, or free some space.",
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
        for number in range(-(-self.n_frames // _CHUNK)):
            expected = min(_CHUNK, self.n_frames - number * _CHUNK)
            for row in self._rows(_member(number), expected):
                yield _expression_of(row)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _describe(self) -> None:
        about = self._table(_ABOUT)
        schema = about.get("facepuppet_recording")
        if type(schema) is not int:
            raise _bad(self._path, "is no recording of facepuppet's")
        if schema != SCHEMA:
            raise _bad(self._path, f"is of format {schema}, which this version does not read")
        if _END not in self._archive.namelist():
            raise _bad(self._path, "was cut off before its end")
        frames, fps = self._table(_END).get("frames"), about.get("fps")
        if type(frames) is not int or frames < 1:
            raise _bad(self._path, "does not tell how long it is")
        self.n_frames = frames
        self.description = str(about.get("driver", ""))[:200]
        self.fps = float(fps) if isinstance(fps, (int, float)) and 0.1 <= fps <= 1000.0 else None

    def _table(self, name: str) -> dict[str, Any]:
        try:
            table = json.loads(self._member(name))
        except ValueError as error:
            raise _bad(self._path, f"has a damaged {name}") from error
        return table if isinstance(table, dict) else {}

    def _rows(self, name: str, expected: int) -> npt.NDArray[np.void]:
        try:
            rows = np.load(io.BytesIO(self._member(name)), allow_pickle=False)
        except (ValueError, EOFError, OSError, SyntaxError, TypeError) as error:
            raise _bad(self._path, f"has a damaged {name}") from error
        if rows.dtype != FRAME or rows.shape != (expected,):
            raise _bad(self._path, f"has {name} of {rows.shape} {str(rows.dtype)[:60]}")
        return np.asarray(rows)

    def _member(self, name: str) -> bytes:
        """Return a member's content; what claims to be larger than any of ours is not unpacked."""
        try:
            if self._archive.getinfo(name).file_size > _MOST_BYTES:
                raise _bad(self._path, f"has {name} larger than any recording's")
            return self._archive.read(name)
        except KeyError as error:
            raise _bad(self._path, f"lacks {name}") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise _bad(self._path, f"has a damaged {name}") from error


def _member(number: int) -> str:
    return f"frames_{number:06d}.npy"


def _row_of(expression: Expression) -> Row:
    rows = np.zeros(1, FRAME)
    row = rows[0]
    row["frame_id"], row["captured_ns"] = expression.frame_id, expression.captured_ns
    face, torso = expression.face, expression.torso
    if face is not None:
        row["turn"], row["shift"], row["log_scale"] = face.head.turn, face.head.shift, face.head.log_scale
        row["gaze"], row["eye_opening"] = face.gaze, face.eye_opening
        if isinstance(face.deformation, LandmarkOffsets):
            row["face"] = _BY_LANDMARKS
            row["offsets"], row["mouth_width"] = face.deformation.offsets, face.deformation.mouth_width
        else:
            row["face"], row["blendshapes"] = _BY_BLENDSHAPES, face.deformation.weights
    if torso is not None:
        row["torso"] = 1
        row["torso_lean"], row["torso_roll_rad"] = torso.lean, torso.roll_rad
        row["torso_log_scale"] = torso.log_scale
    return row


def _expression_of(row: Row) -> Expression:
    face: FacePose | None = None
    if row["face"] != _UNSEEN:
        head = HeadPose(row["turn"].copy(), _pair(row["shift"]), float(row["log_scale"]))
        deformation = (
            LandmarkOffsets(row["offsets"].copy(), float(row["mouth_width"]))
            if row["face"] == _BY_LANDMARKS
            else Blendshapes(row["blendshapes"].copy())
        )
        face = FacePose(head, row["gaze"].copy(), row["eye_opening"].copy(), deformation)
    torso = (
        TorsoPose(_pair(row["torso_lean"]), float(row["torso_roll_rad"]), float(row["torso_log_scale"]))
        if row["torso"]
        else None
    )
    return Expression(face, torso, int(row["frame_id"]), int(row["captured_ns"]))


def _pair(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _bad(path: Path, what: str) -> RecordingError:
    return RecordingError(
        f"'{path}', which {what}",
        f"a whole recording of format {SCHEMA}, as `facepuppet record` writes it",
        "Record it again, or choose another file.",
    )
