"""The person's own colour at soft edges, without the background shining through.

Blur fusion: Forte and Pitié, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8


def estimate_foreground(rgb: U8, person_alpha: U8) -> U8:
    """Return (H, W, 3) uint8 RGB colours of the person; equal to the picture where alpha is 255."""
    image = rgb.astype(np.float32)
    alpha = person_alpha.astype(np.float32)[..., None] / np.float32(255)
    foreground, background = image, image
    reach = max(9, max(rgb.shape[:2]) // 6)
    for size in (reach, 7):
        foreground, background = _blur_fusion(image, alpha, foreground, background, size)
    solid = person_alpha[..., None] == 255
    return np.where(solid, rgb, np.clip(np.rint(foreground), 0, 255)).astype(np.uint8)


def _blur_fusion(image: F32, alpha: F32, foreground: F32, background: F32, size: int) -> tuple[F32, F32]:
    """One pass of equations 4 and 5 of the paper with a box of `size` pixels."""
    coverage = cv2.blur(alpha, (size, size))[..., None]
    mean_foreground = cv2.blur(foreground * alpha, (size, size)) / (coverage + 1e-5)
    mean_background = cv2.blur(background * (1 - alpha), (size, size)) / (1 - coverage + 1e-5)
    residual = image - alpha * mean_foreground - (1 - alpha) * mean_background
    return (
        np.clip(mean_foreground + alpha * residual, 0, 255).astype(np.float32),
        mean_background.astype(np.float32),
    )
