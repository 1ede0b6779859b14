"""Small JPEGs of large pictures, at little cost: made small before anything else is done with them."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.i420 import planes_of
from facepuppet.core.types import U8
from facepuppet.watermark.marked import Marked

_QUALITY = 75


def frame_jpeg(frame: Marked, width_px: int) -> bytes:
    """Return a frame as a JPEG, no wider than asked for.

    Its planes are made small one by one where it has them: that is cheaper than to make all of it RGB first.
    """
    width, height = frame.size_px
    size_px = _even(min(width_px, width)), _even(round(height * min(width_px / width, 1)))
    if frame.i420 is None:
        return _encoded(cv2.cvtColor(_small(frame.rgb, size_px), cv2.COLOR_RGB2BGR))
    small = np.empty((size_px[1] * 3 // 2, size_px[0]), np.uint8)
    for source, target in zip(planes_of(frame.i420), planes_of(small), strict=True):
        target[:] = _small(source, (target.shape[1], target.shape[0]))
    return _encoded(cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420))


def thumbnail_jpeg(rgb: U8, side_px: int) -> bytes:
    """Return (H, W, 3) RGB as a JPEG whose longer side is that at most."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side_px / max(width, height))
    size_px = max(1, round(scale * width)), max(1, round(scale * height))
    return _encoded(cv2.cvtColor(_small(rgb, size_px), cv2.COLOR_RGB2BGR))


def _small(picture: U8, size_px: tuple[int, int]) -> U8:
    if (picture.shape[1], picture.shape[0]) == size_px:
        return picture
    return np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), np.uint8)


def _even(side_px: int) -> int:
    return max(2, side_px // 2 * 2)


def _encoded(bgr: U8) -> bytes:
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
