"""Soft limits: motion stays within what one photo can show, without ever hitting a wall."""

from __future__ import annotations

import numpy as np

from facepuppet.geometry import F64, Floats, euler_from_rotation, rotation_from_euler

# Farthest pose of the portrait's head itself (yaw, pitch, roll in radians): beyond, cheeks and ears are
# uncovered that the picture does not have.
POSE_LIMIT = (0.62, 0.50, 0.70)
LEAST_TRAVEL = 0.20  # radians that a portrait may still turn farther in the direction it already looks


def soft_limit(value: Floats | float, limit: Floats | float) -> F64:
    """Compress towards ±limit: slope 1 at zero, never beyond (limit · tanh(value / limit))."""
    return np.asarray(limit * np.tanh(np.asarray(value) / limit))


def limit_turn(turn: Floats, portrait_rotation: Floats) -> F64:
    """Limit a rotation (3, 3) of a portrait whose own head pose is portrait_rotation (3, 3).

    A portrait in three-quarter view may turn far back to the front, but not much farther away.
    """
    own = euler_from_rotation(portrait_rotation)
    angles = euler_from_rotation(turn)
    return rotation_from_euler(
        *(_one_sided(a, o, limit) for a, o, limit in zip(angles, own, POSE_LIMIT, strict=True))
    )


def _one_sided(angle: float, own: float, limit: float) -> float:
    """Limit an angle by the room that is left on the side to which it goes."""
    room = limit - own if angle > 0 else limit + own
    return float(soft_limit(angle, max(min(room, limit), LEAST_TRAVEL)))
