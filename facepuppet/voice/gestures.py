"""What head, eyes and brows do with speech."""

from __future__ import annotations

import math
import random
from bisect import bisect_right

import numpy as np

from facepuppet.voice.bearing import REST, Bearing, Gesture
from facepuppet.voice.beat import Beat
from facepuppet.voice.blinks import Blinks
from facepuppet.voice.breaths import Breaths
from facepuppet.voice.brows import Brows
from facepuppet.voice.easing import Spring
from facepuppet.voice.glances import Glances
from facepuppet.voice.mood import MoodListener
from facepuppet.voice.nods import Nods
from facepuppet.voice.posing import Posing
from facepuppet.voice.prosody import ProsodyListener
from facepuppet.voice.voice_frame import MOUTH_SHAPES, STEP_S, VoiceFrame
from facepuppet.voice.voice_manner import VoiceManner

STALL_S = 0.3  # without sound for longer than this, the face lives on as in silence
_KEPT_S = 0.5  # of moments behind the time last asked for
_AWAKE_S = 1.5  # from rest to full life
_TALK_S, _LISTEN_S = 0.8, 1.2  # how fast a head wakes up to speech; the pause after which it has ended
_BEAT_NOD, _BEAT_ROLL = 0.045, 0.040  # radians of a nod on the beat, of a sway at half its tempo
_NO_MOUTH = np.zeros(len(MOUTH_SHAPES), np.float32)


class Gestures:
    """Moves head, eyes and brows with speech.

    All of it is worked out step by step as frames are heard, and `at` only looks between two steps: what it
    returns does not depend on how sound came in blocks, as long as it asks for nothing that was not heard.

    Args:
        manner: how lively, and what moves; may be replaced at any time, and is eased in.
        seed: the same seed, sound and times give the same gestures.
    """

    def __init__(self, manner: VoiceManner, seed: int = 0) -> None:
        self.manner = manner
        parts = ("blinks", "glances", "brows", "nods")
        blinks, glances, brows, nods = (random.Random(f"{part} {seed}") for part in parts)
        self._prosody, self._beat, self._mood = ProsodyListener(), Beat(), MoodListener()
        self._blinks, self._glances, self._brows = Blinks(blinks), Glances(glances), Brows(brows)
        self._nods, self._breaths = Nods(nods), Breaths()
        self._talking, self._awake = Spring(_TALK_S), Spring(_AWAKE_S)
        self._bearings: list[Bearing] = []
        self._clock_s = 0.0  # of what was worked out; unlike times of frames it never goes back
        self._asked_s: float | None = None  # first
        self._posing = Posing(manner)

    def hear(self, frame: VoiceFrame, brightness_db: float = 0.0) -> None:
        """Take in the next frame.

        Args:
            frame: of the voice; 20 ms after the one before.
            brightness_db: as `Brightness` measures it; what moods are heard in.
        """
        while self._bearings and self._bearings[-1].t_s > frame.t_s - 0.5 * STEP_S:
            self._bearings.pop()  # sound was late, and this was made up for its lack
        self._clock_s += STEP_S
        heard = self._prosody.hear(frame, self._clock_s)
        mood = self._mood.hear(heard, frame.loudness_db, brightness_db)
        talks = heard.spoken_s > 0.0 or heard.pause_s < _LISTEN_S
        talking = self._talking.toward(float(talks), STEP_S)
        awake = self._awake.toward(1.0, STEP_S)
        look_right, look_down = self._glances.step(heard)
        phase, clear = self._beat.step(frame.loudness_db)
        x, y, z = self._nods.step(heard, talking, 1.0 - clear)
        up, drawn = self._brows.step(heard, talking)
        bearing = Bearing(
            frame.t_s,
            awake * x + clear * _BEAT_NOD * math.cos(2.0 * math.pi * phase),
            awake * y,
            awake * z + clear * _BEAT_ROLL * math.cos(math.pi * phase),
            self._nods.log_scale,
            awake * self._breaths.step(heard),
            self._blinks.step(heard, talking, self._glances.leaps),
            awake * look_right,
            awake * look_down,
            up,
            drawn,
            heard.sustain,
            mood.valence,
            mood.arousal,
        )
        self._bearings.append(bearing)

    @property
    def mood(self) -> tuple[float, float]:
        """Valence and arousal as they were heard last, whether or not they shape the face."""
        last = self._bearings[-1:]
        return (last[0].valence, last[0].arousal) if last else (0.0, 0.0)

    def at(self, t_s: float) -> Gesture:
        """Return what is done at a time; times do not fall from one call to the next.

        Where no sound came for STALL_S, the face goes on living as in silence.
        """
        self._live_until(t_s)
        return self._posing.pose(t_s, self._bearing_at(t_s), self.manner)

    def _live_until(self, t_s: float) -> None:
        if self._asked_s is None:
            self._asked_s = t_s
        last_s = self._bearings[-1].t_s if self._bearings else self._asked_s
        if t_s - last_s <= STALL_S:
            return
        # After hours without a sound nobody wants all of them made up for.
        last_s = max(last_s, t_s - 10.0)
        while last_s < t_s:
            last_s += STEP_S
            self.hear(VoiceFrame(last_s, _NO_MOUTH, 0.0, 0.0, 0.0))

    def _bearing_at(self, t_s: float) -> Bearing:
        bearings = self._bearings
        after = bisect_right(bearings, t_s, key=_time_of)
        if after in (0, len(bearings)):
            return bearings[min(after, len(bearings) - 1)] if bearings else REST
        one, other = bearings[after - 1], bearings[after]
        if after * STEP_S > 2.0 * _KEPT_S:
            del bearings[: bisect_right(bearings, t_s - _KEPT_S, key=_time_of)]
        return one.toward(other, (t_s - one.t_s) / (other.t_s - one.t_s))


def _time_of(bearing: Bearing) -> float:
    return bearing.t_s
