"""How strong the mark may be at each place: little on flat walls, more where texture hides it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from facepuppet.core.types import F32, U8

FLAT_RMS = 0.56  # grey levels; with dithered rounding the flat-area total stays below 0.7
TEXTURE_RMS = 1.6
RMS_PER_ACTIVITY = 0.2
DARK_LEVEL, DARK_SHARE = 80, 0.6  # from this level down to this share at black

# Sides of the windows that activity is measured in, in pixels of the reduced picture.
MEAN_PX, ACTIVITY_PX, CALM_PX, SPREAD_PX = 5, 7, 9, 9


def strength(luma: U8) -> F32:
    """Return the rms amplitude in grey levels for each pixel of a reduced luma picture.

    Activity is the local mean departure from the local mean. Its minimum over a neighbourhood is
    taken, so that the flat side of an edge stays as calm as the rest of the wall. Dark places get
    less, because the same step in grey levels is a larger share of their light.

    Args:
        luma: (h, w) uint8.
    """
    gain, adaptation = _tables()
    local_mean = cv2.blur(luma, (MEAN_PX, MEAN_PX))
    activity = cv2.blur(cv2.absdiff(luma, local_mean), (ACTIVITY_PX, ACTIVITY_PX))
    calm = cv2.blur(cv2.erode(activity, np.ones((CALM_PX, CALM_PX), np.uint8)), (SPREAD_PX, SPREAD_PX))
    amplitude = cv2.LUT(calm, gain)
    return np.asarray(cv2.multiply(amplitude, cv2.LUT(local_mean, adaptation), dst=amplitude), np.float32)


@lru_cache(maxsize=1)
def _tables() -> tuple[F32, F32]:
    """Return the rms amplitude by activity and the share of it by local mean, (256,) float32 each."""
    levels = np.arange(256).astype(np.float32)
    gain = np.float32(FLAT_RMS) + np.float32(RMS_PER_ACTIVITY) * levels
    adaptation = np.float32(DARK_SHARE) + levels * np.float32((1 - DARK_SHARE) / DARK_LEVEL)
    return np.minimum(gain, np.float32(TEXTURE_RMS)), np.minimum(adaptation, np.float32(1))
