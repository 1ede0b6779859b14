"""Gates on the face's geometry: size, pose, lids, and how much of it is in the picture."""

from __future__ import annotations

import math

import numpy as np

from calibrate.gates.gate import Gate, graded
from facepuppet.core import F32, head_from_image
from facepuppet.face import N_MESH, eye_openings, fit_head
from facepuppet.portrait import (
    GOOD_INSIDE,
    GOOD_WIDTH_PX,
    MAX_PITCH_RAD,
    MAX_ROLL_RAD,
    MAX_YAW_RAD,
    MIN_FACE_WIDTH_PX,
    SHUT_OPENING,
    FaceView,
)

GOOD_TURN_RAD = math.radians(30)
NARROW_OPENING = 0.13  # aperture over width; a laughing or narrow eye may have 0.12


def shape_gates(landmarks_px: F32, size_px: tuple[int, int]) -> list[Gate]:
    """Judge (478, 3) landmarks in a picture of size_px (width, height)."""
    face = FaceView.of(landmarks_px)
    opening = eye_openings(head_from_image(landmarks_px, fit_head(landmarks_px)))
    return [
        graded(
            "face width",
            face.width_px,
            "px",
            good=GOOD_WIDTH_PX,
            needed=MIN_FACE_WIDTH_PX,
            at_least=True,
            harm="The puppet will look soft, and small features will move imprecisely.",
        ),
        *_turns(face),
        _lids(opening),
        _inside(landmarks_px, size_px),
    ]


def _turns(face: FaceView) -> list[Gate]:
    turns = (
        ("face turned to the side", face.yaw_rad, MAX_YAW_RAD, "The far side of the face will be stretched."),
        ("face looking up or down", face.pitch_rad, MAX_PITCH_RAD, "Nose and forehead will look distorted."),
        ("head tilted", face.roll_rad, MAX_ROLL_RAD, "The puppet will rest with its head tilted."),
    )
    return [
        graded(
            label,
            math.degrees(angle),
            "degrees",
            good=math.degrees(GOOD_TURN_RAD),
            needed=math.degrees(most),
            harm=harm,
        )
        for label, angle, most, harm in turns
    ]


def _lids(opening: F32) -> Gate:
    """Judge both lids: both shut leave no eye to animate, one may be a wink."""
    harm = "No iris is in sight: the puppet's eyes will be invented, or stay shut."
    if opening.max() < SHUT_OPENING:
        value, good = float(opening.max()), SHUT_OPENING
    else:
        value, good = float(opening.min()), NARROW_OPENING
    return graded(
        "eyes open",
        100 * value,
        "% of their width",
        good=100 * good,
        needed=100 * SHUT_OPENING if opening.max() < SHUT_OPENING else None,
        at_least=True,
        harm=harm,
    )


def _inside(landmarks_px: F32, size_px: tuple[int, int]) -> Gate:
    points = landmarks_px[:N_MESH, :2]
    share = ((points >= 0) & (points < size_px)).all(axis=1).mean()
    return graded(
        "face inside the picture",
        100 * float(np.float64(share)),
        "%",
        good=100 * GOOD_INSIDE,
        needed=None,
        at_least=True,
        harm="What the picture's edge cuts off is made up when the head turns.",
    )
