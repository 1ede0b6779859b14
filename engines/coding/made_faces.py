"""Faces that nobody made: combinations of shapes that people could make, eased from one to the next."""

from __future__ import annotations

import numpy as np

from facepuppet.character import CODED, DIRECTIONS, SCRIPTS
from facepuppet.core import F32, smoothstep
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES, mirrored_name

MIRROR = np.array([ARKIT_INDEX[mirrored_name(name)] for name in ARKIT_NAMES])
_ALONE = 0.2  # share of shapes with sides that move on one of them only
_MOST_SHAPES = 5


def combination(chance: np.random.Generator) -> F32:
    """Return the weights (52,) of a few shapes and, half the time, of a script's."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for shape in chance.choice(CODED, chance.integers(0, _MOST_SHAPES + 1), replace=False):
        amount = chance.beta(1.2, 2.0)
        weights[shape] = amount
        if chance.random() > _ALONE:
            weights[MIRROR[shape]] = amount * chance.uniform(0.8, 1.0)
    if chance.random() < 0.5:
        weights += varied_script(str(chance.choice(DIRECTIONS)), chance) * chance.uniform(0.2, 1.1)
    return np.asarray(np.clip(weights, 0.0, 1.0), np.float32)


def varied_script(name: str, chance: np.random.Generator) -> F32:
    """Return a direction's weights (52,) as one person might do it: shapes more, less, or not at all."""
    script = SCRIPTS[name]
    amounts = chance.uniform(0.6, 1.4, len(script)) * (chance.random(len(script)) > 0.1)
    amounts[MIRROR] = np.where(chance.random() < 0.8, amounts, amounts[MIRROR])
    varied: F32 = np.clip(script * amounts, 0.0, 1.0).astype(np.float32)
    return varied[MIRROR] if name == "contempt" and chance.random() < 0.5 else varied


def made_sequence(frames: int, chance: np.random.Generator) -> F32:
    """Return weights (frames, 52) that go from one combination to another and on."""
    parts, at = [], combination(chance) * (chance.random() < 0.7)
    length = 0
    while length < frames:
        following = combination(chance) * (chance.random() < 0.8)
        steps = int(chance.integers(2, 25))
        share = smoothstep(np.arange(steps) / steps)[:, None]
        parts.append(at + (following - at) * share)
        parts.append(np.repeat(following[None], int(chance.integers(0, 15)), 0))
        length, at = sum(map(len, parts)), following
    return np.asarray(np.concatenate(parts)[:frames], np.float32)
