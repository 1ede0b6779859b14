"""Mouth and eyes cut out of pictures, upright and always to the same scale of the face.

Deliberately not the crops that painters see: a ruler must not change with what it measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core import F32, U8
from facepuppet.face import EYES, LIPS_OUTER, OUTER_CORNERS
from facepuppet.frames import polygon_mask


@dataclass(frozen=True, slots=True)
class CloseUp:
    """A square window on a part of the face.

    Attributes:
        window_from_picture: (2, 3) float32 similarity without mirroring.
        outline_px: closed outline (K, 2) of the part in the picture.
        span_px: the length that scales the window, in the picture: mouths by the inter-ocular distance,
            eyes by their own width, both in three dimensions, so that turning does not change them.
        side_px: of the window.
    """

    window_from_picture: F32
    outline_px: F32
    span_px: float
    side_px: int

    def cut(self, rgb: U8) -> U8:
        """(side, side, 3) uint8."""
        size = (self.side_px, self.side_px)
        how = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_LINEAR
        cut = cv2.warpAffine(rgb, self.window_from_picture, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, dtype=np.uint8)

    def mask(self, dilation: float) -> F32:
        """The part (side, side) float32 in [0, 1], dilated by a share of the span."""
        linear, offset = self.window_from_picture[:, :2], self.window_from_picture[:, 2]
        inside = polygon_mask(self.outline_px @ linear.T + offset, (0, 0), (self.side_px, self.side_px))
        radius = round(dilation * self.span_px * self._scale)
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        return np.asarray(cv2.dilate(inside, brush), dtype=np.float32) / np.float32(255)

    @property
    def _scale(self) -> float:
        return float(np.linalg.norm(self.window_from_picture[0, :2]))


def mouth(landmarks_px: F32, side_px: int, reach: float) -> CloseUp:
    """The outer lip contour, `reach` inter-ocular distances across."""
    return _close_up(landmarks_px, landmarks_px[LIPS_OUTER, :2], OUTER_CORNERS, side_px, reach)


def eyes(landmarks_px: F32, side_px: int, reach: float) -> tuple[CloseUp, CloseUp]:
    """The openings of both eyes, image-left first, `reach` eye widths across."""
    left, right = (
        _close_up(landmarks_px, landmarks_px[eye.ring, :2], np.array([eye.outer, eye.inner]), side_px, reach)
        for eye in EYES
    )
    return left, right


def _close_up(
    landmarks_px: F32,
    outline_px: F32,
    span: np.ndarray[tuple[int], np.dtype[np.int32]],
    side_px: int,
    reach: float,
) -> CloseUp:
    level = np.subtract(*landmarks_px[OUTER_CORNERS[::-1], :2])
    cos, sin = level / max(float(np.linalg.norm(level)), 1e-6)
    span_px = max(float(np.linalg.norm(np.subtract(*landmarks_px[span]))), 1.0)
    linear = side_px / (reach * span_px) * np.array([[cos, sin], [-sin, cos]])
    level_px = outline_px @ linear.T
    offset = side_px / 2 - (level_px.min(0) + level_px.max(0)) / 2
    return CloseUp(np.column_stack([linear, offset]).astype(np.float32), outline_px, span_px, side_px)
