"""From samples outwards from rest to the limits within which a portrait stays good."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibrate.sweep.measures import badness
from calibrate.sweep.observe import Observer
from calibrate.sweep.travels import CHANNELS, Channel
from facepuppet.core import U8, euler_from_rotation
from facepuppet.face import fit_head
from facepuppet.portrait import Avatar, SafeRange
from facepuppet.vision import FaceMesh


@dataclass(frozen=True, slots=True)
class Sample:
    """One moved picture.

    Attributes:
        field: the attribute of SafeRange.
        side: 0 towards negative values, 1 towards positive ones; None where there is one side only.
        value: how far it was moved, in the attribute's unit, as a magnitude.
        measures: what was measured, by the names of `measures.TOLERATED`.
        badness: the worst measure as a share of what is tolerated.
    """

    field: str
    side: int | None
    value: float
    measures: Mapping[str, float]
    badness: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found.

    Attributes:
        safe_range: the limits.
        samples: every picture, channel by channel, outwards.
        tracked: whether the tracker sees the portrait at all; if not, limits are no wider than assumed.
    """

    safe_range: SafeRange
    samples: tuple[Sample, ...]
    tracked: bool


Look = Callable[[Sample, U8], None]


def sweep(avatar: Avatar, look: Look | None = None) -> Sweep:
    """Measure how far a portrait bears to be moved.

    Args:
        avatar: the portrait, views included.
        look: shown each sample and its (H, W, 3) uint8 RGB picture.
    """
    mesh = FaceMesh()
    try:
        observer = Observer(avatar, mesh)
        samples: list[Sample] = []
        limits: dict[str, Any] = {}
        for channel in CHANNELS:
            taken, rest = _sample(channel, observer, look)
            samples += taken
            limit = limit_from(taken, channel.least, rest)
            limits[channel.field] = limit if channel.side is None else (*limits.get(channel.field, ()), limit)
    finally:
        mesh.close()
    measured = SafeRange(**limits)
    if not observer.sees_rest:
        measured = _no_wider(measured, avatar)
    return Sweep(measured, tuple(samples), observer.sees_rest)


def limit_from(samples: list[Sample], least: float, rest: float) -> float:
    """Return where badness passes 1, interpolated between samples; the last value if it never does.

    One bad picture between good ones is the tracker's fault, not the portrait's.

    Args:
        samples: of one channel, outwards.
        least: the nearest limit to return.
        rest: the value at rest, where badness counts as 0.
    """
    found = [sample.badness for sample in samples]
    steady = [min(pair) for pair in zip(found, [*found[1:], found[-1]], strict=True)]
    values, before = [rest, *(sample.value for sample in samples)], [0.0, *steady]
    for i in range(1, len(values)):
        if before[i] > 1.0:
            share = (1.0 - before[i - 1]) / (before[i] - before[i - 1])
            limit = values[i - 1] + share * (values[i] - values[i - 1])
            return round(max(limit, least), 3)
    return round(max(values[-1], least), 3)


def _sample(channel: Channel, observer: Observer, look: Look | None) -> tuple[list[Sample], float]:
    """Take the samples of a channel; also returns its value at rest."""
    taken: list[Sample] = []
    rest = channel.rest
    for magnitude in channel.values:
        rgb, motion, measures = observer.observe(channel.deltas(magnitude), channel.field)
        value = magnitude
        if channel.field == "mouth_opening":  # limits count the portrait's own gap in
            value, rest = motion.mouth_opening, max(motion.mouth_opening - magnitude, 0.0)
        taken.append(Sample(channel.field, channel.side, value, measures, badness(measures)))
        if look is not None:
            look(taken[-1], rgb)
    return taken, rest


def _no_wider(measured: SafeRange, avatar: Avatar) -> SafeRange:
    """Without a tracker's witness no limit is wider than what is assumed of portraits."""
    assumed = SafeRange.assumed(*euler_from_rotation(fit_head(avatar.landmarks_px).rotation))
    nearer: dict[str, Any] = {}
    for field in dataclasses.fields(SafeRange):
        both = np.minimum(getattr(measured, field.name), getattr(assumed, field.name)).tolist()
        nearer[field.name] = tuple(both) if isinstance(both, list) else both
    return SafeRange(**nearer)
