"""Where nobody's eyes look: at the viewer, from eye to eye, now and then elsewhere, and never quite still."""

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

# Who listens looks at the other for some 8 s on end, and away for half a second; how far, falls off
# exponentially with a mean of 7° (Lee, Badler & Badler, "Eyes Alive", SIGGRAPH 2002). Beyond 15° heads turn
# (Bahill, Adler & Stark, "Most naturally occurring human saccades have magnitudes of 15 degrees or less",
# Investigative Ophthalmology 14, 1975).
_AT_VIEWER_S, _AT_VIEWER_SIGMA = 7.0, 0.45  # log-normal: median and spread
_AWAY_S, _AWAY_SIGMA = 0.45, 0.5
_AWAY_RAD, _AWAY_RANGE_RAD = math.radians(7.0), (math.radians(3.0), math.radians(15.0))
_REST_S = 0.1  # least from the end of one saccade to the next
_UP_OR_DOWN = 0.5  # of what goes to the side: lids and brows would go along with more


class IdleGaze:
    """The gaze of nobody; time comes in with each update.

    Args:
        chance: the same one gives the same gaze.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.begin(0.0)

    def begin(self, t_s: float) -> None:
        """Look at the viewer from now on, with no saccade on the way."""
        self._from = self._to = self._centre = (0.0, 0.0)
        self._begun_s, self._lasts_s = t_s, saccade_s(0.0)
        self._turns_s = t_s + self._spell_s(_AT_VIEWER_S, _AT_VIEWER_SIGMA)
        self._hop_s = t_s + self._spell_s(HOP_S, HOP_SIGMA)
        self._tremble_s = t_s + self._chance.expovariate(1.0 / TREMBLE_S)

    def update(self, t_s: float) -> tuple[float, float]:
        """Return where the eyes look at a time, in radians to the image's right and down of the viewer."""
        if t_s < self._begun_s + self._lasts_s + _REST_S:
            return self._now(t_s)
        if t_s >= self._turns_s:
            self._turn(t_s)
        elif t_s >= self._hop_s:
            self._saccade(t_s, self._beside_centre())
            self._hop_s = t_s + self._spell_s(HOP_S, HOP_SIGMA)
        elif t_s >= self._tremble_s:
            self._tremble(t_s)
        return self._now(t_s)

    def _turn(self, t_s: float) -> None:
        """Look away, or back at the viewer."""
        away = self._centre == (0.0, 0.0)
        if away:
            least, most = _AWAY_RANGE_RAD
            far = min(max(self._chance.expovariate(1.0 / _AWAY_RAD), least), most)
            way = self._chance.uniform(0.0, 2.0 * math.pi)
            self._centre = far * math.cos(way), _UP_OR_DOWN * far * math.sin(way)
            self._turns_s = t_s + self._spell_s(_AWAY_S, _AWAY_SIGMA)
        else:
            self._centre = (0.0, 0.0)
            self._turns_s = t_s + self._spell_s(_AT_VIEWER_S, _AT_VIEWER_SIGMA)
        self._saccade(t_s, self._beside_centre())
        self._hop_s = t_s + self._spell_s(HOP_S, HOP_SIGMA)

    def _beside_centre(self) -> tuple[float, float]:
        x, y = self._centre
        return x + self._chance.gauss(0.0, FACE_RAD), y + self._chance.gauss(0.0, 0.5 * FACE_RAD)

    def _tremble(self, t_s: float) -> None:
        (x, y), (centre_x, centre_y) = self._to, self._centre
        by_x, by_y = (self._chance.gauss(0.0, TREMBLE_RAD) for _ in range(2))
        self._saccade(
            t_s, (x + TREMBLE_BACK * (centre_x - x) + by_x, y + TREMBLE_BACK * (centre_y - y) + by_y)
        )

    def _saccade(self, t_s: float, to: tuple[float, float]) -> None:
        self._from, self._to, self._begun_s = self._now(t_s), to, t_s
        self._lasts_s = saccade_s(math.dist(self._from, to))
        self._tremble_s = t_s + self._lasts_s + self._chance.expovariate(1.0 / TREMBLE_S)

    def _spell_s(self, median_s: float, sigma: float) -> float:
        return self._chance.lognormvariate(math.log(median_s), sigma)

    def _now(self, t_s: float) -> tuple[float, float]:
        share = smoothstep((t_s - self._begun_s) / self._lasts_s)
        (x, y), (to_x, to_y) = self._from, self._to
        return x + share * (to_x - x), y + share * (to_y - y)
