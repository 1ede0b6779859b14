"""The driver's side: how far the face, head and shoulders are from rest."""

from __future__ import annotations

import numpy as np

from facepuppet.core.geometry import Floats, Similarity, head_from_image, vector_from_rotation
from facepuppet.core.types import F32, Tracking
from facepuppet.drivers.camera.profile import DriverNeutral, Seat
from facepuppet.face.gaze import eye_openings
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.irises import iris_position
from facepuppet.retarget.limits import soft_limit

# Limits of what no portrait is measured for (inter-ocular distances; ratios; radians).
SHIFT_LIMIT, LEAN_LIMIT, SCALE_LIMIT = 0.45, 0.45, 1.25
TORSO_ROLL_LIMIT, TORSO_SCALE_LIMIT = 0.25, 1.12
FOLLOW = 0.35  # share of the head's shift that the torso takes over when no shoulders are seen
MIN_SHOULDER_CONFIDENCE = 0.5


def measure(tracking: Tracking, neutral: DriverNeutral, seat: Seat, image_from_head: Similarity) -> Deltas:
    """Compare a tracked face (and shoulders, when seen) with rest.

    Args:
        tracking: must hold a face.
        neutral: the driver's resting face.
        seat: where that driver rests before the camera.
        image_from_head: the face's pose, fitted with the neutral as template.
    """
    assert tracking.face is not None
    head = head_from_image(tracking.face.landmarks_px, image_from_head).astype(np.float32)
    rest = seat.image_from_head
    turn = vector_from_rotation(image_from_head.rotation @ rest.rotation.T)
    head_shift = (image_from_head.translation - rest.translation)[:2] / rest.scale
    log_scale = float(soft_limit(np.log(image_from_head.scale / rest.scale), np.log(SCALE_LIMIT)))
    lean, torso_roll, torso_log_scale = _measure_torso(tracking, seat, head_shift, log_scale)
    gaze = iris_position(tracking.face.landmarks_px) - iris_position(rest.apply(neutral.landmarks_head))
    return Deltas(
        offsets=head - neutral.landmarks_head,
        eye_opening=_opening_ratio(eye_openings(head), neutral),
        gaze=gaze.astype(np.float32),
        turn=turn.astype(np.float32),
        log_scale=log_scale,
        shift=soft_limit(head_shift - lean, SHIFT_LIMIT).astype(np.float32),
        lean=soft_limit(lean, LEAN_LIMIT).astype(np.float32),
        torso_roll=torso_roll,
        torso_log_scale=torso_log_scale,
    )


def _measure_torso(
    tracking: Tracking, seat: Seat, head_shift: Floats, head_log_scale: float
) -> tuple[Floats, float, float]:
    """Lean (2,) in inter-ocular distances, roll (rad) and log scale of the shoulders."""
    now, rest = tracking.torso, seat.shoulders_px
    if now is None or rest is None or now.confidence < MIN_SHOULDER_CONFIDENCE:
        return FOLLOW * head_shift, 0.0, 0.5 * head_log_scale
    across, across_rest = now.shoulders_px[1] - now.shoulders_px[0], rest[1] - rest[0]
    lean = (now.shoulders_px.mean(0) - rest.mean(0)) / seat.image_from_head.scale
    roll = np.arctan2(across[1], across[0]) - np.arctan2(across_rest[1], across_rest[0])
    # A turned torso narrows without coming nearer, hence the square root.
    log_scale = 0.5 * np.log(np.linalg.norm(across) / max(float(np.linalg.norm(across_rest)), 1.0))
    return (
        lean,
        float(soft_limit(roll, TORSO_ROLL_LIMIT)),
        float(soft_limit(log_scale, np.log(TORSO_SCALE_LIMIT))),
    )


def _opening_ratio(aperture: F32, neutral: DriverNeutral) -> F32:
    """Aperture (2,) relative to relaxed eyes (1), stretched so that this driver's shut lids reach 0."""
    stretched = (aperture - neutral.eye_shut) / (neutral.eye_opening - neutral.eye_shut)
    opening: F32 = np.maximum(stretched, 0.0).astype(np.float32)
    return opening
