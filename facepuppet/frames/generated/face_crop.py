"""The square of a portrait that LivePortrait sees, and where it lies.

The published network works on upright crops that are 2.3 times as large as the face between brows, chin and
ears, with the face an eighth of the crop's side below its middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, F64, U8, Motion
from facepuppet.face.topology import EYES, FACE_OVAL, OUTER_CORNERS
from facepuppet.inference.imported_networks import PICTURE_PX

_SIDES, _RAISED = 2.3, 0.125
_BROWS = np.concatenate([eye.brow for eye in EYES])


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """A square in a portrait.

    Attributes:
        portrait_from_crop: (2, 3) similarity; the crop's corners are (-1, -1) and (1, 1).
        side_px: of the square in the portrait.
    """

    portrait_from_crop: F64
    side_px: float

    def cut(self, rgb: U8) -> U8:
        """Return the (256, 256, 3) crop of a picture in the portrait frame; borders go on where it ends."""
        larger = PICTURE_PX * max(1, math.ceil(self.side_px / PICTURE_PX))  # sampling has two taps a side
        cut = cv2.warpAffine(
            rgb,
            self.portrait_from_pixels(larger),
            (larger, larger),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(cv2.resize(cut, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA), np.uint8)

    def portrait_from_pixels(self, side: int) -> F64:
        """Return the (2, 3) map from the pixels of a picture of the crop, whose side has so many."""
        scale, offset = 2.0 / side, 1.0 / side - 1.0
        linear, origin = self.portrait_from_crop[:, :2], self.portrait_from_crop[:, 2]
        return np.column_stack([scale * linear, origin + linear @ [offset, offset]])

    def moved(self, motion: Motion, pivot_px: F32, back: F64) -> FaceCrop:
        """Return where the crop goes with the head's shift and size; turning it is up to the network.

        Args:
            motion: of the portrait.
            pivot_px: (2,) what the head grows about.
            back: (2,) shift within the crop.
        """
        linear, origin = self.portrait_from_crop[:, :2], self.portrait_from_crop[:, 2]
        scale = motion.head.scale
        moved = scale * (origin + linear @ back - pivot_px) + pivot_px + motion.head.shift_px
        return FaceCrop(np.column_stack([scale * linear, moved]), scale * self.side_px)

    def carried(self, moved_from_then: F64) -> FaceCrop:
        """Return where a (2, 3) similarity of the portrait frame takes it."""
        linear, origin = moved_from_then[:, :2], moved_from_then[:, 2]
        matrix = np.column_stack(
            [linear @ self.portrait_from_crop[:, :2], linear @ self.portrait_from_crop[:, 2] + origin]
        )
        return FaceCrop(matrix, self.side_px * math.sqrt(abs(np.linalg.det(linear))))


def crop_of(landmarks_px: F32) -> FaceCrop:
    """Return the crop of a face, given its (478, 3) landmarks in the portrait frame."""
    left, right = landmarks_px[OUTER_CORNERS, :2].astype(np.float64)
    along = (right - left) / np.linalg.norm(right - left)
    axes = np.column_stack([along, [-along[1], along[0]]])  # portrait from upright
    points = landmarks_px[np.concatenate([FACE_OVAL, _BROWS]), :2] @ axes
    points = points[points[:, 1] >= (landmarks_px[_BROWS, :2] @ axes)[:, 1].min()]  # no forehead
    least, most = points.min(0), points.max(0)
    size = float((most - least).max())
    side = _SIDES * size
    middle = axes @ ((least + most) / 2 - [0.0, _RAISED * side])
    return FaceCrop(np.column_stack([side / 2 * axes, middle]), side)
