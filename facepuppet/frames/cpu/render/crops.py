"""Face-aligned square crops that painters see: upright, centred, scaled to the head.

The scale follows lengths of bone, measured in three dimensions (corners of the eyes), so that it neither
breathes with the lips nor shrinks as the head turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import (
    IMAGE_LEFT_EYE,
    IMAGE_RIGHT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    OUTER_CORNERS,
    EyeTopology,
)
from facepuppet.frames.cpu.render.patches import polygon_mask


@dataclass(frozen=True, slots=True)
class Crop:
    """One square crop of a picture.

    Attributes:
        crop_from_picture: (2, 3) float32 similarity (mirrored for the image-right eye).
        outlines_px: closed outlines in the picture frame, drawn as filled contours.
    """

    crop_from_picture: F32
    outlines_px: tuple[F32, ...]

    def sample(self, picture: U8, side_px: int) -> U8:
        """Cut the crop out of a picture (H, W, C)."""
        size = (side_px, side_px)
        cut: U8 = cv2.warpAffine(
            picture, self.crop_from_picture, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return cut

    def outlines(self) -> list[F32]:
        """The outlines in the crop, in its pixels."""
        linear, offset = self.crop_from_picture[:, :2], self.crop_from_picture[:, 2]
        return [outline @ linear.T + offset for outline in self.outlines_px]

    def contours(self, side_px: int) -> F32:
        """Filled outlines (n, side, side) float32 in [0, 1], in the crop."""
        planes = [polygon_mask(outline, (0, 0), (side_px, side_px)) for outline in self.outlines()]
        return np.array(planes, np.float32).reshape(-1, side_px, side_px) / np.float32(255)

    def departure_px(self, rest: Crop) -> float:
        """How far the outlines have moved within the crop, at their farthest; 0 if there are none."""
        pairs = zip(self.outlines(), rest.outlines(), strict=True)
        return max((float(np.hypot(*(moved - still).T).max()) for moved, still in pairs), default=0.0)


def crops_of(
    region: str, landmarks_px: F32, picture_size_px: tuple[int, int], side_px: int, reach: float
) -> tuple[Crop, ...]:
    """Return the crops of a region: one for "mouth" and "frame", two for "eye" (image-left first)."""
    if region == "mouth":
        outlines = (landmarks_px[LIPS_OUTER, :2], landmarks_px[LIPS_INNER, :2])
        return (Crop(_upright(landmarks_px, OUTER_CORNERS, outlines[0], side_px, reach, False), outlines),)
    if region == "eye":
        return tuple(
            _eye(landmarks_px, eye, side_px, reach, mirrored)
            for eye, mirrored in ((IMAGE_LEFT_EYE, False), (IMAGE_RIGHT_EYE, True))
        )
    scale = side_px / max(picture_size_px)
    return (Crop(np.array([[scale, 0, 0], [0, scale, 0]], np.float32), ()),)


def _eye(landmarks_px: F32, eye: EyeTopology, side_px: int, reach: float, mirrored: bool) -> Crop:
    outlines = (landmarks_px[eye.ring, :2], landmarks_px[eye.iris_ring, :2])
    corners = np.array([eye.outer, eye.inner], np.int32)
    around = landmarks_px[corners, :2]
    return Crop(_upright(landmarks_px, corners, around, side_px, reach, mirrored), outlines)


def _upright(
    landmarks_px: F32,
    span: npt.NDArray[np.int32],
    around: F32,
    side_px: int,
    reach: float,
    mirrored: bool,
) -> F32:
    """Similarity that centres `around` and levels the eyes; `span`'s length times reach fills the crop."""
    level = landmarks_px[OUTER_CORNERS[1], :2] - landmarks_px[OUTER_CORNERS[0], :2]
    cos, sin = level / max(float(np.linalg.norm(level)), 1e-6)
    length = float(np.linalg.norm(landmarks_px[span[1]] - landmarks_px[span[0]]))
    scale = side_px / max(reach * length, 1.0)
    linear = scale * np.array([[cos, sin], [-sin, cos]])
    if mirrored:
        linear[0] *= -1
    centre = (around.min(0) + around.max(0)) / 2
    offset = side_px / 2 - linear @ centre
    return np.column_stack([linear, offset]).astype(np.float32)
