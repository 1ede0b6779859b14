"""How loud the microphone is, whether it is too loud, and a soft ceiling for what leaves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

FALL_DB_PER_S = 20.0  # of the meter after a peak, as programme meters do
SILENCE_DBFS = -120.0
FULL = 0.999  # from here on a converter was at its end
N_FULL = 3  # samples in a block that were there: one may be chance
KNEE = 0.9  # from here on the ceiling bends sound; -0.9 dBFS


class LevelMeter:
    """A peak meter.

    Attributes:
        peak_dbfs: the loudest sample lately, falling slowly.
        clipped: blocks in which the microphone was beyond full scale.
    """

    def __init__(self) -> None:
        self.peak_dbfs = SILENCE_DBFS
        self.clipped = 0

    def feed(self, sound: F32, lasts_s: float) -> None:
        """Take in a block of sound, (n,), full scale ±1."""
        peak = float(max(sound.max(), -sound.min())) if len(sound) else 0.0
        now_dbfs = 20.0 * math.log10(peak) if peak > 1e-6 else SILENCE_DBFS
        self.peak_dbfs = max(now_dbfs, self.peak_dbfs - FALL_DB_PER_S * lasts_s, SILENCE_DBFS)
        if peak >= FULL and np.count_nonzero(np.abs(sound) >= FULL) >= N_FULL:
            self.clipped += 1


def soften(sound: F32) -> F32:
    """Bend what is louder than the knee, so that nothing leaves beyond full scale.

    Softer sound is returned as it is. The bend is a hyperbolic tangent that begins at the knee with slope 1:
    no edge, and no memory that pumps.

    Args:
        sound: (n,), full scale ±1, may be beyond.
    """
    if max(sound.max(initial=0.0), -sound.min(initial=0.0)) <= KNEE:
        return sound
    over = np.abs(sound) - KNEE
    bent = KNEE + (1.0 - KNEE) * np.tanh(over / (1.0 - KNEE))
    return np.where(over > 0, np.copysign(bent, sound), sound).astype(np.float32)
