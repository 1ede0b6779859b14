"""The turned rectangle of a picture that a network is shown.

Frames: picture (x right, y down, pixels of the whole picture) and crop (the same, pixels of what the network
gets). As in the sources of these networks (MediaPipe, image_to_tensor_converter_opencv.cc), the corner of a
crop is the centre of its first pixel, so crops lie half a pixel off what their pixels show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from facepuppet.core.types import F32, U8

Matrix = np.ndarray[Any, np.dtype[np.float64]]

MAX_SIDE_PX = 32766  # of a picture that OpenCV can cut from


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle that may be turned and may reach outside the picture.

    Attributes:
        x_px, y_px: its centre.
        width_px, height_px: its sides, before it is turned.
        roll_rad: how far it is turned, clockwise.
    """

    x_px: float
    y_px: float
    width_px: float
    height_px: float
    roll_rad: float = 0.0

    def picture_from_crop(self, crop_size: tuple[int, int]) -> Matrix:
        """The (2, 3) affine map from a crop of (width, height) pixels to the picture."""
        width, height = crop_size
        cos, sin = math.cos(self.roll_rad), math.sin(self.roll_rad)
        a, b = cos * self.width_px / width, -sin * self.height_px / height
        c, d = sin * self.width_px / width, cos * self.height_px / height
        x = self.x_px - (a * width + b * height) / 2
        y = self.y_px - (c * width + d * height) / 2
        return np.array([[a, b, x], [c, d, y]])

    def cut(self, rgb: U8, crop_size: tuple[int, int], *, extend: bool) -> U8:
        """Cut the window out, bilinearly.

        Args:
            rgb: (H, W, 3) uint8 picture.
            crop_size: width and height of the crop.
            extend: repeat the picture's border outside it; black if not.

        Returns:
            (height, width, 3) uint8.

        Raises:
            ValueError: that is no such picture, it is empty, or larger than MAX_SIDE_PX.
        """
        _check(rgb)
        crop: U8 = cv2.warpAffine(
            rgb,
            self.picture_from_crop(crop_size),
            crop_size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if extend else cv2.BORDER_CONSTANT,
        )
        return crop

    def to_picture(self, points: F32, crop_size: tuple[int, int]) -> F32:
        """Carry (N, 2) or (N, 3) points from the crop to the picture; depth is scaled like the width."""
        matrix = self.picture_from_crop(crop_size)
        moved: F32 = points * np.float32(self.width_px / crop_size[0])
        moved[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return moved

    def strays_from(self, other: Window, most: float) -> bool:
        """Whether it lies, or is large, otherwise by more than a share of the other's side, or is turned."""
        reach = most * other.width_px
        shift = math.hypot(self.x_px - other.x_px, self.y_px - other.y_px)
        turned = abs(math.remainder(self.roll_rad - other.roll_rad, 2 * math.pi))
        return shift > reach or abs(self.width_px - other.width_px) > reach or turned > most


def _check(rgb: U8) -> None:
    """The door to all of the tracker's networks: OpenCV would take other pictures, and they see nonsense."""
    if (
        rgb.dtype != np.uint8
        or rgb.ndim != 3
        or rgb.shape[2] != 3
        or not rgb.size
        or max(rgb.shape) > MAX_SIDE_PX
    ):
        raise ValueError(
            f"got a picture of type {rgb.dtype} and shape {rgb.shape}, expected RGB of type uint8 and shape "
            f"(H, W, 3) with sides from 1 to {MAX_SIDE_PX}"
        )


def whole(rgb: U8) -> Window:
    """The window that is the picture."""
    height, width = rgb.shape[:2]
    return Window(width / 2, height / 2, width, height)


def letterboxed(rgb: U8) -> Window:
    """The smallest upright square around the picture."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    return Window(width / 2, height / 2, side, side)
