"""The working picture: all of the picture where the face is large in it, else head and shoulders of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.portrait.face_view import face_width_px

MAX_PIXELS = 1024 * 1024  # what a frame costs goes by them
MAX_SIDE_PX = 2048
_LARGE_FACE_PX = 200.0  # as wide as a face in a call of 720 lines: a crop would show it no sharper
_WORTH_CROPPING = 1.2  # a crop has to be so much larger
_CROP_WIDTH = 4.0  # in face widths
_ABOVE_CENTRE, _BELOW_CENTRE = 2.0, 3.0  # crop reach above and below the face's middle, in face widths


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole picture around a working picture that is a part of it.

    Attributes:
        rgb: (H, W, 3) uint8.
        box_px: x, y, width, height of that part; it may be smaller here than the working picture is.
    """

    rgb: U8
    box_px: tuple[int, int, int, int]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.rgb.shape[:2]
        return width, height

    @property
    def inner_sides(self) -> tuple[bool, bool, bool, bool]:
        """Whether left, top, right and bottom of the part are no borders of the whole."""
        x, y, width, height = self.box_px
        return x > 0, y > 0, x + width < self.size_px[0], y + height < self.size_px[1]


def working_picture(rgb: U8, landmarks_px: F32) -> tuple[U8, F32, Whole | None]:
    """Return the working picture of an (H, W, 3) RGB portrait, the mesh in it, and what is around it.

    A picture of at most 1024² pixels is returned as it is, so that output made from it can be compared with
    it pixel by pixel. A larger one is reduced as a whole, unless its face would get small; then head and
    shoulders are cropped out.

    Args:
        rgb: the picture.
        landmarks_px: (478, 3) face mesh.
    """
    height, width = rgb.shape[:2]
    if _fitting((width, height)) == (width, height):
        return rgb, landmarks_px, None
    size = _fitting((width, height))
    scale = size[0] / width
    x0, y0, x1, y1 = _head_and_shoulders(width, height, landmarks_px)
    larger = _fitting((x1 - x0, y1 - y0))[0] / (x1 - x0) / scale
    if face_width_px(landmarks_px) * scale >= _LARGE_FACE_PX or larger < _WORTH_CROPPING:
        return _reduced(rgb, size), _moved(landmarks_px, (0, 0), np.divide(size, (width, height))), None
    # The part's borders shall lie between pixels of the reduced whole.
    corners = [(round(x * size[0] / width), round(y * size[1] / height)) for x, y in ((x0, y0), (x1, y1))]
    box = (*corners[0], corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    (x0, y0), (x1, y1) = ((round(x * width / size[0]), round(y * height / size[1])) for x, y in corners)
    cropped = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    part = _fitting((x1 - x0, y1 - y0))
    moved = _moved(landmarks_px, (x0, y0), np.divide(part, (x1 - x0, y1 - y0)))
    return _reduced(cropped, part), moved, Whole(_reduced(rgb, size), box)


def _fitting(size_px: tuple[int, int]) -> tuple[int, int]:
    """Reduce a width and a height, if need be, to what is allowed."""
    width, height = size_px
    scale = min(1.0, MAX_SIDE_PX / max(size_px), (MAX_PIXELS / (width * height)) ** 0.5)
    return (width, height) if scale == 1.0 else (max(1, int(width * scale)), max(1, int(height * scale)))


def _reduced(rgb: U8, size_px: tuple[int, int]) -> U8:
    return np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _moved(landmarks_px: F32, corner_px: tuple[int, int], factors: F32) -> F32:
    """Carry points into a crop and reduce it; pixel centres stay pixel centres."""
    middle, corner = np.array([0.5, 0.5, 0.0]), np.array([*corner_px, 0.0])
    scale = np.array([*factors, np.mean(factors)])
    moved: F32 = ((landmarks_px - corner + middle) * scale - middle).astype(np.float32)
    return moved


def _head_and_shoulders(width: int, height: int, landmarks_px: F32) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the crop, inside the picture, never cutting the face mesh."""
    face_width = face_width_px(landmarks_px)
    low, high = landmarks_px[:, :2].min(axis=0), landmarks_px[:, :2].max(axis=0)
    centre_x, centre_y = (low + high) / 2
    x0 = max(0, round(centre_x - _CROP_WIDTH / 2 * face_width))
    x1 = min(width, round(centre_x + _CROP_WIDTH / 2 * face_width))
    y0 = max(0, round(centre_y - _ABOVE_CENTRE * face_width))
    y1 = min(height, round(centre_y + _BELOW_CENTRE * face_width))
    return x0, y0, x1, y1
