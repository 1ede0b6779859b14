"""OpenSeeFace's packets, built by its documented layout."""

from __future__ import annotations

import numpy as np

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import F64
from facepuppet.face import ARKIT_INDEX, canonical_landmarks, compose_landmarks
from facepuppet.wires.openseeface import FACE
from facepuppet.wires.openseeface_shapes import INTER_OCULAR, MESH

EYE_DEPTH = 0.09  # of an eyeball's centre behind its pupil, in the tracker's units


def _weights(**told: float) -> np.ndarray:
    out = np.zeros(52, np.float32)
    for name, weight in told.items():
        out[ARKIT_INDEX[name]] = weight
    return out


def block(
    t_s: float,
    head: tuple[float, float, float] = (0.0, 0.0, 0.0),
    eyes: tuple[float, float] = (0.0, 0.0),
    *,
    face_id: int = 0,
    size_px: float = 100.0,
    behind: bool = True,
    **told: float,
) -> np.ndarray:
    """A face as the tracker tells it: landmarks of ours with an expression, and the pose of a turned head."""
    face = np.zeros((), FACE)
    face["time"], face["id"], face["success"], face["size"] = t_s, face_id, 1, (640, 360)
    mesh = compose_landmarks(canonical_landmarks(), _weights(**told))[list(MESH)]
    face["points"][:66] = 200 + size_px * mesh[:, :2]
    face["points_3d"][:66] = INTER_OCULAR * mesh * (-1, 1, 1)
    yaw, pitch = eyes
    sight = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    face["points_3d"][66:68] = EYE_DEPTH * sight * (-1, 1, 1)
    face["confidence"], face["open"] = 0.9, 1.0
    front = -1.0 if behind else 1.0
    face["quaternion"] = _quaternion_told(rotation_from_euler(*head), front)
    face["translation"] = np.array([0.1, 0.2, 3.0]) * front
    return face


def _quaternion_told(head: F64, front: float) -> list[float]:
    """x y z w of the inverse of what turns the tracker's model to rows, columns and depth."""
    right, down, away = head  # rows: what each axis of the head does along the picture's
    turn = front * np.stack([-down, -right, -front * away])
    trace = np.array([turn[0, 0], turn[1, 1], turn[2, 2]])
    axes = np.sqrt(np.maximum(1 + 2 * trace - trace.sum(), 0)) / 2
    x = axes[0]
    y = (turn[0, 1] + turn[1, 0]) / (4 * x)
    z, w = (turn[0, 2] + turn[2, 0]) / (4 * x), (turn[2, 1] - turn[1, 2]) / (4 * x)
    return [-x, -y, -z, w]


def packet(*faces: np.ndarray) -> bytes:
    return b"".join(face.tobytes() for face in faces)
