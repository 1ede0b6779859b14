"""How bright a voice is: what effort, anger and joy raise, and sadness lowers."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.voice.voice_spectrum import HOP, STEP, WINDOW

_LENGTH = WINDOW + HOP  # of the sound that a step is of


class Brightness:
    """Measures the tilt of the spectrum in each step, keeping the state between blocks.

    It is the power of the sound's difference over its own, in dB: −20 dB for a murmur at 250 Hz, +3 dB for
    white noise, and a monotone function of the autocorrelation at one sample, an established measure of tilt
    (Childers & Lee, "Vocal quality factors", JASA 90, 1991).
    """

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def feed(self, sound: F32) -> F32:
        """Take in a block (n,) at 16 kHz; return dB (k,) of the steps it completes, VoiceSpectrum's."""
        heard = np.concatenate([self._rest, sound])
        k = max((len(heard) - _LENGTH) // STEP + 1, 0) if len(heard) >= _LENGTH else 0
        self._rest = heard[k * STEP :].astype(np.float32)
        if k == 0:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(heard, _LENGTH)[::STEP][:k].astype(np.float64)
        power = np.mean(windows**2, 1) + 1e-10
        steps = np.mean(np.diff(windows, axis=1) ** 2, 1) + 1e-10
        return np.asarray(10.0 * np.log10(steps / power), np.float32)
