"""How high a voice is, by the autocorrelation of its sound."""

from __future__ import annotations

from functools import cache

import numpy as np

from facepuppet.core.types import F32, F64
from facepuppet.voice.voice_frame import RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 70.0, 500.0
VOICED = 0.55  # of the autocorrelation at the period, against that at 0
WINDOW = 640  # samples: 40 ms, nearly three periods of the lowest voice
_N_FFT = 2048


def pitch_of(sound: F32) -> float:
    """Return the pitch in Hz of WINDOW samples at 16 kHz; 0 where there is none."""
    centred = (sound - sound.mean()) * _hann()
    power = np.abs(np.fft.rfft(centred, _N_FFT)) ** 2
    both = np.fft.irfft(power)[: round(RATE_HZ / LOWEST_HZ) + 2] / _taper()
    if both[0] <= 1e-7 * WINDOW:
        return 0.0
    shortest = int(RATE_HZ / HIGHEST_HZ)
    lags = both[shortest:-1] / both[0]
    peaks = (lags >= both[shortest - 1 : -2] / both[0]) & (lags >= both[shortest + 1 :] / both[0])
    if not peaks.any():
        return 0.0
    best = float(lags[peaks].max())
    if best < VOICED:
        return 0.0
    # The first peak nearly as high as the highest: twice the period fits as well as one.
    at = int(np.flatnonzero(peaks & (lags >= 0.9 * best))[0]) + shortest
    return RATE_HZ / at


@cache
def _hann() -> F64:
    return np.hanning(WINDOW)


@cache
def _taper() -> F64:
    """The autocorrelation of the window, by which that of a windowed sound falls with the lag."""
    both = np.fft.irfft(np.abs(np.fft.rfft(_hann(), _N_FFT)) ** 2)[: round(RATE_HZ / LOWEST_HZ) + 2]
    return np.asarray(np.maximum(both / both[0], 1e-3))
