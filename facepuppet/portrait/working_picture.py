"""The working picture: head and shoulders, at most 1024 px."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.portrait.face_view import face_width_px

MAX_SIDE_PX = 1024
_CROP_WIDTH = 4.0  # in face widths
_ABOVE_CENTRE, _BELOW_CENTRE = 2.0, 3.0  # crop reach above and below the face's middle, in face widths


def frame_head_and_shoulders(rgb: U8, landmarks_px: F32) -> tuple[U8, F32]:
    """Return the working picture of an (H, W, 3) RGB portrait with a (478, 3) face mesh, and the mesh in it.

    A picture that fits in 1024 px is returned as it is, so that output made from it can be
    compared with it pixel by pixel. A larger one is cropped to head and shoulders, then reduced.
    """
    if max(rgb.shape[:2]) <= MAX_SIDE_PX:
        return rgb, landmarks_px
    x0, y0, x1, y1 = _head_and_shoulders(rgb.shape[1], rgb.shape[0], landmarks_px)
    cropped = rgb[y0:y1, x0:x1]
    moved = landmarks_px - np.array([x0, y0, 0], np.float32)
    scale = MAX_SIDE_PX / max(cropped.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(cropped), moved
    size = (round(cropped.shape[1] * scale), round(cropped.shape[0] * scale))
    middle = np.array([0.5, 0.5, 0.0], np.float32)  # pixel centres stay pixel centres
    reduced = np.asarray(cv2.resize(cropped, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return reduced, ((moved + middle) * np.float32(scale) - middle).astype(np.float32)


def _head_and_shoulders(width: int, height: int, landmarks_px: F32) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the crop, inside the picture, never cutting the face mesh."""
    face_width = face_width_px(landmarks_px)
    low, high = landmarks_px[:, :2].min(axis=0), landmarks_px[:, :2].max(axis=0)
    centre_x, centre_y = (low + high) / 2
    x0 = max(0, round(centre_x - _CROP_WIDTH / 2 * face_width))
    x1 = min(width, round(centre_x + _CROP_WIDTH / 2 * face_width))
    y0 = max(0, round(centre_y - _ABOVE_CENTRE * face_width))
    y1 = min(height, round(centre_y + _BELOW_CENTRE * face_width))
    return x0, y0, x1, y1
