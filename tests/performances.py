"""Scripted performances of one channel at a time, and how far channels move in what comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facepuppet.core.geometry import rotation_from_vector
from facepuppet.core.types import Blendshapes, Expression, HeadPose, LandmarkOffsets, TorsoPose
from facepuppet.face import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    blendshape_weights,
    canonical_landmarks,
    face_of_blendshapes,
)
from facepuppet.face.deformation import landmark_offsets
from facepuppet.face.topology import EYES, INNER_MOUTH_CORNERS, LOWER_LIP_INNER, UPPER_LIP_INNER

FPS = 30
# What each channel does at the height of its performance: shapes, turn (pitch, yaw, roll), gaze, shoulders.
SHAPES = {
    "brows": {"browInnerUp": 0.4, "browOuterUpLeft": 0.4, "browOuterUpRight": 0.4},
    "smile": {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4},
    "jaw": {"jawOpen": 0.3},
    "mouth": {"mouthPucker": 0.4},
    "lids": {"eyeBlinkLeft": 0.3, "eyeBlinkRight": 0.3},
    "gaze": {"eyeLookOutLeft": 0.4, "eyeLookInRight": 0.4},
}
TURNS = {"pitch": (0.2, 0.0, 0.0), "yaw": (0.0, 0.2, 0.0), "roll": (0.0, 0.0, 0.2)}
CHANNELS = (*SHAPES, *TURNS, "shoulders")


def moment(t_s: float, *, tracked: bool = False, **amounts: float) -> Expression:
    """An expression at a time, of channels by their amounts; as landmarks or as shapes tell it."""
    weights, turn = np.zeros(52, np.float32), np.zeros(3, np.float32)
    for channel, amount in amounts.items():
        for shape, weight in SHAPES.get(channel, {}).items():
            weights[ARKIT_INDEX[shape]] += amount * weight
        turn += np.float32(amount) * np.array(TURNS.get(channel, (0.0, 0.0, 0.0)), np.float32)
    face = face_of_blendshapes(weights, HeadPose(turn))
    if tracked:
        face = replace(face, deformation=landmark_offsets(face.deformation))
    aside = amounts.get("shoulders", 0.0)
    torso = TorsoPose((0.2 * aside, 0.05 * aside), 0.1 * aside, 0.05 * aside)
    return Expression(face, torso, round(t_s * FPS), round(t_s * 1e9))


def channels_of(expression: Expression) -> dict[str, float]:
    """How far each channel is from rest, measured in what is told, by geometry where that tells it."""
    face, torso = expression.face, expression.torso
    assert face is not None and torso is not None
    offsets = landmark_offsets(face.deformation).offsets
    at = canonical_landmarks() + offsets
    rest = canonical_landmarks()
    brows = np.concatenate([eye.brow for eye in EYES])
    middle = len(UPPER_LIP_INNER) // 2
    gap = at[LOWER_LIP_INNER[middle], 1] - at[UPPER_LIP_INNER[middle], 1]
    gap -= rest[LOWER_LIP_INNER[middle], 1] - rest[UPPER_LIP_INNER[middle], 1]
    corners = offsets[INNER_MOUTH_CORNERS]
    return {
        "brows": -float(offsets[brows, 1].mean()),
        "smile": -float(corners[:, 1].mean()),
        "jaw": float(gap),
        "mouth": -float(corners[1, 0] - corners[0, 0]),
        "lids": 1.0 - float(face.eye_opening.mean()),
        "gaze": float(np.mean(face.gaze[:, 0])),
        "pitch": float(face.head.turn[0]),
        "yaw": float(face.head.turn[1]),
        "roll": float(face.head.turn[2]),
        "shoulders": torso.lean[0],
    }


def shapes_shown(expression: Expression) -> dict[str, float]:
    """The weights that are shown, by name."""
    assert expression.face is not None
    return dict(zip(ARKIT_NAMES, blendshape_weights(expression.face.deformation).tolist(), strict=True))


def most_moved(one: np.ndarray, other: np.ndarray) -> float:
    """The farthest that any landmark goes between two placed faces, in face heights."""
    return float(np.linalg.norm((other - one)[:, :2], axis=1).max()) / FACE_HEIGHT


FACE_HEIGHT = 1.87  # of inter-ocular distances, from forehead to chin


def placed(expression: Expression) -> np.ndarray:
    """Where a face's landmarks are, (478, 3) in inter-ocular distances."""
    face = expression.face
    assert face is not None
    shape = face.deformation
    assert isinstance(shape, LandmarkOffsets | Blendshapes)
    head = (canonical_landmarks() + landmark_offsets(shape).offsets) @ rotation_from_vector(face.head.turn).T
    head[:, :2] += face.head.shift
    return np.asarray(head * np.exp(face.head.log_scale))
