"""What prosody says of a mood, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from facepuppet.core.types import F64


@dataclass(frozen=True, slots=True)
class MoodTable:
    """Linear estimates of valence and arousal, of the features of `mood.FEATURES`.

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
        away = np.clip((features - self.mean) / self.spread, -3.0, 3.0)
        valence, arousal = np.tanh(self.weights @ away + self.offset).tolist()
        return valence, arousal


@cache
def mood_table() -> MoodTable:
    """Return the shipped table: rules after the literature named in `mood`."""
    rows = np.array(_RULES)
    return MoodTable((30.0, 8.0, -12.0), rows[:, 0], rows[:, 1], rows[:, 2:].T, np.zeros(2))


# Mean, spread, and weights of valence and arousal for each feature: usual figures of talking people, and how
# strongly voices tell moods by them (Juslin & Laukka, "Communication of emotions in vocal expression and
# music performance", Psychological Bulletin 129, 2003, table 7): signs are theirs, sizes ours.
_RULES = (
    (30.0, 8.0, 0.00, 0.05),  # loudness_db
    (8.0, 5.0, 0.00, 0.05),  # pitch_st
    (-12.0, 3.0, 0.00, 0.05),  # brightness_db
    (0.0, 4.0, -0.02, 0.25),  # louder_db
    (0.0, 2.5, 0.03, 0.25),  # higher_st
    (0.0, 2.0, -0.03, 0.15),  # brighter_db
    (9.0, 2.0, 0.02, 0.05),  # loudness_spread_db
    (2.8, 1.2, 0.08, 0.10),  # pitch_spread_st
    (4.0, 1.0, 0.00, 0.00),  # brightness_spread_db
    (3.2, 0.8, 0.03, 0.08),  # syllables_a_second
    (0.65, 0.12, 0.00, 0.00),  # voiced_share
    (20.0, 8.0, 0.05, 0.05),  # pitch_moves_st_s
)
