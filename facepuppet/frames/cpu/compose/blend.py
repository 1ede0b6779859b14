"""The blends of this package: a premultiplied picture over an opaque one, and less of a picture."""

from __future__ import annotations

import cv2
import numpy as np

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


def weighted(rgba: U8, weight: U8, out: U8 | None = None) -> U8:
    """Return a premultiplied picture (H, W, 4) times a weight of its shape, 255 for all; in `out` if given."""
    return np.asarray(cv2.multiply(rgba, weight, scale=1 / 255, dst=out), np.uint8)
