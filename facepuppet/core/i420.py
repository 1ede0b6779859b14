"""I420, the pixel format of cameras and video: BT.601 limited range, planes Y, U, V one after the other."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import U8


def to_i420(rgb: U8) -> U8:
    """Return (H, W, 3) RGB as (H * 3 / 2, W); H and W even. Chroma is that of each block's first pixel."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)


def to_rgb(i420: U8) -> U8:
    """Return (H * 3 / 2, W) as (H, W, 3) RGB, each block of 2x2 pixels in one chroma."""
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420), np.uint8)


def planes_of(i420: U8) -> tuple[U8, U8, U8]:
    """Return views of the planes: Y (H, W), U and V (H / 2, W / 2) each.

    Args:
        i420: (H * 3 / 2, W) without gaps in memory.
    """
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return i420[:height], chroma[0], chroma[1]


def put(rgb: U8, planes: tuple[U8, U8, U8], rows: slice, columns: slice) -> None:
    """Overwrite a part of I420 planes by an RGB picture of its size; every number of the part is even."""
    luma, *chroma = planes
    own_luma, *own_chroma = planes_of(to_i420(rgb))
    luma[rows, columns] = own_luma
    halves = slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)
    for plane, own in zip(chroma, own_chroma, strict=True):
        plane[halves] = own
