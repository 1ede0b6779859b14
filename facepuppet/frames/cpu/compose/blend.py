"""The one blend of this package: a premultiplied picture over an opaque one."""

from __future__ import annotations

import cv2

from facepuppet.core.types import U8


def lay_over(rgba: U8, area: U8) -> None:
    """Set area = rgba's colour + (1 − alpha) · area, in place.

    Args:
        rgba: (H, W, 4), colour premultiplied by alpha.
        area: (H, W, 3), may be a part of a larger picture.
    """
    clear = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(rgba, 3)), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(area, clear, scale=1 / 255, dst=clear)
    cv2.add(behind, cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), dst=area)
