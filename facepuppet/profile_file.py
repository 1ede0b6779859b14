"""A driver's resting face on disk: one small TOML file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from facepuppet.errors import OutputUnwritableError, ProfileError
from facepuppet.profile import MIN_EYE_OPENING, DriverNeutral
from facepuppet.track.canonical import is_face
from facepuppet.types import N_LANDMARKS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SCHEMA = 1
_MAX_BYTES = 1_000_000


def save_profile(path: Path, neutral: DriverNeutral) -> None:
    """Write a driver profile.

    Raises:
        OutputUnwritableError: the file cannot be written.
    """
    rows = ",\n".join(f"  [{x:.6f}, {y:.6f}, {z:.6f}]" for x, y, z in neutral.landmarks_head.tolist())
    left, right = neutral.eye_opening.tolist()
    text = (
        f"schema = {_SCHEMA}\n\n[neutral]\n"
        f"eye_opening = [{left:.6f}, {right:.6f}]  # lid aperture over eye width, image-left eye first\n"
        f"landmarks_head = [  # in inter-ocular distances, x right, y down, z away\n{rows},\n]\n"
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputUnwritableError(
            f"'{path}', which cannot be written ({error.strerror})",
            "a file in a folder that can be written to",
            "Choose another place for the profile.",
        ) from error


def load_profile(path: Path) -> DriverNeutral:
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
    if table.get("schema") != _SCHEMA:
        raise _bad(path, f"has schema {table.get('schema')!r}")
    return _neutral(path, table.get("neutral"))


def _neutral(path: Path, table: Any) -> DriverNeutral:
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
            landmarks = np.array(table["landmarks_head"], dtype=np.float64).astype(np.float32)
            opening = np.array(table["eye_opening"], dtype=np.float64).astype(np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(path, "has no complete [neutral] table") from error
    if landmarks.shape != (N_LANDMARKS, 3) or opening.shape != (2,):
        raise _bad(path, f"has arrays of shape {landmarks.shape} and {opening.shape}")
    if not (is_face(landmarks) and np.abs(landmarks).max() < 10):
        raise _bad(path, "has landmarks that are no face")
    if not ((opening >= MIN_EYE_OPENING) & (opening < 1)).all():
        raise _bad(path, "was taken with the eyes shut")
    return DriverNeutral(landmarks, opening)


def _bad(path: Path, what: str) -> ProfileError:
    return ProfileError(
        f"profile '{path}', which {what}",
        f"a TOML profile of schema {_SCHEMA}",
        "Leave it out, or make a new one.",
    )
