"""Pixels that are not square: how wide one is shown for its height, and pictures stretched to that."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from PIL import Image

from facepuppet.core.types import U8
from facepuppet.media.formats import MAX_PIXELS

SQUARE = 1.0
_MOST = 4.0  # beyond, metadata are damaged
_NEARLY = 0.01  # what rounding leaves of square pixels
_TURNED = 5  # EXIF orientations from here on lie on their side
_ORIENTATION = 0x0112


def sane_aspect(told: Fraction | float | None) -> float:
    """Return what metadata tell of a pixel's width over its height; SQUARE for nothing or nonsense."""
    aspect = float(told or SQUARE)
    return SQUARE if abs(aspect - 1) < _NEARLY or not 1 / _MOST <= aspect <= _MOST else aspect


def shown_size_px(size_px: tuple[int, int], aspect: float) -> tuple[int, int]:
    """Return width and height in square pixels; the side that is stored too short grows."""
    width, height = size_px
    shown = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
    return shown if shown[0] * shown[1] <= MAX_PIXELS else size_px


def stretched(picture: U8, aspect: float) -> U8:
    """Return an (H, W) or (H, W, 3) picture in square pixels, itself where it is in them already."""
    size_px = picture.shape[1], picture.shape[0]
    shown = shown_size_px(size_px, aspect)
    if shown == size_px:
        return picture
    return np.asarray(cv2.resize(picture, shown, interpolation=cv2.INTER_CUBIC), np.uint8)


def aspect_of(image: Image.Image) -> float:
    """Return a pixel's width over its height in a picture file, once turned upright.

    A pair without a unit is the aspect itself, as FFmpeg writes and reads it. Of resolutions only those of
    TIFF count, where faxes and scanners tell theirs; in photos they are too often made up.
    """
    pair = image.info.get("aspect") or (image.info.get("jfif_unit") == 0 and image.info.get("jfif_density"))
    if not pair and image.format == "TIFF":
        pair = image.info.get("dpi", (1, 1))[::-1]
    try:
        x, y = pair or (1, 1)
        aspect = sane_aspect(float(x) / float(y))
        return 1 / aspect if image.getexif().get(_ORIENTATION, 1) >= _TURNED else aspect
    except (ArithmeticError, TypeError, ValueError):
        return SQUARE
