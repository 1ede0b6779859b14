"""From how a speaker bears head and face to what a portrait does: as lively, and as much of it, as wanted."""

from __future__ import annotations

import math

import numpy as np

from facepuppet.core.types import F32, HeadPose, TorsoPose
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.life_signs import BREATH_LIFT, BREATH_LOG_SCALE, HEAD_LIFT, shift_on_neck
from facepuppet.voice.bearing import Bearing, Gesture
from facepuppet.voice.easing import Ramp
from facepuppet.voice.mood import Mood, look_of
from facepuppet.voice.voice_manner import Region, VoiceManner

EASE_S = 0.8  # from one manner to another
MOOD_EASE_S = 1.2
# The fastest that any point of a face is carried by its head, in inter-ocular distances a second: 2 % of a
# face's height (1.87 of them) in a thirtieth of one, less what breath and lean add.
FASTEST = 0.96
_FACING, _ALONG = 1.3, 1.9  # reach of pitch and yaw (eyes to neck, and the nose before them), and of roll
# A vowel held for a note is opened wider than one spoken: as pitch and loudness rise, jaws of singers open by
# 5 to 15 mm more, those of speakers by 10 to 15 in all (Sundberg & Skoog, "Dependence of jaw opening on pitch
# and vowel in singers", Journal of Voice 11, 1997): half as far again is the least of it.
SUNG_JAW = 0.5
_LOOK_RAD = math.radians(30.0)  # turn of an eye at an eyeLook* of 1, as the shapes were fitted with
_LEAN, _LEAN_DOWN, _LEAN_ROLL = (
    0.3,
    0.1,
    0.25,
)  # of the head's way aside, down and roll, what shoulders follow
_LOOKS = {way: [ARKIT_INDEX[f"eyeLook{way}{side}"] for side in ("Left", "Right")] for way in ("Up", "Down")}
# "Left" is the person's: the right half of the picture, where looking to its right is outwards.
_LOOKS["right"] = [ARKIT_INDEX["eyeLookOutLeft"], ARKIT_INDEX["eyeLookInRight"]]
_LOOKS["left"] = [ARKIT_INDEX["eyeLookInLeft"], ARKIT_INDEX["eyeLookOutRight"]]
_BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_UP = [ARKIT_INDEX[name] for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")]
_DRAWN = [ARKIT_INDEX["browDownLeft"], ARKIT_INDEX["browDownRight"]]
_REACH = {Region.MOUTH: 0, Region.FACE: 1, Region.HEAD: 2, Region.SHOULDERS: 3}


class Posing:
    """Applies a manner, and eases from one to the next.

    Args:
        manner: what it begins with.
    """

    def __init__(self, manner: VoiceManner) -> None:
        reach = _REACH[manner.region]
        self._lively, self._mouth = Ramp(EASE_S, manner.liveliness), Ramp(EASE_S, manner.intensity)
        self._face, self._head, self._shoulders = (Ramp(EASE_S, float(reach >= n)) for n in (1, 2, 3))
        self._heeds = Ramp(MOOD_EASE_S, float(manner.emotion and manner.mood is None))
        by_hand = manner.mood or (0.0, 0.0)
        self._valence, self._arousal = (Ramp(MOOD_EASE_S, at) for at in by_hand)
        self._turn = (0.0, 0.0, 0.0)
        self._at_s: float | None = None

    def pose(self, t_s: float, bearing: Bearing, manner: VoiceManner) -> Gesture:
        """Return what to do at a time; times do not fall from one call to the next."""
        dt_s = 0.0 if self._at_s is None else t_s - self._at_s
        reach = _REACH[manner.region]
        face, head, shoulders = (
            ramp.toward(float(reach >= n), dt_s)
            for n, ramp in enumerate((self._face, self._head, self._shoulders), 1)
        )
        mood = self._mood(bearing, manner, dt_s)
        lively = head * self._lively.toward(manner.liveliness, dt_s) * mood.head_gain
        turn = self._limited((lively * bearing.x, lively * bearing.y, lively * bearing.z), dt_s)
        self._turn, self._at_s = turn, t_s
        weights = look_of(mood, face)
        self._move_eyes(weights, bearing, turn, face)
        weights[_UP] += face * bearing.brows_up
        weights[_DRAWN] += face * bearing.brows_drawn
        return Gesture(
            *_stand(turn, lively * bearing.log_scale, bearing.breath, head, shoulders),
            np.clip(weights, 0.0, 1.0, out=weights),
            self._mouth.toward(manner.intensity, dt_s),
            1.0 + SUNG_JAW * bearing.sustain,
        )

    def _mood(self, bearing: Bearing, manner: VoiceManner, dt_s: float) -> Mood:
        heeds = self._heeds.toward(float(manner.emotion and manner.mood is None), dt_s)
        valence, arousal = manner.mood or (0.0, 0.0)
        return Mood(
            self._valence.toward(valence, dt_s) + heeds * bearing.valence,
            self._arousal.toward(arousal, dt_s) + heeds * bearing.arousal,
        )

    def _limited(self, wanted: tuple[float, float, float], dt_s: float) -> tuple[float, float, float]:
        """Go to a turn no faster than a face may; all the way where there was none before."""
        if self._at_s is None:
            return wanted
        x, y, z = (to - at for to, at in zip(wanted, self._turn, strict=True))
        far, most = _FACING * math.hypot(x, y) + _ALONG * abs(z), FASTEST * dt_s
        if far <= 0.01 * most:
            return wanted
        # Slow turns are followed as they are, and fast ones bend off softly.
        share = most * math.tanh(far / most) / far if most > 0.0 else 0.0
        return self._turn[0] + share * x, self._turn[1] + share * y, self._turn[2] + share * z

    @staticmethod
    def _move_eyes(weights: F32, bearing: Bearing, turn: tuple[float, float, float], face: float) -> None:
        """Let the eyes look where they do, whatever the head does meanwhile."""
        right = face * (bearing.look_right + turn[1]) / _LOOK_RAD
        down = face * (bearing.look_down - turn[0]) / _LOOK_RAD
        weights[_LOOKS["right" if right > 0.0 else "left"]] = abs(right)
        weights[_LOOKS["Down" if down > 0.0 else "Up"]] = abs(down)
        for index in _BLINKS:
            weights[index] += face * bearing.shut * (1.0 - weights[index])


def _stand(
    turn: tuple[float, float, float], log_scale: float, breath: float, head: float, shoulders: float
) -> tuple[HeadPose, TorsoPose]:
    """Return where head and shoulders are for a turn of the head, and a breath."""
    right, down = shift_on_neck(*turn)
    lean_right, lean_down = shoulders * _LEAN * right, shoulders * _LEAN_DOWN * down
    lift = shoulders * breath
    # A head rides on its shoulders, and rises less with a breath than they do.
    head_lift = min(head, shoulders) * HEAD_LIFT * breath
    return (
        HeadPose(np.array(turn, np.float32), (right + lean_right, down + lean_down - head_lift), log_scale),
        TorsoPose(
            (lean_right, lean_down - BREATH_LIFT * lift),
            shoulders * _LEAN_ROLL * turn[2],
            BREATH_LOG_SCALE * lift,
        ),
    )
