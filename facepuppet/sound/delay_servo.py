"""Keeping sound at a wanted age although two clocks disagree: a little faster, a little slower, or a jump."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

SMOOTH_S = 1.0  # time constant in which the devices' own tellings are averaged
GAIN_PER_S = 0.25  # of an error that is corrected per second
MAX_SPEED = 0.004  # of correction: 7 cents of pitch, which nobody hears in speech
MAX_DRIFT = 0.003  # of two clocks; sound cards differ by less than a tenth of this
JUMP_S = 0.040  # an error that is larger is jumped over
JUMP_AFTER_S = 0.5  # and lasts so long
SNAP_S = 0.080  # by which the told age differs from the smoothed one: no noise but a gap
SETTLE_S = 0.25  # of listening before the first word about the age is believed


class DelayServo:
    """A proportional-integral controller of the age at which sound is played.

    Args:
        drift: what is known of the clocks from before.

    Attributes:
        age_s: how old sound is when it is played, smoothed; NaN before it is known.
        drift: by how much the reader's clock is faster than the writer's, 1e-6 being one ppm.
    """

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        self.age_s = math.nan
        self._newest: deque[float] = deque(maxlen=5)
        self._heard_s = self._wrong_s = 0.0
        self._hurry = 0.0

    @property
    def stretch(self) -> float:
        """Samples to make of one, so that the age becomes and stays what is wanted: about 1."""
        return 1.0 + self.drift - self._hurry

    def update(self, age_s: float, wanted_s: float, passed_s: float) -> float:
        """Take in how old what is played now is; return by how much to jump, 0.0 for not at all.

        Args:
            age_s: as the devices tell it; may be off for moments.
            wanted_s: how old it should be.
            passed_s: time since the last call.

        Returns:
            Seconds of sound to skip; negative to repeat.
        """
        self._newest.append(age_s)
        self._heard_s += passed_s
        told_s = median(self._newest)
        if not abs(told_s - self.age_s) < SNAP_S:  # or NaN, at the start
            self.age_s = told_s
        share = passed_s / min(SMOOTH_S, max(self._heard_s, passed_s))
        self.age_s += min(share, 1.0) * (told_s - self.age_s)
        if self._heard_s < SETTLE_S:
            return 0.0
        error_s = self.age_s - wanted_s
        return self._jump(error_s, passed_s) or self._steer(error_s, passed_s)

    def shifted(self, jump_s: float) -> None:
        """Take note that so much sound is skipped."""
        if not jump_s:
            return
        self.age_s -= jump_s
        self._newest = deque((age_s - jump_s for age_s in self._newest), maxlen=5)
        self._wrong_s = 0.0

    def _jump(self, error_s: float, passed_s: float) -> float:
        self._wrong_s = self._wrong_s + passed_s if abs(error_s) > JUMP_S else 0.0
        return error_s if self._wrong_s > JUMP_AFTER_S else 0.0

    def _steer(self, error_s: float, passed_s: float) -> float:
        hurry = GAIN_PER_S * error_s
        self._hurry = max(-MAX_SPEED, min(MAX_SPEED, hurry))
        if self._hurry == hurry:  # else it is the way that is long, and no clock that is wrong
            drift = self.drift - 0.25 * GAIN_PER_S**2 * error_s * passed_s
            self.drift = max(-MAX_DRIFT, min(MAX_DRIFT, drift))
        return 0.0
