"""What a character does of its own while it is driven: nods, brow flashes, looks aside, blinks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from facepuppet.character.style import Key
from facepuppet.core.geometry import smoothstep
from facepuppet.face.life_signs import BLINK_S, Stroke, lids_shut, saccade_s

_NOD_RAD_S = 0.60  # the greatest speed of a nod, as of speakers' (`voice/nods.py`)
# Brows that greet or agree flash: quickly up, and down within a third of a second or so (Grammer et al.,
# "Patterns on the face: the eyebrow flash in crosscultural comparison", Ethology 77, 1988).
_FLASH_S = 0.13
_SPREAD = 0.5  # of gaps, as the logarithm
_ASLEEP_S = 0.4  # lids that are shut for longer are shut on purpose
_UNSEEN = 0.85  # how far lids stay open where a blink is left out
_FALLING, _SHUT = 0.85, 0.5
_RETURN_S = 0.12
_MOST_DUE = 2.0

Value = Callable[[Key], float]


class Habits:
    """Movements of one character. Time comes in with each step, so there is no clock of its own.

    Args:
        seed: the same seed, style and times give the same movements.
    """

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._due_s: dict[str, float] = {}
        self._strokes: dict[str, Stroke] = {}
        self._aside: tuple[float, float, float, float, float] | None = None  # since, there, back, right, down

    def step(self, t_s: float, value: Value) -> tuple[float, float, tuple[float, float]]:
        """Return how far the head is down (rad), brows are up (0 to 1), and eyes aside (rad; right, down)."""
        for habit, falls_s in (("nods", self._nod_s(value)), ("brow_flashes", _FLASH_S)):
            if self._is_due(habit, t_s, value):
                size = value(("habits", f"{habit}_size")) * math.exp(self._chance.gauss(0.0, 0.2))
                self._strokes[habit] = Stroke(t_s, falls_s, (size,))
        if self._is_due("gaze_aversions", t_s, value):
            self._look_aside(t_s, value)
        return self._stroke("nods", t_s), min(self._stroke("brow_flashes", t_s), 1.0), self._eyes(t_s)

    @staticmethod
    def _nod_s(value: Value) -> float:
        return max(0.16, 1.5 * value(("habits", "nods_size")) / _NOD_RAD_S)  # smoothstep's steepest is 1.5

    def _is_due(self, habit: str, t_s: float, value: Value) -> bool:
        rate = value(("habits", habit))
        if rate <= 0.0:
            self._due_s.pop(habit, None)
            return False
        due_s = self._due_s.get(habit)
        if due_s is None or t_s >= due_s:
            # Log-normal with the wanted mean.
            gap_s = 60.0 / rate * math.exp(self._chance.gauss(0.0, _SPREAD) - _SPREAD**2 / 2.0)
            self._due_s[habit] = t_s + gap_s
        return due_s is not None and t_s >= due_s

    def _stroke(self, habit: str, t_s: float) -> float:
        stroke = self._strokes.get(habit)
        return 0.0 if stroke is None or stroke.over(t_s) else stroke.share(t_s) * stroke.size[0]

    def _look_aside(self, t_s: float, value: Value) -> None:
        size, chance = value(("habits", "gaze_aversions_size")), self._chance
        right, down = chance.choice((-1.0, 1.0)) * size, 0.4 * size * chance.uniform(-0.5, 1.0)
        stays_s = value(("habits", "gaze_aversions_length")) * math.exp(chance.gauss(0.0, 0.3))
        self._aside = t_s, saccade_s(size), t_s + stays_s, right, down

    def _eyes(self, t_s: float) -> tuple[float, float]:
        if self._aside is None:
            return 0.0, 0.0
        begun_s, takes_s, back_s, right, down = self._aside
        share = smoothstep((t_s - begun_s) / takes_s) - smoothstep((t_s - back_s) / takes_s)
        if t_s > back_s + takes_s:
            self._aside = None
        return share * right, share * down


class BlinkRate:
    """Blinks as often as a style has it: some of the driver's are left out, others come on top."""

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._due = 0.5  # how many blinks are owed
        self._own_s: float | None = None  # when one of its own began
        self._driver_s: float | None = None  # when the driver's lids began to fall
        self._left_out, self._counted, self._veil, self._patience = False, False, 0.0, 1.0

    def step(self, t_s: float, dt_s: float, opening: float, rate: float) -> tuple[float, float]:
        """Return how far lids shut on top (0 to 1), and how much of the driver's shutting is left out."""
        self._due = min(max(self._due + rate / 60.0 * dt_s, -_MOST_DUE), _MOST_DUE) if rate > 0.0 else 0.5
        falls = opening < _FALLING
        if not falls:
            self._driver_s, self._counted = None, False
        elif self._driver_s is None:
            self._driver_s, self._left_out = t_s, rate > 0.0 and self._due < 0.0
        if falls and not self._left_out and not self._counted and opening < _SHUT:
            self._counted = True
            self._due -= 1.0
        asleep = self._driver_s is not None and t_s - self._driver_s > _ASLEEP_S
        if self._left_out and falls and not asleep:
            self._veil = 1.0
        else:
            self._veil = max(0.0, self._veil - dt_s / _RETURN_S)
        return self._own(t_s, falls, rate), smoothstep(self._veil)

    def _own(self, t_s: float, falls: bool, rate: float) -> float:
        if self._own_s is not None:
            if t_s - self._own_s < BLINK_S:
                return lids_shut(t_s - self._own_s)
            self._own_s = None
        if rate > 0.0 and not falls and self._due > self._patience:
            self._own_s = t_s
            self._due -= 1.0
            self._patience = self._chance.uniform(0.4, 1.6)
        return 0.0


def lids_with(opening: float, shuts: float, left_out: float) -> float:
    """Return a lid aperture with what `BlinkRate` says of it."""
    kept = opening + left_out * max(_UNSEEN - opening, 0.0)
    return kept * (1.0 - shuts)
