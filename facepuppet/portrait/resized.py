"""A portrait at another size: everything of it at once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from facepuppet.core.types import F32, U8
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.views import View, view_box


def resized(avatar: Avatar, size_px: tuple[int, int]) -> Avatar:
    """Return the same portrait with a working picture of another width and height.

    Centres of pixels stay centres of pixels. The three axes of a face scale alike: z by the mean of the
    picture's two factors, which differ by the rounding of sizes only.
    """
    factors = np.divide(size_px, avatar.size_px).astype(np.float32)
    scale = np.array([*factors, factors.mean()], np.float32)
    return replace(
        avatar,
        portrait_rgb=_resampled(avatar.portrait_rgb, size_px),
        landmarks_px=_moved(avatar.landmarks_px, scale),
        shoulders_px=_moved(avatar.shoulders_px, scale[:2]),
        person_alpha=_resampled(avatar.person_alpha, size_px),
        foreground_rgb=_resampled(avatar.foreground_rgb, size_px),
        background_rgb=_resampled(avatar.background_rgb, size_px),
        views=tuple(_resized_view(view, scale) for view in avatar.views),
    )


def _moved(points_px: F32, scale: F32) -> F32:
    middle = np.array([0.5, 0.5, 0.0], np.float32)[: len(scale)]
    return ((points_px + middle) * scale - middle).astype(np.float32)


def _resampled(picture: U8, size_px: tuple[int, int]) -> U8:
    # Pillow widens its kernel when it reduces (OpenCV's only sharp one does not), so nothing aliases.
    return np.asarray(Image.fromarray(picture).resize(size_px, Image.Resampling.LANCZOS), np.uint8)


def _resized_view(view: View, scale: F32) -> View:
    landmarks_px = _moved(view.landmarks_px, scale)
    x, y, width, height = view_box(landmarks_px)
    x_from, y_from = view.origin_px
    # Pixel (u, v) of the new box is ((x + u) + 0.5) / scale - 0.5 - x_from of the old one, and so for v.
    matrix = np.array(
        [
            [1 / scale[0], 0, (x + 0.5) / scale[0] - 0.5 - x_from],
            [0, 1 / scale[1], (y + 0.5) / scale[1] - 0.5 - y_from],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    rgb = cv2.warpAffine(view.rgb, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return View(landmarks_px, np.asarray(rgb, np.uint8))
