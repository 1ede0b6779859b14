"""How the expression code is learnt: to say faces in 16 numbers, seven of which are labelled."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.coding.code_network import BACK, ExpressionCoder
from engines.coding.made_faces import MIRROR, made_sequence
from engines.coding.performers import Takes
from facepuppet.character import CODED, DIRECTIONS, SCRIPTS
from facepuppet.core import F32

log = logging.getLogger(__name__)
FRAMES = 48
_CODED = list(CODED)


@dataclass(frozen=True, slots=True)
class CodeRecipe:
    """What is learnt from, how long, and by what.

    Attributes:
        steps, batch: how many updates, of how many sequences each.
        rate: the highest, of one cycle.
        made: share of sequences that nobody performed.
        motion, moved, small: weights of the losses beside that of the weights themselves: of their changes
            from frame to frame, of moved faces, and of large codes.
        own: how much more the shapes of the scripts that move a face count in it.
        seed: of everything drawn.
    """

    steps: int = 6000
    batch: int = 24
    rate: float = 2e-3
    made: float = 0.25
    motion: float = 0.5
    moved: float = 0.2
    own: float = 3.0
    small: float = 1e-4
    seed: int = 1


def sequences(takes: Takes, recipe: CodeRecipe) -> Iterator[F32]:
    """Yield batches (n, FRAMES, 52): people by turns, half of them mirrored, more and less lively."""
    chance = np.random.default_rng(recipe.seed)
    people = list(takes.values())
    while True:
        rows = []
        for _ in range(recipe.batch):
            if chance.random() < recipe.made:
                rows.append(made_sequence(FRAMES, chance))
                continue
            clips = people[chance.integers(len(people))]
            rows.append(_excerpt(clips[chance.integers(len(clips))], chance))
        yield np.stack(rows)


def _excerpt(weights: F32, chance: np.random.Generator) -> F32:
    """Return FRAMES of a clip, at another speed, mirrored or not, louder or fainter."""
    speed = chance.uniform(0.5, 1.5)
    span = min((FRAMES - 1) * speed, len(weights) - 1.0)
    at = chance.uniform(0.0, len(weights) - 1.0 - span) + np.linspace(0.0, span, FRAMES)
    below = np.minimum(at.astype(int), len(weights) - 2)
    share = (at - below)[:, None].astype(np.float32)
    found = weights[below] * (1 - share) + weights[below + 1] * share
    if chance.random() < 0.5:
        found = found[:, MIRROR]
    if chance.random() < 0.5:
        found = found * np.float32(chance.uniform(0.6, 1.4))
    return np.asarray(np.clip(found, 0.0, 1.0), np.float32)


def moves(n: int, chance: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return what sliders say, shifts (n, 1, 7) and gains (n, 1, 1): one or two directions, or intensity."""
    shift = np.zeros((n, 1, len(DIRECTIONS)), np.float32)
    gain = np.ones((n, 1, 1), np.float32)
    for i in range(n):
        kind = chance.random()
        if kind < 0.85:
            chosen = chance.choice(len(DIRECTIONS), 1 if kind < 0.65 else 2, replace=False)
            shift[i, 0, chosen] = chance.uniform(-1.0, 1.0, len(chosen))
        if kind > 0.75:
            gain[i] = chance.uniform(0.0, 2.0)
    return torch.tensor(shift), torch.tensor(gain)


def train_code(takes: Takes, recipe: CodeRecipe, network: ExpressionCoder | None = None) -> ExpressionCoder:
    """Learn from people and made faces, from the beginning or on from an earlier network.

    A moved face is the live one, more or less intense, with a direction's script added or taken away: what
    the code's labelled numbers have to mean, whatever else the face does.
    """
    torch.manual_seed(recipe.seed)
    network, chance = (network or ExpressionCoder()).train(), np.random.default_rng(recipe.seed + 1)
    scripts = torch.tensor(np.stack([SCRIPTS[name] for name in DIRECTIONS])[:, _CODED])
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps, pct_start=0.1)
    batches, begun_s = sequences(takes, recipe), time.monotonic()
    for step in range(recipe.steps):
        faces = torch.tensor(next(batches))
        shift, gain = moves(len(faces), chance)
        loss, error = _losses(network, faces, shift, gain, scripts, recipe)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 0 or step == recipe.steps - 1:
            log.info("step %d: error %.4f, %.0f s", step, error, time.monotonic() - begun_s)
    return network.eval()


def _losses(
    network: ExpressionCoder, faces: Tensor, shift: Tensor, gain: Tensor, scripts: Tensor, recipe: CodeRecipe
) -> tuple[Tensor, float]:
    start = network.start(len(faces))
    wanted = faces[:, :, _CODED]
    code, _ = network.encode(faces, start)
    both = torch.cat([code, network.moved(code, shift, gain, network.rest())])
    given, _ = network.decode(both, network.start(len(both)))
    plain, moved = given.chunk(2)
    aim = (gain * wanted + shift @ scripts).clamp(0.0, 1.0)
    error = (plain - wanted).abs().mean()
    motion = ((plain - wanted).diff(dim=1)).abs().mean()
    # A script's own shapes count for more: rare ones would else be left at 0, which is nearly right.
    own = 1.0 + recipe.own * (shift.abs() @ (scripts > 0.0).float() > 0.0).float()
    off = (own * (moved - aim))[:, BACK:].abs().mean()
    # What a show adds to a face is the difference, in which an error of the plain face must not be seen.
    off = off + (own * (moved - plain - aim + wanted))[:, BACK:].abs().mean()
    loss = error + recipe.motion * motion + recipe.moved * off + recipe.small * code.square().mean()
    return loss, float(error.detach())
