"""The face of a voice that is heard live: each moment once, evenly, stamped with when it was spoken."""

from __future__ import annotations

import math

import numpy as np

from facepuppet.core.types import F32, Expression
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.voice.speaking_face import SpeakingFace
from facepuppet.voice.voice_frame import RATE_HZ, within_full_scale
from facepuppet.voice.voice_manner import VoiceManner

STALLED_S = 0.1  # without a block, and what follows counts as silence: no mouth is left standing open
GONE_S = 1.0  # as well, and nobody is there: another driver may take over
SEAM_S = 0.05  # by which blocks may be early or late before the time of speaking is taken anew
_FOLLOW = 0.02  # of the way to what each block says of that time, as their stamps tremble
_MOST_LAG_S = 0.4
_LAG_FALL = 0.015  # how much of the lag is given up a second, until a moment is late again
_CONVERTER = "sinc_fastest"


class HeardFace:
    """Sound goes in with its times, expressions come out at an even pace. One thread uses it.

    Moments come 1/fps apart, all equally late: by as much as the latest of them needs to be known, so that
    the mouth moves evenly. Sound that fails to come is silence.

    Args:
        fps: expressions a second.
        setup: how the voice drives.

    Attributes:
        lag_s: how late moments are now, from when they were spoken.
    """

    def __init__(self, fps: float, setup: VoiceSetup) -> None:
        self.lag_s = 0.0
        self._face, self._step_s = SpeakingFace(setup.manner, setup.seed), 1.0 / fps
        self._ear: _Ear | None = None
        self._fed = 0  # samples
        self._begun_s = 0.0  # when sample 0 was spoken
        self._ended_s = 0.0  # when the newest block ended
        self._came, self._came_s = False, -math.inf  # a block, lately; and when the newest one did
        self._silent_until_s = -math.inf  # what comes of before that is late, and silence stands in its place
        self._moment_s = 0.0  # the next one, from sample 0
        self._given_s = -math.inf  # when nobody's expression was given last
        self._known, self._n = False, 0

    @property
    def manner(self) -> VoiceManner:
        """How the voice moves it; may be replaced from any thread."""
        return self._face.manner

    @manner.setter
    def manner(self, manner: VoiceManner) -> None:
        self._face.manner = manner

    @property
    def mood(self) -> tuple[float, float]:
        """Valence and arousal as they were heard last; may be read from any thread."""
        return self._face.mood

    def hear(self, sound: F32, rate_hz: float, ended_s: float) -> None:
        """Take in a block (n,), full scale ±1, of which the last sample was spoken at `ended_s`."""
        self._came = True
        if ended_s < self._silent_until_s:
            return
        if self._ear is not None and self._missing_s(ended_s - len(sound) / rate_hz) > STALLED_S:
            self._catch_up(ended_s - len(sound) / rate_hz)
        self._ended_s = ended_s
        if self._ear is None or self._ear.rate_hz != rate_hz:
            self._ear = _Ear(rate_hz)
        heard = self._ear.hear(sound)
        self._feed(heard)
        begun_s = ended_s - self._ear.held_s - self._fed / RATE_HZ
        far = abs(begun_s - self._begun_s) > SEAM_S
        self._begun_s = begun_s if far else self._begun_s + _FOLLOW * (begun_s - self._begun_s)

    def next(self, now_s: float) -> Expression | None:
        """Return the next expression, if it is due; nobody's while there is no microphone."""
        self._came_s = now_s if self._came else self._came_s
        self._came = False
        still_s = now_s - self._came_s
        if still_s > GONE_S:
            return self._nobody(now_s)
        if still_s > STALLED_S:
            self._catch_up(self._ended_s + still_s)
        if self._face.until_s - self._moment_s > 4.0 * self._step_s:  # nobody asked for a while
            self._moment_s = self._face.until_s - self._step_s
        self._skip_told()
        if self._face.until_s <= self._moment_s:
            return None
        spoken_s = self._spoken_s(self._moment_s)
        if not self._known:
            self._known = True
            self.lag_s = min(max(self.lag_s, now_s - spoken_s), _MOST_LAG_S)
        if now_s < spoken_s + self.lag_s:
            return None
        self.lag_s = max(0.0, self.lag_s - _LAG_FALL * self._step_s)
        return self._given(spoken_s)

    def _skip_told(self) -> None:
        """Leave out moments of which it was told that nobody is there: times rise, unless a device's lie."""
        while (
            self._moment_s < self._face.until_s
            and 0.0 <= self._given_s - self._spoken_s(self._moment_s) < _MOST_LAG_S
        ):
            self._moment_s, self._known = self._moment_s + self._step_s, False

    def _given(self, spoken_s: float) -> Expression:
        expression = self._face.at(self._moment_s, self._n)
        self._n, self._moment_s, self._known = self._n + 1, self._moment_s + self._step_s, False
        face, torso = expression.face, expression.torso
        return Expression(face, torso, expression.frame_id, round(spoken_s * 1e9))

    def _nobody(self, now_s: float) -> Expression | None:
        if now_s - self._given_s < self._step_s:
            return None
        self._given_s = now_s
        self._n += 1
        return Expression.absent(self._n - 1, round(now_s * 1e9))

    def _spoken_s(self, moment_s: float) -> float:
        return self._begun_s + moment_s

    def _missing_s(self, until_s: float) -> float:
        return until_s - self._spoken_s(self._fed / RATE_HZ)

    def _catch_up(self, until_s: float) -> None:
        """Hear silence up to a time; after a long pause only as much as shuts a mouth."""
        missing_s = self._missing_s(until_s)
        if self._ear is None or missing_s <= 0.0:
            return
        self._silent_until_s = until_s
        self._feed(np.zeros(round(min(missing_s, GONE_S) * RATE_HZ), np.float32))
        self._ear = _Ear(self._ear.rate_hz)
        if missing_s > GONE_S:
            self._begun_s = until_s - self._fed / RATE_HZ

    def _feed(self, sound: F32) -> None:
        self._fed += len(sound)
        if len(sound):
            self._face.hear(sound)


class _Ear:
    """Brings blocks of one device to the rate that a face hears."""

    def __init__(self, rate_hz: float) -> None:
        from samplerate import Resampler

        self.rate_hz = rate_hz
        self._resampler = Resampler(_CONVERTER, 1)
        self._taken = self._given = 0

    @property
    def held_s(self) -> float:
        """How much of what was taken is still inside."""
        return self._taken / self.rate_hz - self._given / RATE_HZ

    def hear(self, sound: F32) -> F32:
        clean = within_full_scale(sound)
        self._taken += len(clean)
        heard = np.asarray(self._resampler.process(clean, RATE_HZ / self.rate_hz), np.float32)
        self._given += len(heard)
        return heard
