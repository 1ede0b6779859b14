"""What keeps any step from going on: no face, a face at the border or too far, bad light."""

from __future__ import annotations

import numpy as np

from facepuppet.core import U8
from facepuppet.drivers import Tracking
from facepuppet.face import FACE_OVAL, OUTER_CORNERS

MIN_EYES_PX = 40.0  # between the outer eye corners; below, lids and lips are guesses
MAX_EYES_SHARE = 0.4  # of the picture's shorter side; above, a nod leaves the picture
MIN_LUMA, MAX_LUMA = 40.0, 235.0  # mean over the face, of 255
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def find_obstacle(tracking: Tracking, luma: float) -> str | None:
    """Say what is in the way, in words; None if nothing is.

    Args:
        tracking: of one frame.
        luma: see `face_luma`.
    """
    if luma < MIN_LUMA:
        return (
            f"too dark: brightness {luma:.0f}, at least {MIN_LUMA:.0f} needed; switch on a light before you"
        )
    if tracking.face is None:
        return "no face in the picture: sit before the camera, in the light"
    if luma > MAX_LUMA:
        return f"too bright: brightness {luma:.0f}, at most {MAX_LUMA:.0f}; turn from the light"
    points = tracking.face.landmarks_px[:, :2]
    width, height = tracking.image_size_px
    eyes_px = float(np.linalg.norm(np.subtract(*points[OUTER_CORNERS])))
    if eyes_px < MIN_EYES_PX:
        apart = f"your eyes are {eyes_px:.0f} pixels apart, at least {MIN_EYES_PX:.0f} needed"
        return f"too far: {apart}; come closer"
    if eyes_px > MAX_EYES_SHARE * min(width, height):
        return "too close: move back a little"
    oval = points[FACE_OVAL]
    if (oval < 0).any() or (oval > (width, height)).any():
        return "your face is cut off at the border: sit in the middle of the picture"
    return None


def face_luma(rgb: U8, tracking: Tracking) -> float:
    """Mean brightness in [0, 255] of the face, or of the whole picture (H, W, 3) where there is none."""
    area = rgb
    if tracking.face is not None:
        oval = tracking.face.landmarks_px[FACE_OVAL, :2]
        x0, y0 = np.clip(np.floor(oval.min(0)), 0, None).astype(int)
        x1, y1 = np.ceil(oval.max(0)).astype(int)
        area = rgb[y0 : max(y1, 0), x0 : max(x1, 0)] if rgb[y0 : max(y1, 0), x0 : max(x1, 0)].size else rgb
    return float(area.reshape(-1, 3).mean(0) @ _LUMA)
