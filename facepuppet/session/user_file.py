"""What is remembered of one person, as a file to read, edit, take along and remove.

schema = 1
style = "calm"                # the chosen style, if any

[cameras."HD Webcam"]         # one for each camera
runs, light, picture
seat                          # where they usually sit
ranges, neutral               # as in a driver profile (`drivers.camera.profile_file`)
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facepuppet.core.errors import ProfileError, SettingsError
from facepuppet.core.files import write_whole
from facepuppet.drivers.camera.acquaintance import KnownDriver, UsualSeat
from facepuppet.drivers.camera.profile import with_ranges
from facepuppet.drivers.camera.profile_file import neutral_lines, range_lines, read_neutral, read_ranges

SCHEMA = 1
_MAX_BYTES = 5_000_000
_OF_CAMERA = {"runs", "light", "seat", "ranges", "neutral"}
_OF_SEAT = {"turn", "size", "centre", "shoulders", "aspect"}
_HEADING = """\
# facepuppet: what is remembered of the person who runs `facepuppet run --user NAME`, for each camera.
# Proportions of a face and where it sits; no picture, and nobody is recognised by it. It never leaves this
# machine unless you copy it. facepuppet user show, export and forget NAME.
"""


@dataclass(frozen=True, slots=True)
class RememberedUser:
    """All that is remembered of one person.

    Attributes:
        cameras: by the camera's name.
        style: the word of the chosen style; empty for none.
    """

    cameras: Mapping[str, KnownDriver] = field(default_factory=dict)
    style: str = ""


def save_user(path: Path, user: RememberedUser) -> None:
    """Write the file, whole or not at all, for its owner alone.

    Raises:
        OutputUnwritableError: it cannot be written.
    """
    lines = [f"{_HEADING}schema = {SCHEMA}"]
    lines += [f"style = {json.dumps(user.style)}"] if user.style else []
    for name, known in user.cameras.items():
        table, seat = f"cameras.{json.dumps(name)}", known.seat
        lines += [
            "",
            f"[{table}]",
            f"runs = {known.runs}  # in which this was learned",
            f"light = {known.light:.3f}  # mean brightness of the face, 0 to 1",
            "",
            f"[{table}.seat]  # lengths over the picture's width",
            f"turn = {_row(seat.turn)}  # of the head, a rotation vector in radians",
            f"size = {seat.size:.6f}  # inter-ocular distance",
            f"centre = {_row(seat.centre)}  # between the eyes, right, down, away",
            *([] if seat.shoulders is None else [f"shoulders = [{', '.join(map(_row, seat.shoulders))}]"]),
            f"aspect = {seat.aspect:.6f}  # width over height of the picture",
            "",
            f"[{table}.ranges]  # rest, and what was reached on either side of it",
            *range_lines(known.ranges),
            "",
            f"[{table}.neutral]",
            *neutral_lines(known.neutral),
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "\n".join(lines).rstrip().encode() + b"\n", private=True)


def load_user(path: Path) -> RememberedUser:
    """Read a file.

    Raises:
        SettingsError: it cannot be read, is damaged or too new; the message tells the line.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _bad(path, f"is larger than {_MAX_BYTES // 1_000_000} MB")
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike; the former tell the line
        raise _bad(path, f"is not TOML ({str(error)[:100]})") from error
    return _Reader(path, text).user(table)


class _Reader:
    """Checks what a file says, and tells the line of what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._lines = path, text.splitlines()

    def user(self, table: Mapping[str, Any]) -> RememberedUser:
        if type(table.get("schema")) is not int or table["schema"] != SCHEMA:
            raise self._wrong((), "schema", f"has schema {str(table.get('schema'))[:20]}")
        self._only((), table, {"schema", "style", "cameras"})
        style, cameras = table.get("style", ""), table.get("cameras", {})
        if not isinstance(style, str):
            raise self._wrong((), "style", "has a style that is no word")
        if not isinstance(cameras, dict):
            raise self._wrong((), "cameras", "has cameras that are no tables")
        return RememberedUser({name: self._camera(name, one) for name, one in cameras.items()}, style)

    def _camera(self, name: str, table: Any) -> KnownDriver:
        where = ("cameras", name)
        if not isinstance(table, dict):
            raise self._wrong(("cameras",), name, f"has no table for {name[:40]!r}")
        self._only(where, table, _OF_CAMERA)
        runs, seat = table.get("runs"), self._seat((*where, "seat"), table.get("seat"))
        if type(runs) is not int or not 1 <= runs <= 1_000_000:
            raise self._wrong(where, "runs", f"has runs {str(runs)[:20]}, not a count from 1 on")
        light = self._number(where, table, "light", 0.0, 1.0)
        try:
            ranges = read_ranges(self._path, table.get("ranges"))
        except ProfileError as error:
            raise self._of_profile((*where, "ranges"), error) from error
        try:
            neutral = read_neutral(self._path, table.get("neutral"))
        except ProfileError as error:
            raise self._of_profile((*where, "neutral"), error) from error
        return KnownDriver(with_ranges(neutral, ranges).neutral, ranges, seat, light, runs)

    def _seat(self, where: tuple[str, ...], table: Any) -> UsualSeat:
        if not isinstance(table, dict):
            raise self._wrong(where[:-1], "seat", "has no [seat] table")
        self._only(where, table, _OF_SEAT)
        a, b, c = self._numbers(where, "turn", table.get("turn"), 3, 3.2)
        x, y, z = self._numbers(where, "centre", table.get("centre"), 3, 10.0)
        size = self._number(where, table, "size", 0.005, 2.0)
        aspect = self._number(where, table, "aspect", 0.1, 10.0)
        shoulders = table.get("shoulders")
        if shoulders is None:
            return UsualSeat((a, b, c), size, (x, y, z), None, aspect)
        pair = shoulders if isinstance(shoulders, list) and len(shoulders) == 2 else [None, None]
        (p, q), (r, s) = (self._numbers(where, "shoulders", one, 2, 10.0) for one in pair)
        return UsualSeat((a, b, c), size, (x, y, z), ((p, q), (r, s)), aspect)

    def _number(
        self, where: tuple[str, ...], table: Mapping[str, Any], key: str, least: float, most: float
    ) -> float:
        value: Any = table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            told = f"has {key} {str(value)[:20]}, not a number from {least:g} to {most:g}"
            raise self._wrong(where, key, told)
        return float(value)

    def _numbers(self, where: tuple[str, ...], key: str, values: Any, count: int, most: float) -> list[float]:
        """Numbers, as many as these, none beyond ±most."""
        fit = isinstance(values, list) and len(values) == count
        if not (fit and all(type(v) in (int, float) and math.isfinite(v) and abs(v) <= most for v in values)):
            raise self._wrong(where, key, f"has {key} that are not {count} numbers within ±{most:g}")
        return [float(v) for v in values]

    def _only(self, where: tuple[str, ...], table: Mapping[str, Any], known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise self._wrong(where, key, f"has {key[:40]!r}, which means nothing here")

    def _of_profile(self, where: tuple[str, ...], error: ProfileError) -> SettingsError:
        what = error.got.partition("which ")[2]
        named = next((word for word in re.findall(r"\w+", what) if self._line(where, word)), "")
        return self._wrong(where, named, what)

    def _wrong(self, where: tuple[str, ...], key: str, what: str) -> SettingsError:
        line = self._line(where, key) or self._line(where, "") or 1
        return _bad(self._path, f"in line {line} {what}")

    def _line(self, where: tuple[str, ...], key: str) -> int | None:
        """The line of a key in a table as we write them, or of the table's heading; None where it is not."""
        wanted, inside = [*where], not where
        for number, text in enumerate(self._lines, 1):
            if heading := re.match(r"\s*\[([^\[\]].*?)\]\s*(#.*)?$", text):
                inside = _parts(heading[1]) == wanted
                if inside and (not key):
                    return number
                if _parts(heading[1])[:-1] == wanted and _parts(heading[1])[-1] == key:
                    return number
            elif inside and key and re.match(rf"\s*(\"?){re.escape(key)}\1\s*=", text):
                return number
        return None


def _parts(heading: str) -> list[str]:
    """The keys of a table's heading."""
    return [json.loads(quoted) if quoted else bare for quoted, bare in _KEY.findall(heading)]


_KEY = re.compile(r"(\"(?:[^\"\\]|\\.)*\")|([\w-]+)")


def _row(values: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{value:.6f}' for value in values)}]"


def _bad(path: Path, what: str) -> SettingsError:
    return SettingsError(
        f"'{path}', which {what}",
        f"a file of schema {SCHEMA}, as `facepuppet run --user` writes it",
        "It stays as it is, and is not used: correct it, or facepuppet user forget it.",
    )
