"""I420, the pixel format of cameras and video: BT.601 limited range, planes Y, U, V one after the other."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np

from facepuppet.core.types import U8

BLACK = 16  # luma spans 16 to 235
GREY = 128  # of both chroma planes

Planes: TypeAlias = tuple[U8, U8, U8]


def to_i420(rgb: U8) -> U8:
    """Return (H, W, 3) RGB as (H * 3 / 2, W); H and W even. Chroma is that of each block's first pixel."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)


def to_rgb(i420: U8) -> U8:
    """Return (H * 3 / 2, W) as (H, W, 3) RGB, each block of 2x2 pixels in one chroma."""
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420), np.uint8)


def planes_of(i420: U8) -> Planes:
    """Return views of the planes: Y (H, W), U and V (H / 2, W / 2) each.

    Args:
        i420: (H * 3 / 2, W) without gaps in memory.
    """
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return i420[:height], chroma[0], chroma[1]


def part_of(planes: Planes, rows: slice, columns: slice) -> Planes:
    """Return views of a part of the picture, whose rows and columns start and stop at even numbers."""
    luma, u, v = planes
    halves = slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)
    return luma[rows, columns], u[halves], v[halves]
