"""The round brush with which masks are grown and shrunk."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import U8


def disc(radius_px: int) -> U8:
    """Return a (2r + 1, 2r + 1) uint8 structuring element."""
    size = (2 * radius_px + 1,) * 2
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), dtype=np.uint8)
