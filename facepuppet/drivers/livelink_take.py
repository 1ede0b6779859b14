"""Playing a take of Live Link Face: the table (.csv) that the app records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from facepuppet.core.errors import RecordingError
from facepuppet.core.types import N_BLENDSHAPES, Expression
from facepuppet.drivers.base import Driver
from facepuppet.wires import WireFace, WireSample, face_of_wire
from facepuppet.wires.livelink_csv import LiveLinkTable, MalformedTableError, read_table

_SETTLE_S = 0.4  # as long as a phone's first moments
_MOST_LINE = 100_000  # characters


class LiveLinkTakeDriver(Driver):
    """Plays a take once: offline the same each time, live at its own pace.

    A phone stands anywhere: the head's turn counts against its middle in the first moments. Where time codes
    count from the start of the table, a program wrote it, whose angles are against rest already.

    Raises:
        RecordingError: no such table, or damaged.
    """

    def __init__(self, path: Path) -> None:
        table = _read(path)
        self.description = f"Live Link Face take {path.name!r}"
        self.fps: float | None = table.fps
        self.n_frames: int | None = len(table.samples)
        self._rest = None if table.from_start else _rest(table.samples)
        self._samples: Iterator[tuple[int, WireSample]] = enumerate(table.samples)
        self._start_s = table.samples[0].sent_s or 0.0
        self._closed = False

    def read(self) -> Expression | None:
        """Return the next expression, or None after the last."""
        frame_id, sample = (0, None) if self._closed else next(self._samples, (0, None))
        if sample is None:
            return None
        captured_ns = round(((sample.sent_s or 0.0) - self._start_s) * 1e9)
        if sample.face is None:
            return self.paced(Expression.absent(frame_id, captured_ns))
        return self.paced(Expression(face_of_wire(sample.face, self._rest), None, frame_id, captured_ns))

    def close(self) -> None:
        """Give nothing more."""
        self._closed = True
        super().close()


def _read(path: Path) -> LiveLinkTable:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # A file of one endless line must not come into memory whole.
            return read_table(iter(lambda: file.readline(_MOST_LINE), ""))
    except OSError as error:
        raise _bad(path, f"cannot be opened ({error.strerror or error})") from error
    except MalformedTableError as error:
        raise _bad(path, f"is no whole table of Live Link Face ({error})") from error


def _rest(samples: Sequence[WireSample]) -> WireFace | None:
    """The middle of each angle in the first moments with a face."""
    faces = [(sample.sent_s or 0.0, sample.face) for sample in samples if sample.face is not None]
    if not faces:
        return None
    first_s = faces[0][0]
    heads = [face.head_rad for t_s, face in faces if t_s - first_s <= _SETTLE_S]
    return WireFace(np.zeros(N_BLENDSHAPES, np.float32), np.median(heads, axis=0).astype(np.float32))


def _bad(path: Path, what: str) -> RecordingError:
    return RecordingError(
        f"'{path}', which {what}",
        "a .csv of Live Link Face, with Timecode and ARKit's shapes in its first line",
        "Export it from the app again, or choose another file.",
    )
