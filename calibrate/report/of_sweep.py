"""What the sweep of a portrait found, as charts, and what it looked like, as strips of small pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from calibrate.range_words import range_lines
from calibrate.reduce import reduced
from calibrate.report.charts import badness_chart
from calibrate.report.model import Chart, Picture, Row, Section, Strip, Table
from calibrate.sweep import Sample, Sweep
from calibrate.sweep.measures import gap
from calibrate.sweep.observe import SIDE_PX
from facepuppet.core import U8
from facepuppet.face import N_MESH
from facepuppet.portrait import Avatar

THUMB_PX = 150
_VIEW, _CLOSE_VIEW = 2.0, 1.15  # side of the small pictures, in face heights
_CLOSE = ("gaze_x", "gaze_y", "mouth_opening", "eye_opening")  # seen only from near


@dataclass(frozen=True, slots=True)
class _Words:
    """How a field of SafeRange is called."""

    title: str
    sides: tuple[str, str]  # towards negative and positive values; the second alone where there is one side
    degrees: bool = False
    rest: float = 0.0


_FIELDS: Mapping[str, _Words] = MappingProxyType(
    {
        "yaw_rad": _Words("Turn", ("left", "right"), True),
        "pitch_rad": _Words("Nod", ("up", "down"), True),
        "roll_rad": _Words("Tilt", ("counter-clockwise", "clockwise"), True),
        "gaze_x": _Words("Gaze across, in eye widths", ("left", "right")),
        "gaze_y": _Words("Gaze up and down, in eye widths", ("up", "down")),
        "mouth_opening": _Words("Mouth, gap over the distance of the eyes", ("", "open")),
        "eye_opening": _Words("Lids, times their own aperture", ("", "wide"), rest=1.0),
    }
)


class SweepLook:
    """Keeps a small picture of every sample of a sweep; hand it to `sweep` as `look`.

    Args:
        avatar: whose sweep it will be.
    """

    def __init__(self, avatar: Avatar) -> None:
        mesh = reduced(avatar, SIDE_PX).landmarks_px[:N_MESH, :2]
        self._low, self._high = mesh.min(axis=0), mesh.max(axis=0)
        self._seen: list[tuple[Sample, U8]] = []

    def __call__(self, sample: Sample, rgb: U8) -> None:
        """Take in a sample and its picture."""
        view = _CLOSE_VIEW if sample.field in _CLOSE else _VIEW
        scale = THUMB_PX / (view * float(self._high[1] - self._low[1]))
        centre = (self._low + self._high) / 2
        thumb_from_picture = np.hstack([np.eye(2) * scale, THUMB_PX / 2 - scale * centre[:, None]])
        size = (THUMB_PX, THUMB_PX)
        thumb = cv2.warpAffine(
            rgb, thumb_from_picture, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        self._seen.append((sample, np.asarray(thumb, dtype=np.uint8)))

    def strips(self) -> tuple[Strip, ...]:
        """Return a strip a channel, outwards from rest."""
        strips: dict[str, list[Picture]] = {}
        for sample, thumb in self._seen:
            good = sample.badness <= 1.0
            caption = f"{_shown(sample.field, sample.value)} · {sample.badness:.1f}"
            strips.setdefault(_name(sample), []).append(Picture(thumb, caption, good))
        return tuple(Strip(name, tuple(pictures)) for name, pictures in strips.items())


def sweep_sections(avatar: Avatar, found: Sweep, strips: tuple[Strip, ...]) -> tuple[Section, ...]:
    """Return the sections about the safe range and about the pictures it was measured on.

    Args:
        avatar: the portrait; limits stored with it count, what was found now is drawn.
        found: of the sweep.
        strips: its pictures.
    """
    stored = avatar.safe_range or found.safe_range
    words = "How bad the portrait looks the farther it is moved: up to 1 is good. The live show keeps within "
    words += "the shaded range, softly."
    if not found.tracked:
        words += " The tracker does not see this face, so that limits are the usual ones or nearer."
    limits = tuple(Row((line.strip(),)) for line in range_lines(stored))
    charts = [_chart(avatar, field, found, getattr(stored, field)) for field in _FIELDS]
    ranges = {field: getattr(stored, field) for field in _FIELDS}
    return (
        Section(
            "safe-range",
            "Safe range",
            words,
            charts=tuple(charts),
            table=Table(("It",), limits),
            facts={**ranges, "tracked": found.tracked, "samples": [_facts(s) for s in found.samples]},
        ),
        Section(
            "sweep",
            "What the sweep looked like",
            "Each row goes outwards from rest. Below each picture: how far, and how bad; framed is too bad.",
            strips=strips,
        ),
    )


def _chart(avatar: Avatar, field: str, found: Sweep, limit: float | tuple[float, float]) -> Chart:
    words = _FIELDS[field]
    turn = math.degrees if words.degrees else float
    rest = gap(avatar.landmarks_px) if field == "mouth_opening" else words.rest
    points = [
        (turn(-sample.value if sample.side == 0 else sample.value), sample.badness)
        for sample in found.samples
        if sample.field == field
    ]
    points = sorted([*points, (turn(rest), 0.0)])
    safe = (-turn(limit[0]), turn(limit[1])) if isinstance(limit, tuple) else (turn(rest), turn(limit))
    extent = min(points[0][0], safe[0]), max(points[-1][0], safe[1])
    unit = "°" if words.degrees else ""
    digits = 0 if words.degrees else 2
    rounded = round(safe[0], digits), round(safe[1], digits)
    says = f"{words.title}: safe from {rounded[0]:g}{unit} to {rounded[1]:g}{unit}"
    edges = round(extent[0], digits), round(extent[1], digits)
    note = " · ".join(
        side for side in (words.sides[0] and f"← {words.sides[0]}", f"{words.sides[1]} →") if side
    )
    return Chart(words.title, badness_chart(points, rounded, edges, unit, says), note)


def _name(sample: Sample) -> str:
    words = _FIELDS[sample.field]
    side = words.sides[1 if sample.side is None else sample.side]
    return f"{words.title.partition(',')[0]}, {side}"


def _shown(field: str, value: float) -> str:
    return f"{math.degrees(value):.0f}°" if _FIELDS[field].degrees else f"{value:.2f}"


def _facts(sample: Sample) -> dict[str, Any]:
    return {
        "field": sample.field,
        "side": sample.side,
        "value": round(sample.value, 4),
        "badness": round(sample.badness, 3),
        "measures": {name: round(value, 4) for name, value in sample.measures.items()},
    }
