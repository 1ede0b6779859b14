"""What a voice sounds like, 50 times a second: bands of the mel scale, and how loud it is over its pauses.

Each frame is of two windows of 25 ms, 10 ms apart. Bands are taken relative to their own mean of the last
seconds, so that a telephone, a room or a distance change little; loudness is relative to a floor that rises
slowly and falls at once, so that a fan is no voice.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from facepuppet.core.types import F32, F64
from facepuppet.voice.voice_frame import RATE_HZ, STEP_S

N_BANDS = 40
HOP, WINDOW, N_FFT = 160, 400, 512  # samples
STEP = round(STEP_S * RATE_HZ)
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
MEAN_S = 4.0  # time constant of the bands' mean
FLOOR_RISE_DB_S, FLOOR_FALL_S = 2.0, 0.05
SILENCE = 1e-7  # of power; below it there is nothing to hear
N_FEATURES = 2 * N_BANDS + 1
_QUIETEST_DB = -75.0  # of full scale: made speech and muted devices have pauses of nothing at all
_USUAL_FLOOR_DB = -55.0  # of full scale, before anything was heard


class VoiceSpectrum:
    """Turns sound into features, keeping the state between blocks."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._mean: F64 | None = None
        self._floor_db = _USUAL_FLOOR_DB
        self._n = 0

    def feed(self, sound: F32) -> tuple[F32, F32]:
        """Take in a block of sound.

        Args:
            sound: (n,) full scale ±1 at 16 kHz.

        Returns:
            Features (k, 81) of the k steps that are complete now, and their loudness (k,) in dB over the
            floor. Step i is of the sound from i times 20 ms on, 35 ms long.
        """
        heard = np.concatenate([self._rest, sound])
        k = max((len(heard) - (WINDOW + HOP)) // STEP + 1, 0) if len(heard) >= WINDOW + HOP else 0
        used = heard[: k * STEP + WINDOW - HOP]
        self._rest = heard[k * STEP :].astype(np.float32)
        if k == 0:
            return np.zeros((0, N_FEATURES), np.float32), np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(used, WINDOW)[::HOP][: 2 * k]
        power = np.abs(np.fft.rfft(windows * hann(), N_FFT)) ** 2
        bands = np.log(power @ mel_filters().T + SILENCE)
        level_db = 10.0 * np.log10(np.mean(windows.astype(np.float64) ** 2, 1) + 1e-9)
        features, loudness = np.empty((k, N_FEATURES), np.float32), np.empty(k, np.float32)
        for i in range(k):
            features[i], loudness[i] = self._step(
                bands[2 * i : 2 * i + 2], float(level_db[2 * i : 2 * i + 2].max())
            )
        return features, loudness

    def _step(self, bands: F64, level_db: float) -> tuple[F32, float]:
        level_db = max(level_db, _QUIETEST_DB)
        fall = 1.0 - math.exp(-STEP_S / FLOOR_FALL_S)
        if level_db < self._floor_db:
            self._floor_db += fall * (level_db - self._floor_db)
        else:
            self._floor_db = min(self._floor_db + FLOOR_RISE_DB_S * STEP_S, level_db)
        loudness = level_db - self._floor_db
        if self._mean is None:
            self._mean = bands.mean(0)
        self._n += 1
        share = max(STEP_S / MEAN_S, 1.0 / (self._n + 10.0))
        self._mean = self._mean + share * (bands.mean(0) - self._mean)
        relative = (bands - self._mean) / 3.0
        return np.concatenate([relative.ravel(), [loudness / 20.0 - 1.0]]).astype(np.float32), loudness


@cache
def hann() -> F64:
    """The window (400,)."""
    return np.hanning(WINDOW)


@cache
def mel_filters() -> F64:
    """Triangles (40, 257) evenly spaced on the mel scale (O'Shaughnessy's formula), each of area 1."""

    def mel(hz: float) -> float:
        return 2595.0 * math.log10(1.0 + hz / 700.0)

    edges_hz = 700.0 * (10.0 ** (np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), N_BANDS + 2) / 2595.0) - 1.0)
    hz = np.fft.rfftfreq(N_FFT, 1.0 / RATE_HZ)
    rising = (hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles / np.maximum(triangles.sum(1, keepdims=True), 1e-9))
