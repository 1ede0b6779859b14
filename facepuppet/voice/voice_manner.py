"""How a voice moves a portrait, as its user set it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Region(Enum):
    """How much of a person a voice moves."""

    MOUTH = "mouth"
    FACE = "face"  # lids, gaze and brows too
    HEAD = "head"  # face and head
    SHOULDERS = "shoulders"  # all


@dataclass(frozen=True, slots=True)
class VoiceManner:
    """How a voice moves a portrait.

    Attributes:
        liveliness: of the head; 0 is still, 1 as people do, 2 lively.
        region: what moves; what is not in it rests.
        intensity: factor on the mouth, 1 as heard.
        emotion: whether valence and arousal heard in the voice shape the face (`mood.py`: arousal is heard
            well, valence hardly).
        mood: valence and arousal by hand, each -1 to 1, whether or not emotion is heard; None: as heard.

    Raises:
        ValueError: a number outside its range.
    """

    liveliness: float = 1.0
    region: Region = Region.SHOULDERS
    intensity: float = 1.0
    emotion: bool = False
    mood: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name, value in (("liveliness", self.liveliness), ("intensity", self.intensity)):
            if not (math.isfinite(value) and 0.0 <= value <= 2.0):
                raise ValueError(f"got {name} = {value}, expected a number from 0 to 2")
        if self.mood is not None and not all(math.isfinite(x) and -1.0 <= x <= 1.0 for x in self.mood):
            raise ValueError(f"got mood = {self.mood}, expected valence and arousal, each from -1 to 1")
