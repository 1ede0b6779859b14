"""Valence and arousal heard in a voice, and how a face looks with them.

Arousal is heard well: it makes voices loud, high, wide in range, fast and bright (Scherer, "Vocal
communication of emotion", Speech Communication 40, 2003). Valence hardly sounds: joy and anger differ little
in all of that (Goudbeek & Scherer, "Beyond arousal: valence and potency/control cues in the vocal expression
of emotion", JASA 128, 2010). So a mood in a face is faint, above all as to valence.

Of ten actors' German speech, each fitted on the others' (`tools/fit_mood.py`), arousal correlates by .78 with
what was acted in a stranger's first sentence, and by .82 once the speaker is known; valence by .25 in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32, F64, N_BLENDSHAPES
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.voice.brightness import Brightness
from facepuppet.voice.easing import Spring
from facepuppet.voice.hearing import Hearing
from facepuppet.voice.mood_table import MoodTable, mood_table
from facepuppet.voice.prosody import Prosody, ProsodyListener
from facepuppet.voice.voice_frame import STEP_S

SMOOTH_S = 1.5  # nine tenths of the way to another mood
_HEARD_S = 2.5  # of voice that a mood is heard in
_SELF_S, _KNOWN_S = 60.0, 6.0  # of voice that a speaker's own usual is of; what the usual of people counts as
_EVERY = 5  # steps from one judgement to the next
_SURE_S = 1.5  # of voice, before which a mood is not told in full
_FADE_S = 6.0  # in silence a mood passes
MOOD_FEATURES = (
    "loudness_db",
    "pitch_st",
    "brightness_db",  # these three as they are, then against the speaker's own
    "louder_db",
    "higher_st",
    "brighter_db",
    "loudness_spread_db",
    "pitch_spread_st",
    "brightness_spread_db",
    "syllables_a_second",
    "voiced_share",
    "pitch_moves_st_s",
)


@dataclass(frozen=True, slots=True)
class Mood:
    """A mood.

    Attributes:
        valence: −1 unpleasant to 1 pleasant.
        arousal: −1 sleepy to 1 excited.
    """

    valence: float = 0.0
    arousal: float = 0.0

    @property
    def head_gain(self) -> float:
        """How many times farther, and so faster, a head moves than without a mood."""
        return 1.0 + 0.35 * self.arousal


class MoodListener:
    """Hears the mood of one voice, step by step.

    Args:
        table: what features mean; the shipped one if None.
    """

    def __init__(self, table: MoodTable | None = None) -> None:
        self._table = table or mood_table()
        usual = self._table.usual
        self._levels = [_Lately(mean, _HEARD_S) for mean in usual]  # loudness, pitch, brightness
        self._own = [_Lately(mean, _SELF_S, _KNOWN_S) for mean in usual]
        self._rate, self._voiced, self._moves = (
            _Lately(0.0, _HEARD_S),
            _Lately(0.0, _HEARD_S),
            _Lately(0.0, 2.5),
        )
        self._last_st: float | None = None
        self._n, self._active_n = 0, 0
        self._target = Mood()
        self._valence, self._arousal = Spring(SMOOTH_S), Spring(SMOOTH_S)

    def hear(self, heard: Prosody, loudness_db: float, brightness_db: float) -> Mood:
        """Take in a step; return the mood, smoothed."""
        self._n += 1
        if heard.spoken_s > 0.0:
            self._rate.learn(heard.syllable / STEP_S)
        if heard.active:
            self._active_n += 1
            self._learn(heard.voice_st, loudness_db, brightness_db)
        else:
            self._last_st = None
        if self._n % _EVERY == 0:
            self._judge(heard)
        return Mood(
            self._valence.toward(self._target.valence, STEP_S),
            self._arousal.toward(self._target.arousal, STEP_S),
        )

    def features(self) -> F64:
        """Return what is heard at present, one number for each of MOOD_FEATURES."""
        levels = [level.mean for level in self._levels]
        return np.array(
            [
                *levels,
                *(level - own.mean for level, own in zip(levels, self._own, strict=True)),
                *(level.spread for level in self._levels),
                self._rate.mean,
                self._voiced.mean,
                self._moves.mean,
            ]
        )

    def _learn(self, voice_st: float | None, loudness_db: float, brightness_db: float) -> None:
        self._voiced.learn(float(voice_st is not None))
        heard = (loudness_db, voice_st, brightness_db if voice_st is not None else None)
        for level, own, x in zip(self._levels, self._own, heard, strict=True):
            if x is not None:
                level.learn(x)
                own.learn(x)
        if voice_st is not None and self._last_st is not None:
            self._moves.learn(min(abs(voice_st - self._last_st), 2.0) / STEP_S)  # more is a mistake
        self._last_st = voice_st

    def _judge(self, heard: Prosody) -> None:
        if heard.pause_s > 1.0:
            left = math.exp(-_EVERY * STEP_S / _FADE_S)
            self._target = Mood(left * self._target.valence, left * self._target.arousal)
        elif heard.active:
            sure = min(self._active_n * STEP_S / _SURE_S, 1.0)
            valence, arousal = self._table.judge(self.features())
            self._target = Mood(sure * valence, sure * arousal)


def hear_mood_features(sound: F32) -> F64:
    """Return MOOD_FEATURES at the end of a stranger's sound (n,) at 16 kHz, full scale ±1; for fitting."""
    prosody, listener, bright_db = ProsodyListener(), MoodListener(), Brightness().feed(sound).tolist()
    for frame, db in zip(Hearing().feed(sound), bright_db, strict=False):
        listener.hear(prosody.hear(frame, frame.t_s), frame.loudness_db, db)
    return listener.features()


class _Lately:
    """Mean and spread of what was heard lately."""

    __slots__ = ("_n", "_slowest", "_square", "mean")

    def __init__(self, mean: float, seconds: float, known_s: float = 0.2) -> None:
        self.mean, self._square = mean, 0.0
        self._n, self._slowest = known_s / STEP_S, STEP_S / seconds

    def learn(self, x: float) -> None:
        self._n += 1.0
        share = max(self._slowest, 1.0 / self._n)
        away = x - self.mean
        self.mean += share * away
        self._square += share * ((1.0 - share) * away * away - self._square)

    @property
    def spread(self) -> float:
        return math.sqrt(max(self._square, 0.0))


def look_of(mood: Mood, face: float) -> F32:
    """Return weights (52,) of brows, lids and cheeks, and of the corners of the mouth, that show a mood.

    Which muscles do is after Ekman & Friesen's EMFACS: 6 and 12 for joy, 4, 5, 7 and 24 for anger, 1, 4 and
    15 for sorrow; how far, after our own eyes.

    Args:
        mood: what to show.
        face: share of what is not the mouth's, 0 to 1.
    """
    pleased, displeased = max(mood.valence, 0.0), max(-mood.valence, 0.0)
    roused, tired = max(mood.arousal, 0.0), max(-mood.arousal, 0.0)
    angry, sad = displeased * roused, displeased * (1.0 - roused)
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, weight in (
        ("mouthSmile", 0.40 * pleased),
        ("mouthFrown", 0.22 * displeased + 0.12 * sad),
        ("mouthPress", 0.12 * angry),
        ("cheekSquint", face * 0.30 * pleased),
        ("browDown", face * (0.45 * angry + 0.08 * displeased)),
        ("eyeWide", face * 0.30 * roused * (1.0 - pleased)),
        ("eyeBlink", face * 0.16 * tired),
    ):
        for index in _BOTH[name]:
            weights[index] = weight
    weights[_INNER] = face * (0.45 * sad + 0.10 * roused * (1.0 - angry))
    return weights


_INNER = ARKIT_INDEX["browInnerUp"]
_BOTH = {
    name: (ARKIT_INDEX[f"{name}Left"], ARKIT_INDEX[f"{name}Right"])
    for name in ("mouthSmile", "mouthFrown", "mouthPress", "cheekSquint", "browDown", "eyeWide", "eyeBlink")
}
