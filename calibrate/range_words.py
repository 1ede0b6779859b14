"""A safe range in words, for people."""

from __future__ import annotations

import math

from facepuppet.portrait import SafeRange, Travel


def range_lines(safe: SafeRange) -> list[str]:
    """Return one line per limit, in degrees and shares."""
    return [
        f"  turns {_degrees(safe.yaw_rad, 'left', 'right')}",
        f"  nods {_degrees(safe.pitch_rad, 'up', 'down')}",
        f"  tilts {_degrees(safe.roll_rad, 'counter-clockwise', 'clockwise')}",
        f"  looks {safe.gaze_x[0]:.2f} left, {safe.gaze_x[1]:.2f} right, {safe.gaze_y[0]:.2f} up, "
        f"{safe.gaze_y[1]:.2f} down (of the eye's width)",
        f"  opens its mouth by {safe.mouth_opening:.2f} of the distance between the eyes' outer corners",
        f"  opens its eyes {safe.eye_opening:.2f} times as wide as in the portrait",
    ]


def _degrees(travel: Travel, negative: str, positive: str) -> str:
    return f"{math.degrees(travel[0]):.0f}° {negative}, {math.degrees(travel[1]):.0f}° {positive}"
