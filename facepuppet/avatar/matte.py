"""The person's coverage of each pixel, hair included."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.avatar.vision import BodyView, PersonSegmenter
from facepuppet.types import F32, U8


def cut_out_person(rgb: U8, landmarks_px: F32, body: BodyView | None) -> U8:
    """Return the (H, W) uint8 coverage of the person in an (H, W, 3) RGB picture."""
    with PersonSegmenter() as segmenter:
        soft = segmenter.coverage(rgb)
    radius = max(4, round(max(rgb.shape[:2]) / 100))
    refined = cv2.ximgproc.guidedFilter(rgb, soft, radius, 1e-4 * 255 * 255)
    return np.asarray(np.clip(np.rint(refined * 255), 0, 255), dtype=np.uint8)
