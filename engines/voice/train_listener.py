"""Trains the listener: correlation with what lips did in films, phones where speech was made."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from engines.voice.examples import Example
from engines.voice.listener import MouthListener
from facepuppet.core import F32, F64
from facepuppet.face import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    canonical_landmarks,
    landmark_basis,
    mouth_width,
)
from facepuppet.voice import spread

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out, besides the data.

    Attributes:
        steps: of the optimiser.
        batch: stretches a step.
        stretch: steps of 20 ms in each.
        rate: of learning, at its peak.
        filmed: share of a batch that is of films.
        width: of the network.
        drop: of its layers, in training.
        decay: of weights.
        average: decay of the running mean of weights, which is what is exported.
        seed: of weights and draws.
    """

    steps: int = 3000
    batch: int = 24
    stretch: int = 200
    rate: float = 2e-3
    filmed: float = 0.5
    width: int = 128
    drop: float = 0.25
    decay: float = 1e-2
    average: float = 0.995
    seed: int = 1


@cache
def _measures() -> tuple[Tensor, Tensor]:
    """How each shape opens (13,) and widens (13,) the mean face's mouth."""
    mean = canonical_landmarks()
    moved = [
        mean + np.tensordot(spread(row).astype(np.float64), landmark_basis(), 1)
        for row in np.eye(13, dtype=np.float32)
    ]
    upper_lower = [_signed_gap(face) - _signed_gap(mean) for face in moved]
    width = [mouth_width(face.astype(np.float32)) - mouth_width(mean) for face in moved]
    return torch.tensor(upper_lower, dtype=torch.float32), torch.tensor(width, dtype=torch.float32)


def _signed_gap(face: F32) -> float:
    return float(face[LOWER_LIP_INNER[5], 1] - face[UPPER_LIP_INNER[5], 1])


def train(examples: Sequence[Example], recipe: Recipe, every: int = 500) -> MouthListener:
    """Train on examples; return the averaged network."""
    torch.manual_seed(recipe.seed)
    network = MouthListener(recipe.width, recipe.drop)
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps, pct_start=0.1)
    begun_s, losses = time.perf_counter(), []
    for step, batch in zip(range(recipe.steps), _batches(examples, recipe), strict=False):
        loss = _loss(network, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        _follow(averaged, network, min(recipe.average, step / (step + 10.0)))
        if (step + 1) % every == 0:
            log.info("step %d: loss %.4f, %.0f s", step + 1, np.mean(losses), time.perf_counter() - begun_s)
            losses.clear()
    return averaged.eval()


def _loss(network: MouthListener, batch: dict[str, Tensor]) -> Tensor:
    shapes, told, _ = network(batch["features"], network.start(len(batch["features"])))
    skip = 25  # steps in which the network has hardly heard anything
    shapes, told = shapes[:, skip:], told[:, skip:]
    truth = {name: values[:, skip:] for name, values in batch.items() if name not in ("filmed", "features")}
    of_gap, of_width = _measures()
    gap, width = shapes @ of_gap, shapes @ of_width
    filmed = batch["filmed"]
    loss = (
        filmed * (1 - _agreement(gap, truth["gap"]) + 0.6 * (1 - _agreement(width, truth["width"])))
    ).mean()
    made = 1.0 - filmed
    away = ((gap - truth["gap"]).abs().mean(1) + (width - truth["width"]).abs().mean(1)) * (
        8.0 * made + 2.0 * filmed
    )
    loss = loss + away.mean() + 1.5 * (shapes - truth["mouth"]).abs().mean((1, 2)).mean()
    loss = loss + (truth["shut"] * gap.relu()).mean() * 12.0
    loss = loss + ((1 - truth["speaking"]) * gap.relu() * made[:, None]).mean() * 4.0
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    loss = loss + 0.3 * bce(told[..., 0], truth["speaking"])
    met = bce(told[..., 1], truth["shut"], reduction="none").mean(1)
    total: Tensor = loss + 0.2 * (met * made).mean()
    return total


def _agreement(one: Tensor, other: Tensor) -> Tensor:
    """Correlation over the steps of each stretch (n,); 0 where nothing moves."""
    one, other = (values - values.mean(1, keepdim=True) for values in (one, other))
    floor = 4e-4 * one.shape[1]
    agreement: Tensor = (one * other).sum(1) / (
        ((one**2).sum(1) + floor) * ((other**2).sum(1) + floor)
    ).sqrt()
    return agreement


def _batches(examples: Sequence[Example], recipe: Recipe) -> Iterator[dict[str, Tensor]]:
    chance = np.random.default_rng(recipe.seed)
    kinds = [[e for e in examples if e.filmed], [e for e in examples if not e.filmed]]
    odds = [_odds(kind) for kind in kinds]
    while True:
        rows = []
        for i in range(recipe.batch):
            kind = 0 if i < recipe.filmed * recipe.batch else 1
            example = kinds[kind][int(chance.choice(len(odds[kind]), p=odds[kind]))]
            rows.append(_stretch(example, recipe.stretch, chance))
        yield {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


def _odds(examples: Sequence[Example]) -> F64:
    """By length, but no name counts much more than another."""
    lengths = np.array([len(e.gap) for e in examples], float)
    names = [e.name for e in examples]
    total = {
        name: sum(n for n, other in zip(lengths, names, strict=True) if other == name) for name in set(names)
    }
    odds = np.array([n / total[name] ** 0.6 for n, name in zip(lengths, names, strict=True)])
    return np.asarray(odds / max(odds.sum(), 1e-9))


def _stretch(example: Example, n: int, chance: np.random.Generator) -> dict[str, F32]:
    """A chance stretch; what is too short goes on in silence where it began."""
    k = len(example.gap)
    begin = int(chance.integers(0, max(k - n, 0) + 1))
    cut = slice(begin, begin + n)
    found = {
        name: _filled(getattr(example, name)[cut], n)
        for name in ("features", "mouth", "gap", "width", "speaking", "shut")
    }
    return {**found, "filmed": np.array(example.filmed, np.float32)}


def _filled(values: F32, n: int) -> F32:
    short = n - len(values)
    if short <= 0:
        return values
    return np.concatenate([values, np.repeat(values[-1:], short, 0)])


def _follow(averaged: MouthListener, network: MouthListener, decay: float) -> None:
    with torch.no_grad():
        for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - decay)


def hear(network: MouthListener, features: F32) -> tuple[F32, F32]:
    """Return shapes (k, 13) and speaking (k,) of features (k, 81), without augmentation."""
    with torch.no_grad():
        shapes, told, _ = network(torch.from_numpy(features[None]), network.start(1))
    return shapes[0].numpy(), torch.sigmoid(told[0, :, 0]).numpy()
