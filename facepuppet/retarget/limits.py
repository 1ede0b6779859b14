"""Soft limits: motion stays within what the portrait can show, without ever hitting a wall."""

from __future__ import annotations

import math

import numpy as np

from facepuppet.core.geometry import euler_from_rotation, rotation_from_euler
from facepuppet.core.types import F32, F64, Floats
from facepuppet.face.head_pose import fit_head
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.safe_range import SafeRange, Travel

KNEE = 0.75  # share of the limit up to which a mouth opens, and eyes look, as far as the driver's


def safe_range_of(avatar: Avatar) -> SafeRange:
    """Return the avatar's measured range, or what its own head pose lets one assume."""
    if avatar.safe_range is not None:
        return avatar.safe_range
    return SafeRange.assumed(*euler_from_rotation(fit_head(avatar.landmarks_px).rotation))


def soft_limit(value: float, limit: float) -> float:
    """Compress towards ±limit: slope 1 at zero, never beyond (limit · tanh(value / limit))."""
    return limit * math.tanh(value / limit)


def limit_travel(value: float, travel: Travel) -> float:
    """Compress a value towards the limit of the side to which it goes."""
    return soft_limit(value, travel[1] if value > 0 else travel[0])


def limit_turn(turn: Floats, safe: SafeRange) -> F64:
    """Limit a head turn, a (3, 3) rotation from the portrait's own pose."""
    yaw, pitch, roll = euler_from_rotation(turn)
    return rotation_from_euler(
        limit_travel(yaw, safe.yaw_rad),
        limit_travel(pitch, safe.pitch_rad),
        limit_travel(roll, safe.roll_rad),
    )


def limit_gaze(gaze: Floats, safe: SafeRange) -> list[tuple[float, float]]:
    """Limit iris shifts (n, 2), to the image right and down, in eye widths: unchanged below the knee."""
    return [
        (
            math.copysign(_limit_beyond_knee(abs(x), safe.gaze_x[x > 0]), x),
            math.copysign(_limit_beyond_knee(abs(y), safe.gaze_y[y > 0]), y),
        )
        for x, y in np.asarray(gaze).tolist()
    ]


def limit_lids(opening: F32, safe: SafeRange) -> F32:
    """Limit apertures relative to the portrait's own: 0 is shut, 1 its own, wider softly."""
    room = max(safe.eye_opening - 1.0, 1e-3)
    return np.array(
        [max(x, 0.0) if x <= 1.0 else 1.0 + soft_limit(x - 1.0, room) for x in opening.tolist()], np.float32
    )


def limit_mouth(gap: float, safe: SafeRange) -> float:
    """Limit an inner-lip gap (in inter-ocular distances): unchanged below the knee, smooth beyond."""
    return _limit_beyond_knee(gap, safe.mouth_opening)


def _limit_beyond_knee(value: float, limit: float) -> float:
    """Leave a value up to the knee as it is, and compress it smoothly beyond, never past the limit."""
    knee = KNEE * limit
    room = limit - knee
    return value if value <= knee else knee + room * math.tanh((value - knee) / room)
