"""How nobody sits: now and then the weight goes elsewhere, and shoulders and head settle in another place."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from facepuppet.core.geometry import smoothstep

# By eye, of people who listen in calls: a shift in half a minute or so, which takes one to two seconds.
_HELD_S, _HELD_SIGMA, _HELD_RANGE_S = 24.0, 0.5, (8.0, 90.0)
_SHIFT_S = (1.2, 2.2)
_LEAN_RIGHT, _LEAN_DOWN, _ROLL_RAD, _NEARER = 0.028, 0.010, 0.010, 0.010
_PITCH_RAD, _YAW_RAD, _TILT_RAD = 0.016, 0.030, 0.014
_MOST = 2.0  # standard deviations


@dataclass(frozen=True, slots=True)
class Seat:
    """One way to sit, against the portrait: torso in inter-ocular distances, head in radians.

    Attributes:
        lean: of the torso, to the image right and down.
        roll_rad: of the shoulders.
        log_scale: of head and torso.
        turn: of the head, a rotation vector.
    """

    lean: tuple[float, float] = (0.0, 0.0)
    roll_rad: float = 0.0
    log_scale: float = 0.0
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def toward(self, other: Seat, share: float) -> Seat:
        """Go from this one (0) to another (1)."""
        lean, turn = (
            tuple(a + share * (b - a) for a, b in zip(mine, others, strict=True))
            for mine, others in ((self.lean, other.lean), (self.turn, other.turn))
        )
        return Seat(
            (lean[0], lean[1]),
            self.roll_rad + share * (other.roll_rad - self.roll_rad),
            self.log_scale + share * (other.log_scale - self.log_scale),
            (turn[0], turn[1], turn[2]),
        )


class IdlePosture:
    """The posture of nobody; time comes in with each update.

    Args:
        chance: the same one gives the same postures.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.begin(0.0)

    def begin(self, t_s: float) -> None:
        """Sit as in the portrait from now on."""
        self._from = self._to = Seat()
        self._begun_s, self._lasts_s = t_s, _SHIFT_S[0]
        self._next_s = t_s + self._held_s()

    def update(self, t_s: float) -> Seat:
        """Return how nobody sits at a time."""
        if t_s >= self._next_s:
            self._from, self._to, self._begun_s = self._now(t_s), self._drawn(), t_s
            self._lasts_s = self._chance.uniform(*_SHIFT_S)
            self._next_s = t_s + self._lasts_s + self._held_s()
        return self._now(t_s)

    def _now(self, t_s: float) -> Seat:
        share = smoothstep((t_s - self._begun_s) / self._lasts_s)
        return self._to if share >= 1.0 else self._from.toward(self._to, share)

    def _drawn(self) -> Seat:
        return Seat(
            (self._around(_LEAN_RIGHT), abs(self._around(_LEAN_DOWN))),  # who shifts sinks, if anything
            self._around(_ROLL_RAD),
            self._around(_NEARER),
            (self._around(_PITCH_RAD), self._around(_YAW_RAD), self._around(_TILT_RAD)),
        )

    def _around(self, spread: float) -> float:
        return spread * min(max(self._chance.gauss(0.0, 1.0), -_MOST), _MOST)

    def _held_s(self) -> float:
        drawn_s = self._chance.lognormvariate(math.log(_HELD_S), _HELD_SIGMA)
        return min(max(drawn_s, _HELD_RANGE_S[0]), _HELD_RANGE_S[1])
