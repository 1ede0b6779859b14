"""Whether an onlooker who knows emotions on ICT-FaceKit's heads names what one slider of the code does.

The onlooker is a linear discriminant of points on the skin, which it sees with an error. It is taught on made
people who each do an emotion's action units in their own measure, some of them left out, while they speak. It
never sees a slider, and neither people nor faces of the test, and knows the neutral face of nobody.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from expression_sheet import settled
from ict_render import SKIN, IctHeads

from engines.coding.made_faces import varied_script
from facepuppet.character import DIRECTIONS
from facepuppet.core import F32, F64
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES

_POINTS = 400
_TAUGHT, _TESTED = 400, 100  # people
_ERROR_CM = 0.1
_STRENGTH = 0.7  # of identities, in standard deviations
_SHRINK = 5e-4  # of the mean variance, added to each point's
_SPOKEN = ("jawOpen", "mouthFunnel", "mouthPucker", "mouthClose", "mouthRollLower", "mouthRollUpper")
AMOUNTS = (0.5, 1.0)


def named_right(heads_path: Path) -> tuple[float, str]:
    """Return the share of sliders at AMOUNTS that are named right, and a table of it, in words."""
    people = _People(IctHeads.load(heads_path))
    chance = np.random.default_rng(0)
    seen, labels = [], []
    for seed in range(_TAUGHT):
        for label, name in enumerate(DIRECTIONS):
            face = varied_script(name, chance) * chance.uniform(0.4, 1.1) + _speech(chance)
            seen.append(people.points(seed, np.clip(face, 0.0, 1.0)))
            labels.append(label)
    onlooker = _Onlooker(np.stack(seen), np.array(labels))
    right = {(name, amount): 0 for name in DIRECTIONS for amount in AMOUNTS}
    for seed in range(_TAUGHT, _TAUGHT + _TESTED):
        live = _speech(chance)
        for name, amount in right:
            named = DIRECTIONS[onlooker.name(people.points(seed, settled({name: amount}, live)))]
            right[name, amount] += named == name
    rows = [
        f"  {name}: " + ", ".join(f"{right[name, amount] / _TESTED:.0%} at {amount:g}" for amount in AMOUNTS)
        for name in DIRECTIONS
    ]
    return sum(right.values()) / (len(right) * _TESTED), "\n".join(rows)


def _speech(chance: np.random.Generator) -> F32:
    """Return a moment of speech, (52,); a third of the time the mouth rests."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    if chance.random() > 0.33:
        for shape in _SPOKEN:
            weights[ARKIT_INDEX[shape]] = 0.4 * chance.beta(0.8, 2.0)
    return weights


class _People:
    """Points on the skin of made people."""

    def __init__(self, heads: IctHeads) -> None:
        chosen = np.linspace(0, SKIN.stop - 1, _POINTS).astype(int)
        self._mean = heads.neutral[chosen]
        self._identity = heads.identity[:, chosen].astype(np.float64)
        self._shapes = np.zeros((len(ARKIT_NAMES), _POINTS, 3))
        for name, offset in heads.expression.items():
            if name in ARKIT_INDEX:
                self._shapes[ARKIT_INDEX[name]] = offset[chosen]

    def points(self, seed: int, weights: F32) -> F64:
        """Return points (1200,) in cm of a person with an expression."""
        who = np.random.default_rng(seed).normal(size=len(self._identity)) * _STRENGTH
        face = self._mean + np.tensordot(who, self._identity, 1) + np.tensordot(weights, self._shapes, 1)
        return np.asarray(face.ravel() + np.random.default_rng(seed).normal(0.0, _ERROR_CM, face.size))


class _Onlooker:
    """A linear discriminant with a shrunk covariance."""

    def __init__(self, seen: F64, labels: np.ndarray) -> None:
        means = np.stack([seen[labels == label].mean(0) for label in range(len(DIRECTIONS))])
        spread = np.cov((seen - means[labels]).T)
        spread += _SHRINK * np.trace(spread) / len(spread) * np.eye(len(spread))
        self._weights = np.linalg.solve(spread, means.T)
        self._bias = -0.5 * (means.T * self._weights).sum(0)

    def name(self, points: F64) -> int:
        return int((points @ self._weights + self._bias).argmax())
