"""From a tracked face to an expression: how far face, head and shoulders are from rest."""

from __future__ import annotations

import numpy as np

from facepuppet.core.geometry import Similarity, head_from_image, vector_from_rotation
from facepuppet.core.types import (
    F32,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
    TorsoPose,
)
from facepuppet.drivers.camera.profile import DriverNeutral, RestPose
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.gaze import eye_openings
from facepuppet.face.irises import iris_position
from facepuppet.face.lips import mouth_width

MIN_SHOULDER_CONFIDENCE = 0.5


def measure(
    tracking: Tracking, neutral: DriverNeutral, rest_pose: RestPose, image_from_head: Similarity
) -> Expression:
    """Compare a tracked face (and shoulders, when seen) with rest.

    Args:
        tracking: must hold a face.
        neutral: the driver's resting face.
        rest_pose: where that driver rests before the camera.
        image_from_head: the face's pose, fitted with the neutral as template.
    """
    assert tracking.face is not None
    return Expression(
        _face_pose(tracking.face, neutral, rest_pose, image_from_head),
        _torso_pose(tracking.torso, rest_pose),
        tracking.frame_id,
        tracking.captured_ns,
    )


def _face_pose(
    face: Face, neutral: DriverNeutral, rest_pose: RestPose, image_from_head: Similarity
) -> FacePose:
    head = head_from_image(face.landmarks_px, image_from_head).astype(np.float32)
    rest = rest_pose.image_from_head
    turn = vector_from_rotation(image_from_head.rotation @ rest.rotation.T)
    x, y = (image_from_head.translation - rest.translation)[:2] / rest.scale
    log_scale = float(np.log(image_from_head.scale / rest.scale))
    gaze = iris_position(face.landmarks_px) - iris_position(rest.apply(neutral.landmarks_head))
    return FacePose(
        HeadPose(turn.astype(np.float32), (float(x), float(y)), log_scale),
        gaze,
        _opening_ratio(eye_openings(head), neutral),
        LandmarkOffsets(head - neutral.landmarks_head, mouth_width(neutral.landmarks_head)),
    )


def _torso_pose(now: Torso | None, rest_pose: RestPose) -> TorsoPose | None:
    rest = rest_pose.shoulders_px
    if now is None or rest is None or now.confidence < MIN_SHOULDER_CONFIDENCE:
        return None
    across, across_rest = now.shoulders_px[1] - now.shoulders_px[0], rest[1] - rest[0]
    x, y = (now.shoulders_px.mean(0) - rest.mean(0)) / rest_pose.image_from_head.scale
    roll = np.arctan2(across[1], across[0]) - np.arctan2(across_rest[1], across_rest[0])
    # A turned torso narrows without coming nearer, hence the square root.
    log_scale = 0.5 * np.log(np.linalg.norm(across) / max(float(np.linalg.norm(across_rest)), 1.0))
    return TorsoPose((float(x), float(y)), float(roll), float(log_scale))


def _opening_ratio(aperture: F32, neutral: DriverNeutral) -> F32:
    """Aperture (2,) relative to relaxed eyes (1), stretched so that this driver's shut lids reach 0."""
    stretched = (aperture - neutral.eye_shut) / (neutral.eye_opening - neutral.eye_shut)
    opening: F32 = np.maximum(stretched, 0.0).astype(np.float32)
    return opening
