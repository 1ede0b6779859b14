"""Numbers that go where they are told without a jump."""

from __future__ import annotations

import math


class Spring:
    """A number that follows a target as a critically damped spring does, exactly, at any spacing of times.

    Args:
        settle_s: how long it takes for nine tenths of a step.
        at: where it begins.
    """

    __slots__ = ("_omega", "at", "speed")

    def __init__(self, settle_s: float, at: float = 0.0) -> None:
        self._omega = 3.89 / settle_s  # (1 + 3.89) · exp(-3.89) = 0.1
        self.at, self.speed = at, 0.0

    def toward(self, target: float, dt_s: float) -> float:
        """Move on by a time and return where it is now."""
        away = self.at - target
        pull = (self.speed + self._omega * away) * dt_s
        left = math.exp(-self._omega * dt_s)
        self.at = target + (away + pull) * left
        self.speed = (self.speed - self._omega * pull) * left
        return self.at


class Ramp:
    """A number set by a user that eases to each new setting, and then is it to the bit."""

    __slots__ = ("_spring",)
    _NEAR = 1e-3  # of what nobody sees

    def __init__(self, settle_s: float, at: float) -> None:
        self._spring = Spring(settle_s, at)

    def toward(self, target: float, dt_s: float) -> float:
        """Move on by a time and return where it is now."""
        now = self._spring.toward(target, dt_s)
        if abs(now - target) < self._NEAR and abs(self._spring.speed) < self._NEAR:
            self._spring.at, self._spring.speed, now = target, 0.0, target
        return now
