"""A painter that is trained already, trained on a little with one person's pictures."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from engines.data.samples import Samples
from engines.networks.painter_network import painted
from engines.training.batches import batches, plain
from engines.training.losses import FeatureDistance, laplacian_l1, masked_l1


@dataclass(frozen=True, slots=True)
class Finetuning:
    """What decides the outcome, besides the data.

    Attributes:
        steps: of the optimiser, at most.
        seconds: at most; on a slow machine there are fewer steps, and the rate falls all the same.
        batch: pictures a step.
        learning_rate: at first; falls as a cosine.
        perceptual: weight of the feature distance.
        average: decay of the running mean of weights, which is the outcome.
        seed: of the draws.
    """

    steps: int = 200
    seconds: float = 240.0
    batch: int = 8
    learning_rate: float = 1.5e-4
    perceptual: float = 0.3
    average: float = 0.97
    seed: int = 1


@dataclass(frozen=True, slots=True)
class PaintError:
    """How far painted pictures are from the truth, inside the painter's mask.

    Attributes:
        l1: mean absolute error, in [0, 1].
        perceptual: distance of features (`engines.training.losses.FeatureDistance`).
    """

    l1: float
    perceptual: float


def finetune(
    network: nn.Module,
    samples: Samples,
    recipe: Finetuning,
    features: FeatureDistance,
    *,
    mirrored: bool,
    tell: Callable[[float], None],
) -> nn.Module:
    """Return a tuned copy of a painter.

    Args:
        network: where to start; it is left as it is.
        samples: of one person.
        recipe: how long and how fast.
        features: of the perceptual loss.
        mirrored: flip half of the samples (mouths, not eyes).
        tell: told the share that is done, in [0, 1], after every step.
    """
    tuned, mean = copy.deepcopy(network).train(), copy.deepcopy(network)
    optimiser = torch.optim.AdamW(tuned.parameters(), recipe.learning_rate, weight_decay=1e-4)
    source = batches(samples, recipe.batch, recipe.seed, mirrored=mirrored)
    begun_s, step, done = time.perf_counter(), 0, 0.0
    while done < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        batch = next(source)
        out, mask = painted(tuned, batch.warped, batch.source, batch.contours)
        loss = masked_l1(out, batch.target, mask) + laplacian_l1(out, batch.target, mask)
        loss = loss + recipe.perceptual * features(out, batch.target, mask)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(tuned.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(recipe.average, (1 + step) / (10 + step))
        for kept, now in zip(mean.parameters(), tuned.parameters(), strict=True):
            kept.data.lerp_(now.data, 1 - decay)
        done = min(max(step / recipe.steps, (time.perf_counter() - begun_s) / recipe.seconds), 1.0)
        tell(done)
    return mean.eval()


@torch.no_grad()
def paint_error(network: nn.Module, samples: Samples, features: FeatureDistance) -> PaintError:
    """Measure a painter on samples as they are."""
    figures = []
    for i in range(len(samples)):
        batch = plain(samples, [i])
        out, mask = painted(network, batch.warped, batch.source, batch.contours)
        distance = features(out, batch.target, mask)
        figures.append((float(masked_l1(out, batch.target, mask)), float(distance)))
    l1, perceptual = torch.tensor(figures).mean(0).tolist()
    return PaintError(l1, perceptual)
