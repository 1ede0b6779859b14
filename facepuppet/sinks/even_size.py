"""Even picture sizes: 4:2:0 video stores one colour sample for every 2x2 pixels."""

from __future__ import annotations

import logging

import cv2
import numpy as np

from facepuppet.core.i420 import to_i420
from facepuppet.core.types import U8
from facepuppet.watermark import Marked

log = logging.getLogger(__name__)


def even_size_px(size_px: tuple[int, int], description: str) -> tuple[int, int]:
    """Return width and height rounded up to even numbers, and say so when that changes them."""
    even = (size_px[0] + size_px[0] % 2, size_px[1] + size_px[1] % 2)
    if even != size_px:
        log.warning("%s: %dx%d padded to %dx%d, which video needs", description, *size_px, *even)
    return even


def i420_of(frame: Marked) -> U8:
    """Return a frame as (H * 3 / 2, W) I420, padded as `evened` does; converted unless it came so."""
    return to_i420(evened(frame.rgb)) if frame.i420 is None else frame.i420


def evened(rgb: U8) -> U8:
    """Return (H, W, 3) with the last column and row repeated where needed to make both even."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    padded = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)
