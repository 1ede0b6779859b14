"""Mouth shapes by signal processing alone: how loud, how bright, how open. The network has to beat it."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.voice.voice_frame import MOUTH_SHAPES
from facepuppet.voice.voice_spectrum import N_BANDS

_SHAPES = tuple(MOUTH_SHAPES)
_SHUT_DB, _OPEN_DB = 8.0, 35.0  # loudness over the floor at which a mouth begins to open, and is open
_SURELY = 0.15  # of the way from shut to open, from which somebody surely speaks
_FOLLOW = 0.45  # of the way to what is heard, each step: lips have mass
# Of the mel bands: first formants of open vowels, second ones of front vowels, and hiss.
_LOW, _MID, _HIGH = slice(6, 14), slice(16, 26), slice(30, N_BANDS)


class PlainMouth:
    """Turns features into mouth shapes, step by step."""

    def __init__(self) -> None:
        self._shown = np.zeros(len(_SHAPES), np.float32)

    def feed(self, features: F32, loudness: F32) -> tuple[F32, F32]:
        """Return mouth (k, 13) and speaking (k,) of features (k, 81) and loudness (k,) in dB."""
        mouth, speaking = (
            np.zeros((len(features), len(_SHAPES)), np.float32),
            np.zeros(len(features), np.float32),
        )
        for i, (heard, loud_db) in enumerate(zip(features, loudness, strict=True)):
            share = float(np.clip((loud_db - _SHUT_DB) / (_OPEN_DB - _SHUT_DB), 0.0, 1.0))
            bands = (heard[:N_BANDS] + heard[N_BANDS : 2 * N_BANDS]) / 2.0
            low, mid, high = float(bands[_LOW].mean()), float(bands[_MID].mean()), float(bands[_HIGH].mean())
            hiss = float(np.clip(high - low, 0.0, 1.0))
            self._shown += _FOLLOW * (self._target(share, hiss, mid - low) - self._shown)
            mouth[i], speaking[i] = self._shown, min(1.0, share / _SURELY)
        return mouth, speaking

    @staticmethod
    def _target(share: float, hiss: float, front: float) -> F32:
        target = dict.fromkeys(_SHAPES, 0.0)
        target["jawOpen"] = 0.45 * share * (1.0 - 0.7 * hiss)
        target["mouthLowerDown"] = 0.25 * share
        target["mouthStretch"] = 0.3 * share * float(np.clip(front, 0.0, 1.0))
        target["mouthFunnel"] = 0.4 * share * float(np.clip(-front, 0.0, 1.0)) * (1.0 - hiss)
        return np.array(list(target.values()), np.float32)
