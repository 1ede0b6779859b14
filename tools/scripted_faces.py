"""The built-in piece as a perfect tracker would see it: landmarks of a driver before a camera."""

from __future__ import annotations

import numpy as np

from facepuppet.core import F64, rotation_from_euler, rotation_from_vector
from facepuppet.drivers import Face, Performance, Torso, Tracking
from facepuppet.face import canonical_landmarks, compose_landmarks

IMAGE_SIZE_PX = (1280, 720)
UNIT_PX = 170.0  # inter-ocular distance
EYES_PX = np.array([640.0, 290.0])
SHOULDERS_PX = np.array([[340.0, 690.0], [940.0, 690.0]])


def tracking_at(t_s: float, frame_id: int = 0, piece: Performance | None = None) -> Tracking:
    """Return what is seen at t_s seconds of the piece."""
    expression = (piece or Performance()).expression(t_s, frame_id)
    face, torso = expression.face, expression.torso
    assert face is not None and torso is not None
    head = compose_landmarks(canonical_landmarks(), face.deformation.weights)
    landmarks = UNIT_PX * (head @ rotation_from_vector(face.head.turn).T)
    landmarks[:, :2] += EYES_PX + UNIT_PX * np.array(face.head.shift)
    landmarks = landmarks.astype(np.float32)
    shoulders = shoulders_at(UNIT_PX * np.array(torso.lean), torso.roll_rad).astype(np.float32)
    return Tracking(
        Face.of(landmarks),
        Torso(shoulders, 1.0),
        IMAGE_SIZE_PX,
        frame_id,
        round(t_s * 1e9),
    )


def shoulders_at(lean_px: F64, roll_rad: float) -> F64:
    """Shoulders (2, 2) in pixels, image-left first."""
    middle = SHOULDERS_PX.mean(0)
    tilt = rotation_from_euler(0.0, 0.0, roll_rad)[:2, :2]
    return np.asarray((SHOULDERS_PX - middle) @ tilt.T + middle + lean_px)
