"""Where a speaker looks: mostly at the viewer, away to think as an utterance begins, and back as it ends."""

from __future__ import annotations

import math
import random

from facepuppet.core.geometry import smoothstep
from facepuppet.face.life_signs import (
    FACE_RAD,
    HOP_S,
    HOP_SIGMA,
    TREMBLE_BACK,
    TREMBLE_RAD,
    TREMBLE_S,
    saccade_s,
)
from facepuppet.voice.prosody import UTTERANCE_PAUSE_S, Prosody

# Speakers look away where utterances and hesitations begin, and back at the ends of phrases (Kendon, "Some
# functions of gaze-direction in social interaction", Acta Psychologica 26, 1967).
_AWAY_AT_BEGIN, _AWAY_IN_PHRASE, _AWAY_IN_PAUSE = 0.5, 0.12, 0.3
_THINKING_S = 0.45  # a pause after which a speaker thinks
_AWAY_S, _AWAY_SIGMA, _AWAY_RANGE_S = 0.8, 0.45, (0.3, 2.2)  # how long
# To the sides rather than up or down; radians of the eyes.
_SIDE_RAD, _UP_RAD = (0.12, 0.26), (-0.05, 0.10)


class Glances:
    """The gaze of one speaker, in radians from the viewer: to the image's right, and down."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._from, self._to = (0.0, 0.0), (0.0, 0.0)
        self._begun_s, self._lasts_s = -1.0, 0.02
        self._away_until_s = -1.0
        self._centre = (0.0, 0.0)
        self._hop_s = self._tremble_s = 0.0
        self.leaps = False  # whether a large turn of the eyes has begun in this step

    def step(self, heard: Prosody) -> tuple[float, float]:
        """Return where the eyes look now."""
        t_s, self.leaps = heard.t_s, False
        away = t_s < self._away_until_s
        if away and (heard.ends or heard.pause_s > 1.5):
            self._away_until_s = t_s
        elif not away and self._wants_away(heard):
            self._look_away(t_s)
        elif not away and self._centre != (0.0, 0.0):
            self._centre = (0.0, 0.0)
            self._leap(t_s, self._near_viewer())
        elif t_s > self._hop_s:
            self._leap(t_s, (0.0, 0.0) if away else self._near_viewer())
        elif t_s > self._tremble_s:
            self._tremble(t_s)
        return self._now(t_s)

    def _wants_away(self, heard: Prosody) -> bool:
        chance = self._chance.random
        if heard.begins:
            return chance() < (_AWAY_AT_BEGIN if heard.begins > UTTERANCE_PAUSE_S else _AWAY_IN_PHRASE)
        thinks = heard.pause_s >= _THINKING_S > heard.pause_s - 0.02
        return thinks and chance() < _AWAY_IN_PAUSE

    def _look_away(self, t_s: float) -> None:
        chance = self._chance
        lasts_s = _AWAY_S * math.exp(chance.gauss(0.0, _AWAY_SIGMA))
        self._away_until_s = t_s + min(max(lasts_s, _AWAY_RANGE_S[0]), _AWAY_RANGE_S[1])
        self._centre = (chance.choice((-1.0, 1.0)) * chance.uniform(*_SIDE_RAD), chance.uniform(*_UP_RAD))
        self._leap(t_s, (0.0, 0.0))

    def _near_viewer(self) -> tuple[float, float]:
        return self._chance.gauss(0.0, FACE_RAD), self._chance.gauss(0.0, 0.5 * FACE_RAD)

    def _leap(self, t_s: float, beside: tuple[float, float]) -> None:
        self._start(t_s, (self._centre[0] + beside[0], self._centre[1] + beside[1]))
        self._hop_s = t_s + HOP_S * math.exp(self._chance.gauss(0.0, HOP_SIGMA))

    def _tremble(self, t_s: float) -> None:
        (x, y), (centre_x, centre_y) = self._to, self._centre
        by_x, by_y = (self._chance.gauss(0.0, TREMBLE_RAD) for _ in range(2))
        self._start(t_s, (x + TREMBLE_BACK * (centre_x - x) + by_x, y + TREMBLE_BACK * (centre_y - y) + by_y))

    def _start(self, t_s: float, to: tuple[float, float]) -> None:
        self._from, self._to, self._begun_s = self._now(t_s), to, t_s
        turn = math.dist(self._from, to)
        self.leaps = turn > 0.1
        self._lasts_s = saccade_s(turn)
        self._tremble_s = t_s + self._lasts_s + self._chance.expovariate(1.0 / TREMBLE_S)

    def _now(self, t_s: float) -> tuple[float, float]:
        share = smoothstep((t_s - self._begun_s) / self._lasts_s)
        (x, y), (to_x, to_y) = self._from, self._to
        return x + share * (to_x - x), y + share * (to_y - y)
