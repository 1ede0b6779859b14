"""What a portrait measures, beside the limits it has to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facepuppet.avatar.face import FaceView
from facepuppet.avatar.gates import MAX_PITCH_RAD, MAX_ROLL_RAD, MAX_YAW_RAD, MIN_FACE_WIDTH_PX
from facepuppet.avatar.model import Avatar


@dataclass(frozen=True, slots=True)
class Gate:
    """One measure of a portrait against its limit.

    Attributes:
        label: what is measured, in plain words.
        value: the measure, in unit.
        limit: the limit, in unit.
        unit: px or degrees.
        at_least: whether the limit is a minimum; else value's magnitude must not exceed it.
    """

    label: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def passed(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.at_least else abs(self.value) <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return f"{self.label}: {self.value:.0f} {self.unit} ({bound} {self.limit:.0f})"


def measure_gates(avatar: Avatar) -> list[Gate]:
    """Measure an avatar's face in its working picture."""
    face = FaceView.of(avatar.landmarks_px)
    turns = (
        ("face turned to the side", face.yaw_rad, MAX_YAW_RAD),
        ("face looking up or down", face.pitch_rad, MAX_PITCH_RAD),
        ("head tilted", face.roll_rad, MAX_ROLL_RAD),
    )
    return [
        Gate("face width", face.width_px, MIN_FACE_WIDTH_PX, "px", at_least=True),
        *(Gate(label, math.degrees(angle), math.degrees(limit), "degrees") for label, angle, limit in turns),
    ]
