"""Trains the listener: correlation with what lips did in films, phones where speech was made."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
from facepuppet.voice import N_BANDS, spread

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
    width: int = 96
    drop: float = 0.35
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


def train(
    examples: Sequence[Example], recipe: Recipe, kept: Path | None = None, every: int = 250
) -> MouthListener:
    """Train on examples; return the averaged network.

    Args:
        examples: some of films, some of made speech.
        recipe: how.
        kept: a checkpoint, to go on from where it is there and written every so many steps; None keeps none.
        every: steps between two reports.
    """
    training = _Training(recipe, kept)
    begun_s, losses = time.perf_counter(), []
    for batch in _batches(examples, recipe, training.step):
        if training.step >= recipe.steps:
            break
        losses.append(training.go_on(batch))
        if training.step % every == 0 or training.step == recipe.steps:
            seconds = time.perf_counter() - begun_s
            log.info("step %d: loss %.4f, %.0f s", training.step, np.mean(losses), seconds)
            losses.clear()
            training.keep()
    return training.averaged.eval()


class _Training:
    """A network, its running mean, and what trains it; all of it is kept and gone on with."""

    def __init__(self, recipe: Recipe, kept: Path | None) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe, self._kept = recipe, kept
        self._network = MouthListener(recipe.width, recipe.drop)
        self.averaged = copy.deepcopy(self._network)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), recipe.rate, weight_decay=recipe.decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, recipe.rate, recipe.steps, pct_start=0.1
        )
        self.step = 0
        if kept is not None and kept.exists():
            state = torch.load(kept, weights_only=True)
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self.step = int(state["step"])

    def go_on(self, batch: dict[str, Tensor]) -> float:
        """Take one step; return its loss."""
        loss = _loss(self._network, batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()
        self._schedule.step()
        _follow(self.averaged, self._network, min(self._recipe.average, self.step / (self.step + 10.0)))
        self.step += 1
        return float(loss.detach())

    def keep(self) -> None:
        """Write the checkpoint."""
        if self._kept is not None:
            state = {name: part.state_dict() for name, part in self._parts().items()}
            torch.save({**state, "step": self.step}, self._kept.with_suffix(".new"))
            self._kept.with_suffix(".new").replace(self._kept)

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self._network,
            "averaged": self.averaged,
            "optimiser": self._optimiser,
            "schedule": self._schedule,
        }


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
    loss = loss + (truth["shut"] * gap.relu()).mean() * 25.0
    loss = loss + ((1 - truth["speaking"]) * gap.relu()).mean() * 6.0
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    loss = loss + 0.3 * bce(told[..., 0], truth["speaking"])
    rare = torch.tensor(3.0)  # as lips are apart nearly always
    met = bce(told[..., 1], truth["shut"], reduction="none", pos_weight=rare).mean(1)
    total: Tensor = loss + 0.6 * (met * made).mean()
    return total


def _agreement(one: Tensor, other: Tensor) -> Tensor:
    """Correlation over the steps of each stretch (n,); 0 where nothing moves."""
    one, other = (values - values.mean(1, keepdim=True) for values in (one, other))
    floor = 4e-4 * one.shape[1]
    agreement: Tensor = (one * other).sum(1) / (
        ((one**2).sum(1) + floor) * ((other**2).sum(1) + floor)
    ).sqrt()
    return agreement


def _batches(examples: Sequence[Example], recipe: Recipe, step: int) -> Iterator[dict[str, Tensor]]:
    chance = np.random.default_rng((recipe.seed, step))
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
    found["features"] = masked(found["features"], chance)
    return {**found, "filmed": np.array(example.filmed, np.float32)}


def masked(features: F32, chance: np.random.Generator) -> F32:
    """Return features (k, 81) with noise, another tilt, and chance bands and moments left out.

    D. Park et al., "SpecAugment", 2019: the idea of leaving bands and moments out.
    """
    made = features + chance.normal(0.0, 0.08, features.shape).astype(np.float32)
    tilt = np.linspace(-1.0, 1.0, N_BANDS, dtype=np.float32) * np.float32(chance.normal(0.0, 0.15))
    made[:, : 2 * N_BANDS] += np.tile(tilt, 2)
    for _ in range(2):
        wide, long = int(chance.integers(0, 9)), int(chance.integers(0, 12))
        low, begin = int(chance.integers(0, N_BANDS - wide)), int(chance.integers(0, len(made) - long))
        made[:, low : low + wide] = made[:, N_BANDS + low : N_BANDS + low + wide] = 0.0
        made[begin : begin + long] = 0.0
    return made


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
        shapes, speaking, _ = network.shown(torch.from_numpy(features[None]), network.start(1))
    return shapes[0].numpy(), speaking[0].numpy()
