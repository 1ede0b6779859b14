"""How brows move in speech: up where pitch rises for emphasis, a little together where only loudness does."""

from __future__ import annotations

import random

from facepuppet.voice.easing import Spring
from facepuppet.voice.prosody import Prosody
from facepuppet.voice.voice_frame import STEP_S

# Of quick raises of the brows in speech, 71 % go with a rise of pitch (Cavé et al., "About the relationship
# between eyebrow movements and F0 variations", ICSLP 1996); not every rise of pitch has one.
_RISE_ST = 1.2
_SHARE = 0.71
_RAISE, _FURROW = (0.30, 0.60), (0.08, 0.20)  # weights
_HOLD_S = (0.15, 0.35)
_FOLLOW_ST = 0.035  # of a weight, with each semitone above the usual


class Brows:
    """The brows of one speaker."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._up, self._down = Spring(0.28), Spring(0.35)
        self._raised, self._raised_until_s = 0.0, -1.0
        self._drawn, self._drawn_until_s = 0.0, -1.0

    def step(self, heard: Prosody, talking: float) -> tuple[float, float]:
        """Return how far they are up and how far drawn together, as weights."""
        t_s, chance = heard.t_s, self._chance
        if heard.stress > 0.0 and chance.random() < _SHARE:
            if heard.rises > _RISE_ST:
                self._raised = chance.uniform(*_RAISE) * min(heard.stress, 1.2)
                self._raised_until_s = t_s + chance.uniform(*_HOLD_S)
            elif heard.loud > 2.0:
                self._drawn = chance.uniform(*_FURROW)
                self._drawn_until_s = t_s + chance.uniform(*_HOLD_S)
        raised = self._raised if t_s < self._raised_until_s else 0.0
        follow = talking * _FOLLOW_ST * max(heard.bend_st, 0.0)
        drawn = self._drawn if t_s < self._drawn_until_s else 0.0
        return self._up.toward(raised + follow, STEP_S), self._down.toward(drawn, STEP_S)
