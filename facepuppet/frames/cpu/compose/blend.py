"""The blend of this package: a premultiplied picture over an opaque one."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.i420 import BLACK, GREY, Planes, planes_of
from facepuppet.core.types import U8


def lay_over(rgba: U8, area: U8, alpha: U8 | None = None) -> None:
    """Set area = rgba's colour + (1 − alpha) · area, in place.

    Args:
        rgba: (H, W, 4), colour premultiplied by alpha.
        area: (H, W, 3), may be a part of a larger picture.
        alpha: (H, W), its last channel, where somebody took it out already.
    """
    clear = cv2.bitwise_not(cv2.extractChannel(rgba, 3) if alpha is None else alpha)
    of_channels = cv2.cvtColor(clear, cv2.COLOR_GRAY2RGB)
    cv2.multiply(area, of_channels, scale=1 / 255, dst=area)
    cv2.add(area, cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB, dst=of_channels), dst=area)


def lay_over_i420(rgba: U8, area: Planes, alpha: U8) -> None:
    """Do the same to planes Y, U, V; their chroma is that of each block's first pixel, as in `to_i420`.

    What `to_i420` makes of colours is linear but for a constant, so it may as well be blended afterwards.

    Args:
        rgba: (H, W, 4), colour premultiplied by alpha; H and W even.
        area: views of (H, W), (H / 2, W / 2) and (H / 2, W / 2).
        alpha: (H, W), the last channel of `rgba`.
    """
    (luma, *chroma), clear, (height, width) = area, cv2.bitwise_not(alpha), alpha.shape
    own_luma, *own_chroma = planes_of(np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2YUV_I420), np.uint8))
    # A picture of it: OpenCV takes a number from each row by itself, which costs four times as much.
    cv2.subtract(luma, np.full_like(clear, BLACK), dst=luma)
    cv2.multiply(luma, clear, scale=1 / 255, dst=luma)
    cv2.add(luma, own_luma, dst=luma)
    firsts = cv2.extractChannel(clear.reshape(height // 2, 2, width // 2, 2)[:, 0], 0)
    grey = cv2.convertScaleAbs(firsts, alpha=GREY / 255)
    for plane, own in zip(chroma, own_chroma, strict=True):
        cv2.multiply(plane, firsts, scale=1 / 255, dst=plane)
        # Nothing is lost at 0: chroma departs from grey by less than 128 times alpha.
        cv2.add(plane, cv2.subtract(own, grey, dst=own), dst=plane)
