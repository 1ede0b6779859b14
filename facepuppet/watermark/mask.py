"""How strong the mark may be at each place: little on flat walls, more where texture hides it."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.types import F32, U8

FLAT_RMS = 0.56  # grey levels; with dithered rounding the flat-area total stays below 0.7
TEXTURE_RMS = 1.6
RMS_PER_ACTIVITY = 0.2


def strength(luma: U8) -> F32:
    """Return the rms amplitude in grey levels for each pixel of a reduced luma picture.

    Activity is the local mean departure from the local mean. Its minimum over a neighbourhood is
    taken, so that the flat side of an edge stays as calm as the rest of the wall.

    Args:
        luma: (h, w) uint8.
    """
    departure = cv2.absdiff(luma, cv2.blur(luma, (5, 5)))
    activity = cv2.erode(cv2.blur(departure, (7, 7)), np.ones((9, 9), np.uint8))
    gain = FLAT_RMS + np.float32(RMS_PER_ACTIVITY) * cv2.blur(activity, (9, 9)).astype(np.float32)
    return np.asarray(np.minimum(gain, TEXTURE_RMS), np.float32)
