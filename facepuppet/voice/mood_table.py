"""What prosody says of a mood, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from facepuppet.core.types import F64

_FARTHEST = 2.0  # spreads from the mean that count: no corpus holds every voice


@dataclass(frozen=True, slots=True)
class MoodTable:
    """Linear estimates of valence and arousal, of the features of `mood.MOOD_FEATURES`.

    Attributes:
        usual: (3,) loudness, pitch and brightness of people on the whole: what a speaker's own is at first.
        mean, spread: (n,) of each feature.
        weights: (2, n) of valence and arousal, for each spread of a feature from its mean.
        offset: (2,) valence and arousal where every feature is its mean.
    """

    usual: tuple[float, float, float]
    mean: F64
    spread: F64
    weights: F64
    offset: F64

    def judge(self, features: F64) -> tuple[float, float]:
        """Return valence and arousal, each in [−1, 1], of features (n,)."""
        away = np.clip((features - self.mean) / self.spread, -_FARTHEST, _FARTHEST)
        valence, arousal = np.tanh(self.weights @ away + self.offset).tolist()
        return valence, arousal


@cache
def mood_table() -> MoodTable:
    """Return the shipped table, which `tools/fit_mood.py` made of acted speech."""
    with files("facepuppet.voice").joinpath("data/mood.npz").open("rb") as file, np.load(file) as kept:
        mean, spread, weights, offset = (
            np.asarray(kept[name], np.float64) for name in ("mean", "spread", "weights", "offset")
        )
        loudness, pitch, brightness = kept["usual"].tolist()
    return MoodTable((loudness, pitch, brightness), mean, spread, weights, offset)
