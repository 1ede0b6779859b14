"""From a picture to an avatar."""

from __future__ import annotations

from facepuppet.avatar.eyes import fit_eyes
from facepuppet.avatar.foreground import estimate_foreground
from facepuppet.avatar.framing import frame_head_and_shoulders
from facepuppet.avatar.gates import find_the_face
from facepuppet.avatar.matte import cut_out_person
from facepuppet.avatar.model import Avatar
from facepuppet.avatar.plate import fill_background
from facepuppet.avatar.shoulders import place_shoulders
from facepuppet.avatar.vision import view_body
from facepuppet.track.quiet import quiet_native_logs
from facepuppet.types import U8

ANALYSIS_VERSION = 5  # raise it when the same picture would give another avatar


def analyse_portrait(rgb: U8, *, name: str, source_sha256: str) -> Avatar:
    """Make an avatar of an upright (H, W, 3) uint8 RGB portrait.

    Raises:
        NoFaceError, SeveralFacesError, FaceTooSmallError, FaceTurnedAwayError: the portrait will not do.
    """
    with quiet_native_logs():
        return _analyse(rgb, name, source_sha256)


def _analyse(rgb: U8, name: str, source_sha256: str) -> Avatar:
    face = find_the_face(rgb)
    working = frame_head_and_shoulders(rgb, face.landmarks_px)
    if working is not rgb:
        face = find_the_face(working)
    landmarks_px = fit_eyes(working, face.landmarks_px)
    body = view_body(working)
    alpha = cut_out_person(working, landmarks_px, body)
    return Avatar(
        name=name,
        portrait_rgb=working,
        landmarks_px=landmarks_px,
        shoulders_px=place_shoulders(landmarks_px, body),
        person_alpha=alpha,
        foreground_rgb=estimate_foreground(working, alpha),
        background_rgb=fill_background(working, alpha),
        source_sha256=source_sha256,
    )
