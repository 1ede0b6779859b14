"""A driver profile on disk: one small TOML file, for people to read and for `run --profile`.

schema    2; files of schema 1, which have no ranges, are read as well
ranges    of every channel: rest, low and high, in the unit that the comment tells
neutral   the relaxed face: landmarks in the head frame, and the aperture of open eyes
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from facepuppet.core.errors import ProfileError
from facepuppet.core.files import write_whole
from facepuppet.core.types import N_LANDMARKS
from facepuppet.drivers.camera.channels import CHANNELS, Range
from facepuppet.drivers.camera.profile import (
    MIN_EYE_OPENING,
    DriverNeutral,
    DriverProfile,
    usual_shut,
    with_ranges,
)
from facepuppet.face.canonical import is_face

_SCHEMA = 2
_KEYS = {1: {"schema", "neutral"}, 2: {"schema", "neutral", "ranges"}}
_MAX_BYTES = 1_000_000


def save_profile(path: Path, profile: DriverProfile) -> None:
    """Write a driver profile with the ranges of all channels, whole or not at all.

    Raises:
        OutputUnwritableError: the file cannot be written.
    """
    lines = [
        "# Driver profile of facepuppet: how this person's face rests, and how far it moves.",
        "# Proportions of a face, no picture; personal all the same.",
        f"schema = {_SCHEMA}",
        "",
        "[ranges]  # rest, and what was reached on either side of it, outliers left out",
        *range_lines(profile.ranges),
        "",
        "[neutral]",
        *neutral_lines(profile.neutral),
    ]
    write_whole(path, "\n".join(lines).encode())


def neutral_lines(neutral: DriverNeutral) -> list[str]:
    """Return the lines of a [neutral] table."""
    rows = ",\n".join(f"  [{x:.6f}, {y:.6f}, {z:.6f}]" for x, y, z in neutral.landmarks_head.tolist())
    left, right = neutral.eye_opening.tolist()
    return [
        f"eye_opening = [{left:.6f}, {right:.6f}]  # lid aperture over eye width, image-left eye first",
        f"landmarks_head = [  # in inter-ocular distances, x right, y down, z away\n{rows},\n]\n",
    ]


def range_lines(ranges: Mapping[str, Range]) -> list[str]:
    """Return the lines of a [ranges] table: one a channel, under a heading for each unit."""
    lines = []
    for unit, group in groupby(CHANNELS.items(), lambda item: item[1].unit):
        lines.append(f"# {unit}")
        for name, channel in group:
            r = ranges[name]
            values = f"{{ rest = {r.rest:.4f}, low = {r.low:.4f}, high = {r.high:.4f} }}"
            lines.append(f"{name} = {values}  # {channel.label}")
    return lines


def load_profile(path: Path) -> DriverProfile:
    """Read a driver profile.

    Raises:
        ProfileError: the file is missing, malformed, too new, or not a face at rest.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _bad(path, "is too large")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors alike
        raise _bad(path, f"is not TOML ({error})") from error
    schema = table.get("schema")
    if type(schema) is not int or schema not in _KEYS:
        raise _bad(path, f"has schema {schema!r}")
    _only(path, table, _KEYS[schema], "the file")
    neutral = read_neutral(path, table.get("neutral"))
    return with_ranges(neutral, {} if schema == 1 else read_ranges(path, table.get("ranges")))


def read_ranges(path: Path, table: Any) -> dict[str, Range]:
    """Read a [ranges] table; ProfileError where it is none."""
    if not isinstance(table, dict):
        raise _bad(path, "has no [ranges] table")
    _only(path, table, set(CHANNELS), "[ranges]")
    return {name: _range(path, name, table.get(name)) for name in CHANNELS}


def _range(path: Path, name: str, table: Any) -> Range:
    keys = ("rest", "low", "high")
    if not isinstance(table, dict) or set(table) != set(keys):
        raise _bad(path, f"has no rest, low and high, or more than these, for {name}")
    values = [table[key] for key in keys]
    least, most = CHANNELS[name].bounds
    numbers = all(type(v) in (int, float) and math.isfinite(v) and least <= v <= most for v in values)
    if not (numbers and values[1] <= values[0] <= values[2]):
        told = ", ".join(f"{key} {str(value)[:20]}" for key, value in zip(keys, values, strict=True))
        raise _bad(path, f"has {name} with {told}, not low ≤ rest ≤ high within {least:g} to {most:g}")
    return Range(*(float(value) for value in values))


def read_neutral(path: Path, table: Any) -> DriverNeutral:
    """Read a [neutral] table; ProfileError where it is none."""
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
            landmarks = np.array(table["landmarks_head"], dtype=np.float64).astype(np.float32)
            opening = np.array(table["eye_opening"], dtype=np.float64).astype(np.float32)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _bad(path, "has no complete [neutral] table") from error
    _only(path, table, {"landmarks_head", "eye_opening"}, "[neutral]")
    if landmarks.shape != (N_LANDMARKS, 3) or opening.shape != (2,):
        raise _bad(path, f"has arrays of shape {landmarks.shape} and {opening.shape}")
    if not (is_face(landmarks) and np.abs(landmarks).max() < 10):
        raise _bad(path, "has landmarks that are no face")
    if not ((opening >= MIN_EYE_OPENING) & (opening < 1)).all():
        raise _bad(path, "was taken with the eyes shut")
    return DriverNeutral(landmarks, opening, usual_shut(opening))


def _only(path: Path, table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise _bad(path, f"has {unknown[0][:40]!r} in {where}, which means nothing here")


def _bad(path: Path, what: str) -> ProfileError:
    return ProfileError(
        f"profile '{path}', which {what}",
        f"a TOML profile of schema {_SCHEMA}, as `facepuppet-calibrate driver` writes it",
        "Leave it out, or make a new one.",
    )
