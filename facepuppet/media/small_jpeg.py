"""Small JPEGs of pictures: made small before anything else is done with them."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import U8

_QUALITY = 75


def thumbnail_jpeg(rgb: U8, side_px: int) -> bytes:
    """Return (H, W, 3) RGB as a JPEG whose longer side is that at most."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side_px / max(width, height))
    size_px = max(1, round(scale * width)), max(1, round(scale * height))
    return jpeg_of(cv2.cvtColor(made_small(rgb, size_px), cv2.COLOR_RGB2BGR))


def made_small(picture: U8, size_px: tuple[int, int]) -> U8:
    """Return a picture or plane at another size, (width, height); itself where it has that."""
    if (picture.shape[1], picture.shape[0]) == size_px:
        return picture
    return np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg_of(bgr: U8) -> bytes:
    """Return (H, W, 3) BGR as a JPEG for people's eyes."""
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
