"""The motion that carries a portrait exactly to landmarks seen in a true picture of the same person."""

from __future__ import annotations

import numpy as np

from facepuppet.core import F32, HeadMotion, Motion, TorsoMotion, head_from_image
from facepuppet.face import EYES, eye_openings, fit_head, iris_position, mouth_gap, move_irises
from facepuppet.portrait import Avatar
from facepuppet.retarget import draw_fold, place_lids

SHUT_RATIO = 0.3  # trackers still report this share of the open aperture on shut lids
FOLLOW = 0.35  # share of the head's shift that the torso takes over when no shoulders are seen


def motion_to(
    avatar: Avatar,
    landmarks_px: F32,
    relaxed_opening: F32,
    shoulders_px: F32 | None = None,
    frame_id: int = 0,
) -> Motion:
    """Return the motion from an avatar to landmarks tracked in a true picture.

    Unlike the retargeter it damps and limits nothing; lids alone are placed by their opening, because
    trackers do not report shut lids as shut.

    Args:
        avatar: the portrait.
        landmarks_px: (478, 3) in the portrait frame.
        relaxed_opening: (2,) this person's lid aperture over eye width when relaxed.
        shoulders_px: (2, 2) in the portrait frame.
        frame_id: carried along.
    """
    portrait_from_head = fit_head(avatar.landmarks_px)
    rest = head_from_image(avatar.landmarks_px, portrait_from_head).astype(np.float32)
    moved_from_head = fit_head(landmarks_px, rest)
    head = head_from_image(landmarks_px, moved_from_head).astype(np.float32)
    own = np.maximum(true_opening(eye_openings(rest) / relaxed_opening), 0.35)
    opening = np.minimum(true_opening(eye_openings(head) / relaxed_opening) / own, 1.8).astype(np.float32)
    for eye, share in zip(EYES, opening.tolist(), strict=True):
        place_lids(head, rest, eye, share)
        draw_fold(head, rest, eye, share)
    placed = moved_from_head.apply(head).astype(np.float32)
    gaze = iris_position(landmarks_px).mean(0) - iris_position(avatar.landmarks_px).mean(0)
    move_irises(placed, avatar.landmarks_px, gaze, np.clip(opening / 0.5, 0.0, 1.0))
    pivot = avatar.head_pivot_px
    shift = moved_from_head.apply(portrait_from_head.inverse().apply(pivot[None]))[0] - pivot
    head_motion = HeadMotion(
        (moved_from_head.rotation @ portrait_from_head.rotation.T).astype(np.float32),
        shift[:2].astype(np.float32),
        moved_from_head.scale / portrait_from_head.scale,
    )
    torso = _torso(avatar, shoulders_px, head_motion)
    return Motion(placed, head_motion, torso, opening, mouth_gap(head), frame_id, frame_id)


def true_opening(ratio: F32) -> F32:
    """Aperture relative to relaxed eyes, with what trackers report of shut lids taken off towards 0."""
    closing = np.clip((1.0 - ratio) / (1.0 - SHUT_RATIO), 0.0, 1.0)
    return np.asarray(np.maximum(ratio - SHUT_RATIO * closing**2, 0.0), dtype=np.float32)


def _torso(avatar: Avatar, shoulders_px: F32 | None, head: HeadMotion) -> TorsoMotion:
    if shoulders_px is None:
        return TorsoMotion((FOLLOW * head.shift_px).astype(np.float32), 0.0, float(np.sqrt(head.scale)))
    rest = avatar.shoulders_px
    across, across_rest = shoulders_px[1] - shoulders_px[0], rest[1] - rest[0]
    roll = float(np.arctan2(across[1], across[0]) - np.arctan2(across_rest[1], across_rest[0]))
    scale = float(np.sqrt(np.linalg.norm(across) / max(float(np.linalg.norm(across_rest)), 1.0)))
    shift = (shoulders_px.mean(0) - rest.mean(0)).astype(np.float32)
    return TorsoMotion(shift, float(np.clip(roll, -0.25, 0.25)), float(np.clip(scale, 0.89, 1.12)))
