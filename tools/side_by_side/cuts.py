"""Where one looks: parts of a picture of a face, upright, always to the same scale of the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from facepuppet.core import F32, U8
from facepuppet.face import CHIN, FOREHEAD, LIPS_OUTER, OUTER_CORNERS

SIDE_PX = 520
_OUTSIDE = (96, 96, 96)  # where there is no picture


@dataclass(frozen=True, slots=True)
class Cut:
    """A part to look at.

    Attributes:
        width: of what is shown, in inter-ocular distances.
        aspect: width over height.
        of: landmarks whose middle is the centre.
        down: how far below that the centre lies, in inter-ocular distances.
    """

    width: float
    aspect: float
    of: tuple[int, ...]
    down: float = 0.0

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return SIDE_PX, round(SIDE_PX / self.aspect)

    def of_picture(self, rgb: U8, landmarks_px: F32) -> U8:
        """Cut it out of an (H, W, 3) picture of a face (478, 3); grey where the picture ends."""
        unit_px = max(float(np.linalg.norm(np.subtract(*landmarks_px[OUTER_CORNERS, :2]))), 1.0)
        width, height = self.size_px
        scale = width / (self.width * unit_px)
        x, y = landmarks_px[list(self.of), :2].mean(axis=0)
        y += self.down * unit_px
        matrix = np.array([[scale, 0.0, width / 2 - scale * x], [0.0, scale, height / 2 - scale * y]])
        source, shrink = rgb, 1.0 / scale
        if shrink > 1.5:  # what is shown smaller must be averaged
            size = (max(1, round(rgb.shape[1] / shrink)), max(1, round(rgb.shape[0] / shrink)))
            source = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
            matrix[:, :2] /= scale
        return np.asarray(
            cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=_OUTSIDE),
            np.uint8,
        )


CUTS: Mapping[str, Cut] = MappingProxyType(
    {
        "mouth": Cut(1.2, 1.3, tuple(LIPS_OUTER.tolist())),
        "eyes": Cut(1.5, 2.4, tuple(OUTER_CORNERS.tolist())),
        "rim of hair": Cut(3.0, 1.3, (FOREHEAD,), -0.15),
        "shoulders": Cut(4.5, 1.7, (CHIN,), 0.75),
    }
)


def whole(rgb: U8) -> U8:
    """The whole (H, W, 3) picture, as large as a cut."""
    scale = SIDE_PX / max(rgb.shape[:2])
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)
