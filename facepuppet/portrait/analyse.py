"""From a picture to an avatar."""

from __future__ import annotations

from facepuppet.core.types import F32, U8
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.face_view import FaceView
from facepuppet.portrait.foreground import estimate_foreground
from facepuppet.portrait.inpaint import fill_background
from facepuppet.portrait.large_eyes import fit_eyes
from facepuppet.portrait.matte import cut_out_person
from facepuppet.portrait.requirements import MIN_FORCED_WIDTH_PX, check_size, find_the_face
from facepuppet.portrait.shoulder_line import place_shoulders
from facepuppet.portrait.working_picture import Whole, working_picture
from facepuppet.vision.still import view_body

ANALYSIS_VERSION = 8  # raise it when the same picture would give another avatar


def analyse_portrait(
    rgb: U8, *, name: str, source_sha256: str, force: bool = False, landmarks_px: F32 | None = None
) -> Avatar:
    """Make an avatar of an upright (H, W, 3) uint8 RGB portrait.

    Args:
        rgb: the picture.
        name: short human name.
        source_sha256: of the picture's file.
        force: take a face that is small, turned, doubtful or one of several.
        landmarks_px: (478, 3) where the face is, for what the tracker does not see; it is not asked then.

    Raises:
        NoFaceError, SeveralFacesError, FaceTooSmallError, FaceTurnedAwayError: the portrait will not do.
    """
    framed = _framed(rgb, force) if landmarks_px is None else _framed_by_hand(rgb, landmarks_px)
    return _analyse(*framed, name, source_sha256)


def _framed(rgb: U8, force: bool) -> tuple[U8, F32, Whole | None]:
    """Return the working picture, the tracked landmarks (478, 3) in it, and what is around it."""
    face = find_the_face(rgb, force=force)
    working, _, whole = working_picture(rgb, face.landmarks_px)
    if working is not rgb:
        face = find_the_face(working, force=force)
    return working, fit_eyes(working, face.landmarks_px), whole


def _framed_by_hand(rgb: U8, landmarks_px: F32) -> tuple[U8, F32, Whole | None]:
    """Return the same with the given landmarks, eyes left as the hand put them."""
    working, landmarks_px, whole = working_picture(rgb, landmarks_px)
    check_size(FaceView.of(landmarks_px), MIN_FORCED_WIDTH_PX)
    return working, landmarks_px, whole


def _analyse(working: U8, landmarks_px: F32, whole: Whole | None, name: str, source_sha256: str) -> Avatar:
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
        whole=whole,
    )
