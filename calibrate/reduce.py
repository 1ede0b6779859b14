"""A smaller copy of an avatar, for measures that do not need its full size."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from facepuppet.core import F32, U8
from facepuppet.portrait import Avatar, View, view_box


def reduced(avatar: Avatar, max_side_px: int) -> Avatar:
    """Return the avatar at most max_side_px on its longer side; as it is when it fits."""
    width, height = avatar.size_px
    scale = max_side_px / max(width, height)
    if scale >= 1.0:
        return avatar
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ratio = np.array([size[0] / width, size[1] / height], np.float32)

    def smaller(layer: U8) -> U8:
        return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    return dataclasses.replace(
        avatar,
        portrait_rgb=smaller(avatar.portrait_rgb),
        landmarks_px=_moved(avatar.landmarks_px, ratio),
        shoulders_px=_moved(avatar.shoulders_px, ratio),
        person_alpha=smaller(avatar.person_alpha),
        foreground_rgb=smaller(avatar.foreground_rgb),
        background_rgb=smaller(avatar.background_rgb),
        views=tuple(_smaller_view(view, ratio) for view in avatar.views),
    )


def _moved(points_px: F32, ratio: F32) -> F32:
    """Carry points (N, 2 or 3): pixel centres, not corners, correspond; depth goes with x."""
    moved = points_px * np.array([*ratio, ratio[0]], np.float32)[: points_px.shape[1]]
    moved[:, :2] += 0.5 * ratio - 0.5
    return moved.astype(np.float32)


def _smaller_view(view: View, ratio: F32) -> View:
    landmarks_px = _moved(view.landmarks_px, ratio)
    x, y, width, height = view_box(landmarks_px)
    start = (np.array(view.origin_px) + 0.5) * ratio - 0.5 - (x, y)
    matrix = np.array([[ratio[0], 0.0, start[0]], [0.0, ratio[1], start[1]]])
    soft = cv2.GaussianBlur(view.rgb, (0, 0), max(0.5 / float(ratio.min()) - 0.4, 0.1))  # against aliasing
    rgb = cv2.warpAffine(soft, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return View(landmarks_px, np.asarray(rgb, dtype=np.uint8))
