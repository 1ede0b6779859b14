"""The beat of what is sung or played: its tempo by the autocorrelation of onsets, its phase by a follower.

After Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36, 2007, made causal:
tempi are weighed by how usual they are, a log-normal about 110 beats a minute.
"""

from __future__ import annotations

import cmath
import math
from functools import cache

import numpy as np

from facepuppet.core.types import F64
from facepuppet.voice.easing import Spring
from facepuppet.voice.voice_frame import STEP_S

SLOWEST_BPM, FASTEST_BPM = 60.0, 180.0
_USUAL_BPM, _OCTAVES = 110.0, 1.0
_HEARD_S = 6.0  # of onsets that are weighed
_EVERY_S = 0.4  # they are weighed anew
_RISE_DB = 12.0  # an onset that rises by more in a step counts as this
_ONSET_DB, _OVER = (
    3.0,
    2.6,
)  # what an onset rises by at least; after so many beats without one the beat is over
_CLEAR = (0.50, 0.70)  # autocorrelation at one beat and at two: where a beat is heard, and surely is
_N = round(_HEARD_S / STEP_S)
_PULL, _EASE = 0.3, 0.1  # of the phase's error, what each weighing makes up for; and of that, each step
_LATELY_S = 2.0  # of onsets that tell the phase
_LEARN = 0.05  # of that error, by which the tempo was wrong
_STEADY = 0.06  # a tempo that changes by more from one weighing to the next is none
_EARLY_S = 0.02  # by which a rise of loudness precedes its onset: a frame is of sound up to 60 ms later


class Beat:
    """Follows the beat, step by step."""

    def __init__(self) -> None:
        self._onsets = np.zeros(_N)
        self._n, self._last_db = 0, 0.0
        self._period_s, self._phase, self._behind = 0.5, 0.0, 0.0
        self._times_steady = 0
        self._clear, self._sure, self._still_s = Spring(2.0), 0.0, 0.0

    @property
    def bpm(self) -> float:
        """Beats a minute, as it goes on now."""
        return 60.0 / self._period_s

    def step(self, loudness_db: float) -> tuple[float, float]:
        """Take in a step's loudness; return the phase (1 a beat, whole on it) and how clear it is, 0 to 1."""
        loud = max(loudness_db, 0.0)
        onset = min(max(loud - self._last_db, 0.0), _RISE_DB)
        self._onsets[self._n % _N] = onset
        self._still_s = 0.0 if onset > _ONSET_DB else self._still_s + STEP_S
        if self._still_s > _OVER * self._period_s:
            self._sure = 0.0
        self._last_db += 0.6 * (loud - self._last_db)
        self._n += 1
        pulled = _EASE * self._behind
        self._behind -= pulled
        self._phase += STEP_S / self._period_s + pulled
        if self._n % round(_EVERY_S / STEP_S) == 0 and self._n >= _N // 2:
            self._weigh()
        return self._phase, min(max(self._clear.toward(self._sure, STEP_S), 0.0), 1.0)

    def _weigh(self) -> None:
        """Look for a tempo in what was heard lately, and pull the phase towards its beats."""
        onsets = np.roll(self._onsets, -(self._n % _N))[-min(self._n, _N) :]
        lag, strength = _best_lag(onsets)
        same = abs(lag * STEP_S / self._period_s - 1.0) < _STEADY
        self._times_steady = min(self._times_steady + 1, 4) if same else 0
        low, sure = _CLEAR
        clear = self._times_steady >= 2 and self._still_s <= _OVER * self._period_s
        self._sure = min(max((strength - low) / (sure - low), 0.0), 1.0) if clear else 0.0
        wanted_s = lag * STEP_S
        fresh = self._clear.at < 0.02
        self._period_s += (1.0 if fresh else 0.15 if same else 0.0) * (wanted_s - self._period_s)
        if not same and not fresh and self._sure == 0.0:
            return
        # Each onset tells where the beat is; their mean on the circle, the newest counting most.
        ago_s = (len(onsets) - 1 - np.arange(len(onsets))) * STEP_S - _EARLY_S
        turn = np.exp(2j * math.pi * (self._phase - ago_s / self._period_s))
        loud = onsets * np.exp(-ago_s / _LATELY_S)
        once, twice = complex(np.sum(loud * turn)), complex(np.sum(loud * turn * turn))
        error = cmath.phase(once) / (2.0 * math.pi)
        if abs(twice) > 2.0 * abs(once):  # there are two alike in each: the nearer one will do
            error = cmath.phase(twice) / (4.0 * math.pi)
        if fresh:
            self._phase, self._behind = self._phase - error, 0.0
        else:
            self._behind = -_PULL * error
            self._period_s *= 1.0 + _LEARN * error


def _best_lag(onsets: F64) -> tuple[float, float]:
    """Return the lag in steps that fits best, and how well it does: the autocorrelation there, at most 1."""
    # Widened, so that a beat that falls between steps, or is played a little early, still meets the next one.
    wide = np.convolve(onsets, [0.25, 0.5, 1.0, 0.5, 0.25], "same")
    wide = wide - wide.mean()
    power = float(wide @ wide)
    if power < 1e-6:
        return 60.0 / (_USUAL_BPM * STEP_S), 0.0
    longest = round(60.0 / (SLOWEST_BPM * STEP_S))
    both = np.fft.irfft(np.abs(np.fft.rfft(wide, 1024)) ** 2)[: 2 * longest + 2]
    # Fewer pairs are left at long lags.
    r = both / power * len(wide) / np.maximum(len(wide) - np.arange(len(both)), 1)
    first, weights = _usual_lags()
    lags = np.arange(first, longest + 1)
    fits = np.minimum(r[lags], 0.5 * (r[lags] + r[2 * lags]))
    best = int(np.argmax(fits * weights))
    lag = int(lags[best])
    before, at, after = r[lag - 1], r[lag], r[lag + 1]
    bent = before - 2.0 * at + after
    by = 0.5 * (before - after) / bent if bent < -1e-9 else 0.0
    return lag + float(np.clip(by, -0.5, 0.5)), float(min(fits[best], 1.0))


@cache
def _usual_lags() -> tuple[int, F64]:
    """The shortest lag in steps, and how usual it and each longer one is."""
    first, last = round(60.0 / (FASTEST_BPM * STEP_S)), round(60.0 / (SLOWEST_BPM * STEP_S))
    octaves = np.log2(60.0 / (np.arange(first, last + 1) * STEP_S) / _USUAL_BPM)
    return first, np.exp(-0.5 * (octaves / _OCTAVES) ** 2)
