"""The file of hand-placed landmarks: TOML, one named point a line.

    schema = 1
    [points]                        # pixels of the upright picture, x right, y down
    left_eye_outer = [212.0, 250.5]

`template` writes one to fill in; `points.py` tells the names.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calibrate.landmarks.points import OPTIONAL, POINTS, REQUIRED, words
from facepuppet.core import LandmarksError

SCHEMA = 1
_MAX_BYTES = 50_000

Points = dict[str, tuple[float, float]]


def template(points: Mapping[str, tuple[float, float]]) -> str:
    """Return a file's text with these points; names without one are left to fill in or delete.

    Args:
        points: by name, in pixels of the upright picture.
    """
    lines = [
        "# Landmarks placed by hand. Pixels of the picture as it is shown upright: x to the right,",
        "# y down, from its top left corner. Left and right are the picture's, not the person's own.",
        f"schema = {SCHEMA}",
        "",
        "[points]",
    ]
    for heading, names in (("needed", REQUIRED), ("may be left out", OPTIONAL)):
        lines.append(f"# {heading}:")
        lines += [_line(name, points.get(name)) for name in names]
    return "\n".join(lines) + "\n"


def _line(name: str, point: tuple[float, float] | None) -> str:
    value = f"{name} = [{point[0]:.1f}, {point[1]:.1f}]" if point is not None else f"# {name} = [x, y]"
    return f"{value}  # {words(name)}" if words(name) else value


def read_points(path: Path, size_px: tuple[int, int]) -> Points:
    """Read the points of a file.

    Args:
        path: the file.
        size_px: width and height of the upright picture, in which all points must lie.

    Raises:
        LandmarksError: missing, malformed, incomplete, or with points outside the picture.
    """
    table = _table(path)
    unknown = [name for name in table if name not in POINTS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], POINTS, n=1)
        hint = f"Did you mean {near[0]}?" if near else "A template tells the names."
        raise _bad(path, f"has a point called {unknown[0][:40]!r}", "points of the known names", hint)
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        raise _bad(path, f"lacks {', '.join(missing)}", f"all of {', '.join(REQUIRED)}", "Add them.")
    return {name: _point(path, name, value, size_px) for name, value in table.items()}


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _bad(path, "is too large", f"at most {_MAX_BYTES // 1000} kB", "Give the landmarks' file.")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})", "a file", "Check the path.") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike
        raise _bad(path, f"is not TOML ({error})", "one named point a line", "See the template.") from error
    if document.get("schema") != SCHEMA or type(document["schema"]) is not int:
        raise _bad(path, f"has schema {document.get('schema')!r}", f"schema = {SCHEMA}", "See the template.")
    table = document.get("points")
    if not isinstance(table, dict) or set(document) != {"schema", "points"}:
        raise _bad(path, "has other tables than [points]", "schema and [points] alone", "See the template.")
    return table


def _point(path: Path, name: str, value: Any, size_px: tuple[int, int]) -> tuple[float, float]:
    numbers = isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value)
    if not numbers or not all(math.isfinite(v) for v in value):
        raise _bad(path, f"has {name} = {str(value)[:40]}", "[x, y], two numbers", "Correct that line.")
    if not all(0 <= v <= side for v, side in zip(value, size_px, strict=True)):
        width, height = size_px
        raise _bad(
            path,
            f"has {name} = {str(value)[:40]}",
            f"a point inside the picture of {width}x{height} pixels",
            "Read the coordinates off the upright picture at its full size.",
        )
    return float(value[0]), float(value[1])


def _bad(path: Path, got: str, expected: str, todo: str) -> LandmarksError:
    return LandmarksError(f"{path}, which {got}", expected, todo)
