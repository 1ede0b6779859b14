"""Which frame of an animation makes the best portrait."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from facepuppet.core.geometry import head_from_image
from facepuppet.core.types import U8
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.topology import LOWER_LIP_INNER, UPPER_LIP_INNER
from facepuppet.portrait.face_search import find_faces
from facepuppet.portrait.face_view import FaceView
from facepuppet.portrait.requirements import MIN_FACE_WIDTH_PX, RIVAL_WIDTH_RATIO
from facepuppet.portrait.sharpness import face_blur

OPEN_EYES = 0.27  # aperture over width
SEARCH_SIDE_PX = 720  # frames are judged at this size


def best_frame(frames: Iterable[U8]) -> tuple[int, U8]:
    """Return the number and the picture of the frame that suits best; the first where none shows a face.

    Args:
        frames: (H, W, 3) uint8 RGB pictures, at least one; only one at a time is kept beside the best.

    Raises:
        ValueError: there is no frame.
    """
    best: tuple[float, int, U8] | None = None
    for number, rgb in enumerate(frames):
        penalty = frame_penalty(rgb)
        if best is None or penalty < best[0]:
            best = (penalty, number, rgb)
    if best is None:
        raise ValueError("got no frame, expected at least one")
    return best[1], best[2]


def frame_penalty(rgb: U8) -> float:
    """Say how far a frame is from a good portrait: 0 is frontal, open-eyed, mouth at rest, sharp, alone.

    Turn (rad), lids short of open, mouth gap (inter-ocular distances), blur (face widths), want of width
    and rivals add up, weighted so that about 0.5 of each is plainly seen; infinite without a face.
    """
    scale = min(1.0, SEARCH_SIDE_PX / max(rgb.shape[:2]))
    size = (max(1, round(scale * rgb.shape[1])), max(1, round(scale * rgb.shape[0])))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8) if scale < 1 else rgb
    faces = find_faces(small, closely=False)
    if not faces:
        return float("inf")
    face = faces[0]
    head = head_from_image(face.landmarks_px, fit_head(face.landmarks_px))
    gap = float(np.linalg.norm(head[LOWER_LIP_INNER[5], :2] - head[UPPER_LIP_INNER[5], :2]))
    return (
        abs(face.yaw_rad)
        + abs(face.pitch_rad)
        + abs(face.roll_rad)
        + 3.0 * float(np.maximum(OPEN_EYES - eye_openings(head), 0.0).sum())
        + 2.0 * gap
        + 10.0 * face_blur(small, face.landmarks_px)
        + max(0.0, 1.0 - face.width_px / (2 * MIN_FACE_WIDTH_PX))
        + 0.5 * _rivals(faces)
    )


def _rivals(faces: list[FaceView]) -> int:
    return sum(face.width_px >= RIVAL_WIDTH_RATIO * faces[0].width_px for face in faces[1:])
