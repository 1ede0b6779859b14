"""A face in another picture, brought to a portrait."""

from __future__ import annotations

import cv2
import numpy as np

from calibrate.views.candidates import Candidate
from facepuppet.core import F32, F64, U8, HeadMotion, Motion, TorsoMotion, euler_from_rotation
from facepuppet.face import OUTER_CORNERS, fit_head
from facepuppet.portrait import Avatar, StateReader, View, fit_eyes, view_box


def as_view(candidate: Candidate, avatar: Avatar, gain: F32 | None = None) -> View:
    """Bring a candidate to the portrait's size, upright pose and place.

    Args:
        candidate: the picture.
        avatar: the portrait.
        gain: (3,) factors on its colours, None for none.
    """
    landmarks = fit_eyes(candidate.rgb, candidate.landmarks_px)
    portrait_from_picture = _similarity(landmarks, avatar)
    moved = _moved(landmarks, portrait_from_picture, avatar)
    x, y, width, height = view_box(moved)
    patch_from_picture = portrait_from_picture.copy()
    patch_from_picture[:, 2] -= (x, y)
    rgb = sample_picture(candidate.rgb, patch_from_picture, (width, height))
    if gain is not None:
        rgb = np.clip(np.rint(rgb * gain), 0, 255).astype(np.uint8)
    return View(moved, rgb)


def aligned_picture(candidate: Candidate, avatar: Avatar) -> tuple[U8, F32]:
    """Return a candidate's whole picture and landmarks in the portrait frame: (H, W, 3), (478, 3)."""
    matrix = _similarity(candidate.landmarks_px, avatar)
    picture = sample_picture(candidate.rgb, matrix, avatar.size_px)
    return picture, _moved(candidate.landmarks_px, matrix, avatar)


def sample_picture(rgb: U8, out_from_picture: F64, size_px: tuple[int, int]) -> U8:
    """Resample a picture by a (2, 3) similarity, smoothly when it shrinks."""
    scale = float(np.sqrt(abs(np.linalg.det(out_from_picture[:, :2]))))
    if scale < 0.8:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale), dtype=np.uint8)
    out: U8 = cv2.warpAffine(
        rgb, out_from_picture, size_px, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return out


def motion_to(avatar: Avatar, landmarks_px: F32) -> Motion:
    """Return the motion that carries the portrait to (478, 3) landmarks in its own frame."""
    reader, pivot = StateReader(avatar), avatar.head_pivot_px
    state = reader.of_face(landmarks_px)
    shift = reader.place_of_pivot(landmarks_px)[:2] - pivot[:2]
    head = HeadMotion(state.rotation, shift.astype(np.float32), reader.scale_of(landmarks_px))
    still = TorsoMotion(np.zeros(2, np.float32), 0.0, 1.0)
    opening = np.minimum(state.eye_opening, 1.6)
    return Motion(landmarks_px, head, still, opening, state.mouth_opening, 0, 0)


def _similarity(landmarks_px: F32, avatar: Avatar) -> F64:
    """The (2, 3) map into the portrait frame that makes heads equal in size, roll and place."""
    theirs, ours = fit_head(landmarks_px), fit_head(avatar.landmarks_px)
    scale = ours.scale / theirs.scale
    roll = euler_from_rotation(ours.rotation)[2] - euler_from_rotation(theirs.rotation)[2]
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, -sin], [sin, cos]])
    middle = landmarks_px[OUTER_CORNERS, :2].mean(0)
    return np.column_stack([linear, avatar.head_pivot_px[:2] - linear @ middle])


def _moved(landmarks_px: F32, matrix: F64, avatar: Avatar) -> F32:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    middle_z = landmarks_px[OUTER_CORNERS, 2].mean()
    places = landmarks_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    depth = scale * (landmarks_px[:, 2] - middle_z) + avatar.head_pivot_px[2]
    return np.column_stack([places, depth]).astype(np.float32)
