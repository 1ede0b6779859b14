"""A style: everything that makes one and the same performance another person's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

NUMBER, DURATION, RATE, ANGLE = "number", "duration", "rate", "angle"  # seconds, a minute, radians inside
Key: TypeAlias = tuple[str, ...]  # the tables that lead to a setting, and its name
MOODS = ("pleasant", "unpleasant", "excited", "sleepy")


@dataclass(frozen=True, slots=True)
class Setting:
    """One number of a style.

    Attributes:
        kind: NUMBER, DURATION (s), RATE (a minute) or ANGLE (rad).
        usual: leaves the driver as it is.
        most: the largest that is taken; the least is 0.
        meaning: for people.
    """

    kind: str
    usual: float
    most: float
    meaning: str


_GAINS = {
    "brows": "brows",
    "lids": "lids, but that shut eyes stay shut",
    "gaze": "how far the eyes turn",
    "mouth": "lips, but for smile and jaw",
    "smile": "corners of the mouth, and cheeks",
    "jaw": "how far the mouth opens",
    "yaw": "turns of the head",
    "pitch": "nods",
    "roll": "tilts",
    "shoulders": "shoulders",
}
_THRESHOLDS = ("brows", "smile", "mouth", "jaw")
TIMED = ("brows", "smile", "head")  # lips and lids would be late for what they say


def _all_settings() -> dict[Key, Setting]:
    settings: dict[Key, Setting] = {}
    for name, meaning in _GAINS.items():
        settings["gains", name] = Setting(NUMBER, 1.0, 3.0, meaning)
    for name in _THRESHOLDS:
        settings["thresholds", name] = Setting(NUMBER, 0.0, 0.5, f"{name}: what is weaker is not shown")
    settings["thresholds", "head"] = Setting(ANGLE, 0.0, math.radians(15.0), "smaller turns are not shown")
    for name in TIMED:
        for step, meaning in (("onset", "come"), ("hold", "stay"), ("decay", "go")):
            settings["timing", name, step] = Setting(DURATION, 0.0, 3.0, f"{name}: time to {meaning}")
    for name, size in (("nods", ANGLE), ("brow_flashes", NUMBER), ("gaze_aversions", ANGLE)):
        settings["habits", name] = Setting(RATE, 0.0, 60.0, f"{name} of its own")
        usual, most = (
            (0.5, 1.0)
            if size is NUMBER
            else (math.radians(4.0 if name == "nods" else 9.0), math.radians(25.0))
        )
        settings["habits", f"{name}_size"] = Setting(size, usual, most, f"how far {name} go")
    settings["habits", "gaze_aversions_length"] = Setting(DURATION, 0.8, 5.0, "how long the eyes look away")
    settings["habits", "blinks"] = Setting(RATE, 0.0, 60.0, "blinks in all; 0 leaves them to you")
    return settings


SETTINGS: Mapping[Key, Setting] = MappingProxyType(_all_settings())
EMOTION = "emotion"  # the table of a table of shapes for each of MOODS


@dataclass(frozen=True, slots=True)
class Style:
    """A style.

    Attributes:
        name: what people call it.
        word: what it is opened by: the name of a shipped one, or a file.
        values: settings that are not as usual, in SI units but for rates, which are a minute's.
        looks: for a mood, ARKit's shapes (without their side: of both) that it adds at its fullest, −1 to 1.
    """

    name: str
    word: str
    values: Mapping[Key, float] = field(default_factory=dict)
    looks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __getitem__(self, key: Key) -> float:
        """Return a setting."""
        return self.values.get(key, SETTINGS[key].usual)
