"""How well a listener does: on films of people not trained on, in silence, and where lips must meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engines.voice.examples import Example, measures_of
from facepuppet.core import F32
from facepuppet.voice import STEP_S

Hear = Callable[[F32], tuple[F32, F32]]  # features (k, 81) to shapes (k, 13) and speaking (k,)
SHUT_GAP = 0.02  # in inter-ocular distances of the mean face: nobody sees lips so near as open
MOST_LAG = 8  # steps either way


@dataclass(frozen=True, slots=True)
class OfFilm:
    """How well one film was heard.

    Attributes:
        name: whose.
        opening, width: correlation with the lips of the film.
        lag_s: by which the opening fits best later than heard; positive: the network is early.
        seconds: of it.
    """

    name: str
    opening: float
    width: float
    lag_s: float
    seconds: float


def of_film(example: Example, hear: Hear) -> OfFilm:
    """Judge one film."""
    shapes, _ = hear(example.features)
    gap, width = measures_of(shapes)
    steps = range(-MOST_LAG, MOST_LAG + 1)
    by_lag = [_correlation(*_shifted(gap, example.gap, step)) for step in steps]
    return OfFilm(
        example.name,
        _correlation(gap, example.gap),
        _correlation(width, example.width),
        steps[int(np.nanargmax(by_lag))] * STEP_S,
        len(gap) * STEP_S,
    )


def silent_shut(examples: Sequence[Example], hear: Hear, *, margin: int = 8) -> float:
    """Share of the steps well within silence in which lips are shut."""
    shut = total = 0
    for example in examples:
        gap, _ = measures_of(hear(example.features)[0])
        silent = np.convolve(example.speaking, np.ones(2 * margin + 1), "same") == 0
        shut, total = shut + int((gap[silent] < SHUT_GAP).sum()), total + int(silent.sum())
    return shut / max(total, 1)


def lips_met(examples: Sequence[Example], hear: Hear) -> float:
    """Share of the phones /p b m/ during which lips meet."""
    met = total = 0
    for example in examples:
        gap, _ = measures_of(hear(example.features)[0])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], example.shut > 0, [0]]).astype(int)))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            met, total = met + bool(gap[begin:end].min() < SHUT_GAP), total + 1
    return met / max(total, 1)


def _shifted(heard: F32, seen: F32, steps: int) -> tuple[F32, F32]:
    """Both, the heard as if it came so many steps later."""
    if steps >= 0:
        return heard[: len(heard) - steps], seen[steps:]
    return heard[-steps:], seen[:steps]


def _correlation(one: F32, other: F32) -> float:
    if one.std() < 1e-5 or other.std() < 1e-5:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
