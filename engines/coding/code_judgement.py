"""How well faces come back from their codes, beside principal components of the same number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from engines.coding.code_network import ExpressionCoder
from engines.coding.performers import Takes
from facepuppet.character import CODED, N_CODE
from facepuppet.core import F32

_CODED = list(CODED)
_OF_EACH = 1500  # frames of a person that components are found in, so that no one outweighs the others
Way = Callable[[F32], F32]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Of one person.

    Attributes:
        error: mean absolute difference of the coded weights.
        tremble: mean absolute second difference in time, over that of the person's own weights.
    """

    error: float
    tremble: float


def through_network(network: ExpressionCoder) -> Way:
    """Return what a network makes of weights (k, 52): the coded ones, (k, 41)."""

    def way(weights: F32) -> F32:
        with torch.no_grad():
            code, _ = network.encode(torch.tensor(weights[None]), network.start(1))
            given, _ = network.decode(code, network.start(1))
        there: F32 = given[0].clamp(0.0, 1.0).numpy()
        return there

    return way


def through_components(takes: Takes, n: int = N_CODE) -> Way:
    """Return the same by principal components of people's weights."""
    chance = np.random.default_rng(0)
    people = [np.concatenate(clips) for clips in takes.values()]
    rows = np.concatenate([rows[chance.permutation(len(rows))[:_OF_EACH]] for rows in people])[:, _CODED]
    mean = rows.mean(0)
    axes = np.linalg.svd(rows - mean, full_matrices=False)[2][:n]
    return lambda weights: np.clip((weights[:, _CODED] - mean) @ axes.T @ axes + mean, 0.0, 1.0)


def judge(takes: Takes, way: Way) -> dict[str, Fidelity]:
    """Return how well each person's clips come through."""
    found = {}
    for person, clips in takes.items():
        given = [way(clip) for clip in clips]
        wanted = [clip[:, _CODED] for clip in clips]
        error = np.concatenate([np.abs(a - b) for a, b in zip(given, wanted, strict=True)]).mean()
        trembles = [
            np.concatenate([np.abs(np.diff(x, 2, axis=0)) for x in xs]).mean() for xs in (given, wanted)
        ]
        found[person] = Fidelity(float(error), float(trembles[0] / trembles[1]))
    return found


def means(found: dict[str, Fidelity]) -> tuple[float, float, float]:
    """Return the mean error over people, the worst person's, and the mean tremble."""
    errors = [one.error for one in found.values()]
    return float(np.mean(errors)), max(errors), float(np.mean([one.tremble for one in found.values()]))
