"""The background without the person."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.types import F32, U8


def fill_background(rgb: U8, person_alpha: U8) -> U8:
    """Return (H, W, 3) uint8 RGB: the picture with the person removed and the hole filled."""
    grown = cv2.dilate(person_alpha, np.ones((9, 9), np.uint8))
    known = (grown < 8).astype(np.float32)[..., None]
    filled = _pull_push(rgb.astype(np.float32) * known, known)
    return np.clip(np.rint(rgb * known + filled * (1 - known)), 0, 255).astype(np.uint8)


def _pull_push(weighted: F32, weight: F32) -> F32:
    height, width = weight.shape[:2]
    if min(height, width) <= 1:
        return np.asarray(weighted / np.maximum(weight, 1e-6), dtype=np.float32)
    half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
    coarse_weighted = cv2.resize(weighted, half, interpolation=cv2.INTER_AREA)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)[..., None]
    coarse = _pull_push(coarse_weighted.astype(np.float32), coarse_weight.astype(np.float32))
    upsampled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    own = weighted / np.maximum(weight, 1e-6)
    return np.asarray(own * np.minimum(weight, 1) + upsampled * (1 - np.minimum(weight, 1)), dtype=np.float32)
