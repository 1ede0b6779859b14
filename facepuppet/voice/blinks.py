"""When a speaker blinks: at pauses and ends of phrases, after stress, and now and then in between."""

from __future__ import annotations

import math
import random

from facepuppet.face.life_signs import BLINK_S, GAP_RANGE_S, GAP_S, GAP_SIGMA, lids_shut
from facepuppet.voice.prosody import Prosody

# People blink 26 times a minute in conversation and 17 at rest (Bentivoglio et al., "Analysis of blink rate
# patterns in normal subjects", Movement Disorders 12, 1997). The gaps between those that nothing in the
# speech calls for are so long that all together are 26.
TALKING_GAP_S = 2.7
# Blinks fall on pauses and ends of phrases (Hömke, Holler & Levinson, "Eye blinks are perceived as
# communicative signals in human face-to-face interaction", PLoS ONE 13, 2018), and with large turns of the
# eyes (Evinger et al., "Not looking while leaping", Experimental Brain Research 100, 1994).
_AT_END, _AT_STRESS, _AT_GLANCE = 0.55, 0.10, 0.35
_APART_S = 0.9  # least from one blink to the next that speech calls for


class Blinks:
    """Blinks of one speaker."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._begun_s: float | None = None
        self._last_s = -math.inf
        self._draw = chance.gauss(0.0, 1.0)

    def step(self, heard: Prosody, talking: float, glances: bool) -> float:
        """Return how far the lids are shut now, 0 to 1.

        Args:
            heard: of the voice.
            talking: 0 at rest to 1 in speech.
            glances: the eyes begin to look elsewhere.
        """
        t_s = heard.t_s
        if self._last_s == -math.inf:
            self._last_s = t_s
        median_s = GAP_S + talking * (TALKING_GAP_S - GAP_S)
        gap_s = min(max(median_s * math.exp(GAP_SIGMA * self._draw), GAP_RANGE_S[0]), GAP_RANGE_S[1])
        called = self._called(heard, glances)
        since_s = t_s - self._last_s
        if self._begun_s is None and (since_s > gap_s or (called and since_s > _APART_S)):
            self._begun_s = t_s
        if self._begun_s is None:
            return 0.0
        if t_s - self._begun_s >= BLINK_S:
            self._begun_s, self._last_s, self._draw = None, t_s, self._chance.gauss(0.0, 1.0)
            return 0.0
        return lids_shut(t_s - self._begun_s)

    def _called(self, heard: Prosody, glances: bool) -> bool:
        for happens, share in (
            (heard.ends, _AT_END),
            (heard.stress > 0.0, _AT_STRESS),
            (glances, _AT_GLANCE),
        ):
            if happens and self._chance.random() < share:
                return True
        return False
