"""Small JPEGs of frames, at little cost."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.i420 import planes_of
from facepuppet.media.small_jpeg import jpeg_of, made_small
from facepuppet.watermark.marked import Marked


def frame_jpeg(frame: Marked, width_px: int) -> bytes:
    """Return a frame as a JPEG, no wider than asked for.

    Its planes are made small one by one where it has them: that is cheaper than to make all of it RGB first.
    """
    width, height = frame.size_px
    size_px = _even(min(width_px, width)), _even(round(height * min(width_px / width, 1)))
    if frame.i420 is None:
        return jpeg_of(cv2.cvtColor(made_small(frame.rgb, size_px), cv2.COLOR_RGB2BGR))
    small = np.empty((size_px[1] * 3 // 2, size_px[0]), np.uint8)
    for source, target in zip(planes_of(frame.i420), planes_of(small), strict=True):
        target[:] = made_small(source, (target.shape[1], target.shape[0]))
    return jpeg_of(cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420))


def _even(side_px: int) -> int:
    return max(2, side_px // 2 * 2)
