"""A style as the arrays that a frame needs, and what lies between two of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from facepuppet.character.channel_groups import FACE_GROUPS, shapes_of, weights_of
from facepuppet.character.envelope import Times
from facepuppet.character.style import MOODS, SETTINGS, Key, Style
from facepuppet.core.types import F32, F64, N_BLENDSHAPES

_KEYS = tuple(SETTINGS)
_AT = {key: index for index, key in enumerate(_KEYS)}
_USUAL = np.array([setting.usual for setting in SETTINGS.values()])
_NOT_HABITS = np.array([key[0] != "habits" for key in _KEYS])
_RATES = [_AT["habits", name] for name in ("nods", "brow_flashes", "gaze_aversions", "blinks")]


class Flags(NamedTuple):
    """What there is to do.

    Attributes:
        changes: whether anything is changed.
        reads: whether the face's weights have to be known.
        damps, adds: whether there are thresholds, and looks.
        timed, head_timed: whether anything takes its time.
    """

    changes: bool
    reads: bool
    damps: bool
    adds: bool
    timed: bool
    head_timed: bool


@dataclass(frozen=True, slots=True)
class Shaping:
    """A style, or something between two.

    Attributes:
        values: every setting, in the order of SETTINGS.
        flat: all of the arrays below in one.
        present: share of habits that is seen.
        flags: what there is to do.
        gains, thresholds: (52,) of shapes.
        times: of shapes, (52,) each.
        looks: (4, 52) what each of MOODS adds at its fullest.
        head_gains: (3,) of pitch, yaw and roll, as turn vectors have them.
        head_times: (3,) each.
    """

    values: F64
    flat: F32
    present: float
    flags: Flags
    gains: F32
    thresholds: F32
    times: Times
    looks: F32
    head_gains: F32
    head_times: Times

    @staticmethod
    def of(style: Style | None) -> Shaping:
        """Return the shaping of a style; of none, that of nothing."""
        values, looks = _USUAL.copy(), np.zeros((len(MOODS), N_BLENDSHAPES), np.float32)
        if style is not None:
            for key, value in style.values.items():
                values[_AT[key]] = value
            for mood, look in style.looks.items():
                looks[MOODS.index(mood)] = weights_of(dict(look))
        return _derived(values, looks, float(style is not None))

    def toward(self, other: Shaping, share: float) -> Shaping:
        """Go from this (0) to another (1); how often habits come is the other's at once."""
        if share >= 1.0:
            return other
        values = self.values + share * (other.values - self.values)
        values[_RATES] = other.values[_RATES]
        flat = self.flat + np.float32(share) * (other.flat - self.flat)
        flags = [one or two for one, two in zip(self.flags, other.flags, strict=True)]
        return _unfolded(
            values,
            flat,
            self.present + share * (other.present - self.present),
            Flags(*flags)._replace(changes=True),
        )

    def __getitem__(self, key: Key) -> float:
        """Return a setting."""
        return float(self.values[_AT[key]])


def _derived(values: F64, looks: F32, present: float) -> Shaping:
    gains, thresholds = np.ones(N_BLENDSHAPES, np.float32), np.zeros(N_BLENDSHAPES, np.float32)
    timed = np.zeros((3, N_BLENDSHAPES), np.float32)
    for group in (*FACE_GROUPS, "lids", "gaze"):
        gains[_SHAPES[group]] = values[_AT["gains", group]]
    for group in FACE_GROUPS:
        thresholds[_SHAPES[group]] = values[_AT["thresholds", group]]
    for group in ("brows", "smile"):
        timed[:, _SHAPES[group]] = _times(values, group)[:, None]
    head = np.array([values[_AT["gains", name]] for name in ("pitch", "yaw", "roll")], np.float32)
    face = gains[_FACE_SHAPES] != 1.0
    reads = bool(face.any() or thresholds.any() or timed.any() or looks.any())
    reads = reads or bool(values[_AT["habits", "brow_flashes"]] > 0.0)
    changes = bool(looks.any() or np.any((values != _USUAL) & _NOT_HABITS) or any(values[_RATES] > 0.0))
    head_times = np.repeat(_times(values, "head")[:, None], 3, axis=1)
    flags = Flags(
        changes, reads, bool(thresholds.any()), bool(looks.any()), bool(timed.any()), bool(head_times.any())
    )
    parts = (gains, thresholds, timed, looks, head, head_times)
    return _unfolded(values, np.concatenate([part.ravel() for part in parts]), present, flags)


def _unfolded(values: F64, flat: F32, present: float, flags: Flags) -> Shaping:
    """Return a shaping of all its arrays in one: these are views of it, and easing is one sum."""
    gains, thresholds, timed, looks, head, head_times = (
        flat[start:end].reshape(shape) for (start, end), shape in zip(_PLACES, _PARTS, strict=True)
    )
    return Shaping(
        values,
        flat,
        present,
        flags,
        gains,
        thresholds,
        Times(timed[0], timed[1], timed[2], not flags.timed),
        looks,
        head,
        Times(head_times[0], head_times[1], head_times[2], not flags.head_timed),
    )


def _times(values: F64, group: str) -> F32:
    steps = ("onset", "hold", "decay")
    return np.array([values[_AT["timing", group, step]] for step in steps], np.float32)


_SHAPES: dict[str, Any] = {group: shapes_of(group) for group in (*FACE_GROUPS, "lids", "gaze")}
_PARTS = (
    *((N_BLENDSHAPES,), (N_BLENDSHAPES,), (3, N_BLENDSHAPES), (len(MOODS), N_BLENDSHAPES)),
    *((3,), (3, 3)),
)
_PLACES = tuple(pairwise(accumulate((math.prod(part) for part in _PARTS), initial=0)))
_FACE_SHAPES = [index for group in FACE_GROUPS for index in shapes_of(group)]
