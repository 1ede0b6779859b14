"""How far one portrait bears to be moved.

All limits are travels from the portrait as it is, not absolute angles: what a picture can bear
depends on where it starts. The live loop keeps within them softly (`retarget.limits`).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

Travel: TypeAlias = tuple[float, float]  # towards negative and positive values, both as magnitudes

# Farthest absolute head pose of a portrait that nobody measured (yaw, pitch, roll in radians): beyond,
# most pictures lack the cheeks and ears that come to sight.
ASSUMED_POSE = (0.62, 0.50, 0.70)
LEAST_TRAVEL = 0.20  # radians that a portrait may still turn farther in the direction it already looks
_LARGEST = 4.0  # of any limit; a file that claims more is malformed


@dataclass(frozen=True, slots=True)
class SafeRange:
    """Limits of one portrait's motion; the defaults suit a frontal one that nobody measured.

    Attributes:
        yaw_rad: head turn to the image left, to the image right.
        pitch_rad: up, down.
        roll_rad: counter-clockwise, clockwise.
        gaze_x: iris shift to the image left, right, in eye widths.
        gaze_y: iris shift up, down, in eye widths.
        mouth_opening: inner-lip gap over inter-ocular distance.
        eye_opening: widest lid aperture relative to the portrait's own (1 is its own).
    """

    yaw_rad: Travel = (ASSUMED_POSE[0], ASSUMED_POSE[0])
    pitch_rad: Travel = (ASSUMED_POSE[1], ASSUMED_POSE[1])
    roll_rad: Travel = (ASSUMED_POSE[2], ASSUMED_POSE[2])
    gaze_x: Travel = (0.42, 0.42)
    gaze_y: Travel = (0.30, 0.30)
    mouth_opening: float = 1.0
    eye_opening: float = 1.6

    @classmethod
    def assumed(cls, yaw_rad: float, pitch_rad: float, roll_rad: float) -> SafeRange:
        """Return the range of a portrait that nobody measured, from its own head pose.

        One in three-quarter view may turn far back to the front, but not much farther away.
        """
        yaw, pitch, roll = ASSUMED_POSE
        return cls(_travel(yaw_rad, yaw), _travel(pitch_rad, pitch), _travel(roll_rad, roll))

    def to_json(self) -> bytes:
        """Return the limits as a JSON object, one member per attribute."""
        return json.dumps(asdict(self), indent=2).encode()

    @classmethod
    def from_json(cls, content: bytes) -> SafeRange:
        """Read what `to_json` wrote; members it does not know are ignored.

        Raises:
            ValueError: malformed, incomplete, or limits that are not in (0, 4].
        """
        try:
            table: Any = json.loads(content)
            return cls(**{field.name: _limits(table[field.name], field.default) for field in fields(cls)})
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"no complete safe range ({error!r:.80})") from error


def _travel(own_rad: float, limit_rad: float) -> Travel:
    left = limit_rad + min(own_rad, 0.0)
    right = limit_rad - max(own_rad, 0.0)
    return max(left, LEAST_TRAVEL), max(right, LEAST_TRAVEL)


def _limits(value: Any, like: Any) -> Any:
    """Check one limit or pair of limits."""
    if not isinstance(like, tuple):
        return _limit(value)
    if not isinstance(value, list) or len(value) != len(like):
        raise ValueError("a pair of limits is no pair")
    return tuple(_limit(item) for item in value)


def _limit(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and 0.0 < value <= _LARGEST):
        raise ValueError("a limit is no number in (0, 4]")
    return float(value)
