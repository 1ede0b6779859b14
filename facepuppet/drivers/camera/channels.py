"""The channels in which faces move, as a driver profile tells them: units, and one driver's range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DISTANCE = "inter-ocular distances"
APERTURE = "lid aperture over eye width"
EYE_WIDTHS = "eye widths"
DEGREES = "degrees"
RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in which a face moves.

    Attributes:
        label: what it is, and which way is positive, in words.
        unit: one of the constants of this module.
        bounds: what no living face exceeds, in the unit.
        span: from low to high in lively people, in the unit; a measure for what is much and what is little.
    """

    label: str
    unit: str
    bounds: tuple[float, float]
    span: float


@dataclass(frozen=True, slots=True)
class Range:
    """How far one driver goes in a channel, in the channel's unit; low ≤ rest ≤ high."""

    rest: float
    low: float
    high: float


# Left and right are sides of the unmirrored picture, as everywhere (see `facepuppet.core.types`).
CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        "mouth_opening": Channel("gap between the lips", DISTANCE, (0.0, 1.2), 0.30),
        "mouth_width": Channel("mouth, corner to corner", DISTANCE, (0.1, 1.2), 0.15),
        "eye_left": Channel("image-left eye, the person's right", APERTURE, (0.0, 1.0), 0.30),
        "eye_right": Channel("image-right eye, the person's left", APERTURE, (0.0, 1.0), 0.30),
        "gaze_x": Channel("irises from mid-eye, to the image right", EYE_WIDTHS, (-0.6, 0.6), 0.25),
        "gaze_y": Channel("irises from mid-eye, down", EYE_WIDTHS, (-0.6, 0.6), 0.12),
        "brows": Channel("brows above the eye corners", DISTANCE, (0.0, 0.8), 0.08),
        "yaw": Channel("head turned to the image right", DEGREES, (-90.0, 90.0), 40.0),
        "pitch": Channel("head bent down", DEGREES, (-90.0, 90.0), 25.0),
        "roll": Channel("head tilted clockwise", DEGREES, (-90.0, 90.0), 20.0),
        "lean_x": Channel("head shifted to the image right", DISTANCE, (-10.0, 10.0), 0.8),
        "lean_y": Channel("head shifted down", DISTANCE, (-10.0, 10.0), 0.4),
        "lean_near": Channel("size of the head against rest", RATIO, (0.1, 10.0), 0.2),
    }
)
