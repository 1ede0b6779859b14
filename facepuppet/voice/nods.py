"""How a speaker's head moves: it drifts, aims anew with each phrase, follows pitch and nods on stress.

Head and voice go together (Munhall et al., "Visual prosody and speech intelligibility", Psychological Science
15, 2004; Hadar et al., "Kinematics of head movements accompanying speech during conversation", Human Movement
Science 2, 1983): posture shifts where phrases begin, the head rises with pitch and loudness, and fast strokes
fall on stressed syllables. At liveliness 1 angles and speeds are the medians of eight people who talk in ten
clips, on their own voices.
"""

from __future__ import annotations

import math
import random

from facepuppet.face.life_signs import SWAYS, Stroke, sway
from facepuppet.voice.easing import Spring
from facepuppet.voice.prosody import Prosody
from facepuppet.voice.voice_frame import STEP_S

Turn = tuple[float, float, float]  # of a turn vector: pitch (down), less yaw, roll (clockwise), in radians

_AIM_RAD = (0.043, 0.065, 0.045)  # spread of where the head aims
_AIM_S, _AIM_SIGMA = 0.37, 0.35  # how long it keeps an aim in the middle of a phrase
_SETTLE_S = (0.36, 0.40, 0.36)  # how fast it goes there
_QUICKER = 2.3  # than at rest a head sways in speech, and as far again
_LEFT = 0.99  # of an aim, each step of silence: the head goes back to rest in some seconds
_AIM_NEAR = 0.008  # spread of the nearness that goes with it, as the logarithm of the size
_UP_RAD_ST, _UP_RAD_DB, _UP_S = 0.008, 0.0015, 0.9  # up with pitch and with loudness of phrases, slowly
_NOD_RAD, _NOD_SIGMA = 0.088, 0.4  # of a stroke on a stressed syllable
_LARGEST_RAD, _NOD_RAD_S = 0.12, 0.60  # of a stroke, and its greatest speed
_NOD_SHARE = 0.8  # of stressed syllables
_ASIDE = 0.45  # of a stroke that goes aside
_DOWN_S = (0.12, 0.19)  # how long a stroke falls


class Nods:
    """The head of one speaker."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._phases = [[chance.uniform(0.0, 2.0 * math.pi) for _ in waves] for waves in SWAYS]
        self._springs = tuple(Spring(settle_s) for settle_s in _SETTLE_S)
        self._nearness, self._up = Spring(1.0), Spring(_UP_S)
        self._aim: Turn = (0.0, 0.0, 0.0)
        self._near, self._aim_until_s = 0.0, 0.0
        self._strokes: list[Stroke] = []

    @property
    def log_scale(self) -> float:
        """How much nearer the head is."""
        return self._nearness.at

    def step(self, heard: Prosody, talking: float, freely: float) -> Turn:
        """Return where the head turns now.

        Args:
            heard: of the voice.
            talking: 0 at rest to 1 in speech.
            freely: share of stressed syllables that may have a nod of their own; fewer where a beat rules.
        """
        t_s = heard.t_s
        if heard.begins or (heard.spoken_s and t_s > self._aim_until_s):
            self._aim_anew(t_s)
        elif not heard.spoken_s:
            x, y, z = self._aim
            self._aim, self._near = (_LEFT * x, _LEFT * y, _LEFT * z), _LEFT * self._near
        if heard.stress > 0.0 and self._chance.random() < freely * _NOD_SHARE:
            self._nod(t_s, heard.stress)
        self._strokes = [stroke for stroke in self._strokes if not stroke.over(t_s)]
        self._nearness.toward(talking * self._near, STEP_S)
        x, y, z = (spring.toward(aim, STEP_S) for spring, aim in zip(self._springs, self._aim, strict=True))
        rises = _UP_RAD_ST * heard.bend_st + _UP_RAD_DB * max(heard.loud, -8.0)
        x -= self._up.toward(talking * rises, STEP_S)
        slow, quick = sway(t_s, self._phases), sway(_QUICKER * t_s, self._phases)
        by_x, by_y, by_z = (one + talking * other for one, other in zip(slow, quick, strict=True))
        for stroke in self._strokes:
            share = stroke.share(t_s)
            x, y, z = x + share * stroke.size[0], y + share * stroke.size[1], z + share * stroke.size[2]
        return x + by_x, y + by_y, z + by_z

    def _aim_anew(self, t_s: float) -> None:
        gauss = self._chance.gauss
        # Half of where it was stays, so that the head wanders rather than leaps.
        x, y, z = (
            min(max(0.35 * was + gauss(0.0, spread), -2.2 * spread), 2.2 * spread)
            for was, spread in zip(self._aim, _AIM_RAD, strict=True)
        )
        self._aim, self._near = (x, y, z), gauss(0.0, _AIM_NEAR)
        self._aim_until_s = t_s + _AIM_S * math.exp(gauss(0.0, _AIM_SIGMA))

    def _nod(self, t_s: float, stress: float) -> None:
        chance = self._chance
        size = _NOD_RAD * (0.5 + 0.5 * stress) * math.exp(chance.gauss(0.0, _NOD_SIGMA))
        size = min(size, _LARGEST_RAD)
        falls_s = max(chance.uniform(*_DOWN_S), 1.5 * size / _NOD_RAD_S)  # smoothstep's steepest is 1.5
        aside = (_ASIDE * size * chance.gauss(0.0, 1.0), _ASIDE * size * chance.gauss(0.0, 0.8))
        self._strokes.append(Stroke(t_s, falls_s, (size, *aside)))
