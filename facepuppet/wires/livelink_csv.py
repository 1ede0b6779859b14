"""The tables that Epic's Live Link Face records: a row a frame, `Timecode,BlendShapeCount` and 61 columns.

As in public recordings of the app: its own tables have JawRight before JawLeft and MouthRight before
MouthLeft, other programs' as the packets do; `BlendShapeCount` is `BlendshapeCount` in some, the names of
ARKit's shapes are capitalised or not. So columns go by their header. A time code is HH:MM:SS:FF.sub, its
frames counted in a rate that is not written down: it is taken to be the least usual one that has a frame of
the highest number there is. A row without a face has a count of 0, or no values. Angles are as in packets.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.wires.livelink import COUNT, face_of_values, values_of_face
from facepuppet.wires.names import PASCAL_NAMES, arkit_index
from facepuppet.wires.wire_face import WireFace, WireSample

RATE = 60  # frames a second that the app counts in where it is not told otherwise, and we
_RATES = (24, 25, 30, 50, RATE, 100, 120, 240)
_TIME = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)[:;](\d{1,3})(\.\d+)?", re.ASCII)
_DAY_S = 86_400.0
_SWAPPED = {
    "JawLeft": "JawRight",
    "JawRight": "JawLeft",
    "MouthLeft": "MouthRight",
    "MouthRight": "MouthLeft",
}
_ANGLES = tuple(
    f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll")
)
_NAMES = (*PASCAL_NAMES, *_ANGLES)  # as in a packet
_TABLE_NAMES = (*(_SWAPPED.get(name, name) for name in PASCAL_NAMES), *_ANGLES)  # as in the app's table
_TABLE_FROM_PACKET = [_NAMES.index(name) for name in _TABLE_NAMES]
_ANGLE_INDEX = {name.lower(): N_BLENDSHAPES + n for n, name in enumerate(_ANGLES)}
HEADER = ",".join(("Timecode", "BlendShapeCount", *_TABLE_NAMES))
MOST_ROWS = 1_000_000  # four hours and a half


class MalformedTableError(ValueError):
    """A table that is none of Live Link Face's, or is damaged; says in which line."""


@dataclass(frozen=True, slots=True)
class LiveLinkTable:
    """What a table tells.

    Attributes:
        samples: by row; their time is that of the time code, and never falls.
        fps: rows a second; None for a single one.
        from_start: whether time codes count from the table's own start, and not by the time of day.
    """

    samples: Sequence[WireSample]
    fps: float | None
    from_start: bool


def read_table(lines: Iterable[str]) -> LiveLinkTable:
    """Read a table.

    Raises:
        MalformedTableError: it is none, or it is damaged.
    """
    rows = csv.reader(lines)
    codes: list[tuple[int, float]] = []
    faces: list[F32 | None] = []
    try:
        columns, time_column, count_column = _columns(next(rows, []))
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(faces) >= MOST_ROWS:
                raise MalformedTableError(f"more than {MOST_ROWS} rows")
            codes.append(_time_code(row, time_column))
            nobody = count_column is not None and _cell(row, count_column) in ("0", "0.0")
            faces.append(None if nobody else _values(row, columns))
    except (csv.Error, MalformedTableError, UnicodeDecodeError) as error:
        raise MalformedTableError(f"line {max(rows.line_num, 1)}: {error}") from error
    if not faces:
        raise MalformedTableError("no row below the header")
    times_s = _times(codes)
    samples = [WireSample(_face(face), t) for face, t in zip(faces, times_s, strict=True)]
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    fps = round(1.0 / step_s, 2) if step_s > 0.0 else None
    return LiveLinkTable(samples, fps, from_start=codes[0][0] == 0 and codes[0][1] < 1.0)


def table_row(face: WireFace | None, t_s: float) -> str:
    """Return the row of a moment, t_s seconds after the start of its table, as the app writes it."""
    seconds, part = divmod(t_s, 1.0)
    frame = min(part * RATE, RATE - 0.001)  # rounded it must not become the next second's
    hours, minutes = divmod(int(seconds) // 60, 60)
    code = f"{hours:02d}:{minutes:02d}:{int(seconds) % 60:02d}:{frame:06.3f}"
    if face is None:
        return f"{code},0"
    values = values_of_face(face)[_TABLE_FROM_PACKET]
    return ",".join([code, str(COUNT), *(f"{value:.10f}" for value in values.tolist())])


def _columns(header: Sequence[str]) -> tuple[Mapping[int, int], int, int | None]:
    """Value by column, then the columns of time and count."""
    columns: dict[int, int] = {}
    time_column, count_column = None, None
    for column, cell in enumerate(header):
        name = cell.strip().lower()
        index = _ANGLE_INDEX.get(name, arkit_index(name))
        if index is not None:
            columns[column] = index
        elif name == "timecode":
            time_column = column
        elif name == "blendshapecount":
            count_column = column
    if time_column is None:
        raise MalformedTableError("a header without Timecode")
    if not any(index < N_BLENDSHAPES for index in columns.values()):
        raise MalformedTableError("a header without any of ARKit's shapes")
    return columns, time_column, count_column


def _cell(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _time_code(row: Sequence[str], column: int) -> tuple[int, float]:
    """Whole seconds, and the frame among those of a second."""
    cell = _cell(row, column)
    found = _TIME.fullmatch(cell)
    if found is None:
        raise MalformedTableError(f"{cell[:40]!r} is no time code HH:MM:SS:FF")
    hours, minutes, seconds, frame = (int(part) for part in found.groups()[:4])
    return 3600 * hours + 60 * minutes + seconds, frame + float(found[5] or 0.0)


def _values(row: Sequence[str], columns: Mapping[int, int]) -> F32 | None:
    """Values (61,) of a row; None where it has none."""
    cells = {column: _cell(row, column) for column in columns}
    if not any(cells.values()):
        return None
    values = np.zeros(COUNT, np.float32)
    for column, index in columns.items():
        try:
            value = float(cells[column])
        except ValueError as error:
            what = f"{cells[column][:40]!r} in place of a number" if cells[column] else "no value"
            raise MalformedTableError(f"{what} for {_NAMES[index]}") from error
        if not math.isfinite(value) or abs(value) > 1e6:
            raise MalformedTableError(f"{value} for {_NAMES[index]}")
        values[index] = value
    return values


def _face(values: F32 | None) -> WireFace | None:
    if values is None:
        return None
    face = face_of_values(values)
    if np.any(values[N_BLENDSHAPES + 3 :]):
        return face
    return WireFace(face.weights, face.head_rad)  # other programs leave the eyes to eyeLook*


def _times(codes: Sequence[tuple[int, float]]) -> list[float]:
    """Seconds of time codes; the day may end between two of them."""
    rate = _rate(codes)
    return list(_rising(whole + min(frame / rate, 1.0) for whole, frame in codes))


def _rising(times_s: Iterable[float]) -> Iterator[float]:
    last_s, days_s = -math.inf, 0.0
    for t_s in times_s:
        if t_s + days_s < last_s - 0.5 * _DAY_S:
            days_s += _DAY_S
        last_s = max(last_s, t_s + days_s)
        yield last_s


def _rate(codes: Sequence[tuple[int, float]]) -> int:
    highest = max(frame for _, frame in codes)
    if codes[0][0] == codes[-1][0]:
        highest = max(highest, RATE - 1)  # within a second nothing shows where frames begin anew
    return next((rate for rate in _RATES if highest < rate), math.ceil(highest) + 1)
