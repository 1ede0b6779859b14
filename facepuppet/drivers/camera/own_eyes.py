"""What a camera sees, for its user's own eyes: shown on their own page when they ask, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import Frame
from facepuppet.drivers.camera.tracking import Tracking

_QUALITY = 70  # of the JPEG; it shall show whether one sits right


def jpeg_of(frame: Frame, width_px: int) -> bytes:
    """Return a camera picture as a JPEG of at most this width."""
    height, width = frame.rgb.shape[:2]
    shown = min(width_px, width), max(1, round(height * min(width_px, width) / width))
    small = cv2.resize(frame.rgb, shown, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1])


def light_of(frame: Frame, tracking: Tracking) -> float | None:
    """Return the mean brightness of a face, 0 to 1; None without one in the picture."""
    if tracking.face is None:
        return None
    height, width = frame.rgb.shape[:2]
    points = tracking.face.landmarks_px[:, :2]
    left, top = np.clip(points.min(axis=0), 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(points.max(axis=0), 0, (width, height)).astype(int).tolist()
    face = frame.rgb[top:bottom:4, left:right:4]  # every fourth pixel says as much
    return float(face.mean()) / 255.0 if face.size else None
