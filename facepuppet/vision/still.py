"""Everything the analysis asks about a still picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.vision.face_detector import RangedDetector, detected_box
from facepuppet.vision.face_mesh import FaceMesh
from facepuppet.vision.pose import BodyMask, PoseModel
from facepuppet.vision.sessions import open_network
from facepuppet.vision.window import whole

_SEGMENTED_PX = (256, 256)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; it may reach outside the picture."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float

    @property
    def centre_px(self) -> tuple[float, float]:
        """The centre, x then y."""
        return self.x_px + self.width_px / 2, self.y_px + self.height_px / 2


@dataclass(frozen=True, slots=True)
class BodyView:
    """What the pose networks see.

    Attributes:
        shoulders_px: (2, 2) float32, image-left first.
        confidence: visibility of the less visible shoulder, in [0, 1].
        coverage: (H, W) float32 probability of the person, coarse.
    """

    shoulders_px: F32
    confidence: float
    coverage: F32


class FaceBoxes:
    """Finds face boxes (brow to chin); costly to open, cheap to call."""

    def __init__(self) -> None:
        self._near, self._far = (RangedDetector(far=far) for far in (False, True))

    def find(self, rgb: U8, *, far: bool) -> list[Box]:
        """Return the boxes of all faces of an (H, W, 3) RGB picture.

        Args:
            rgb: the picture.
            far: use the full-range detector (small faces) rather than the close-range one.
        """
        return [
            Box(*detection.low_px.tolist(), *(detection.high_px - detection.low_px).tolist())
            for detection in (self._far if far else self._near).find(rgb)
        ]


class FaceMesher:
    """Reads the 478-point face mesh off crops; a context manager, costly to open, cheap to call."""

    def __init__(self, min_confidence: float = 0.2) -> None:
        self._detector = RangedDetector(far=False, min_confidence=min_confidence)
        self._mesh = FaceMesh()

    def __enter__(self) -> FaceMesher:
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.close()

    def landmarks_px(self, rgb: U8) -> F32 | None:
        """Return the (478, 3) float32 landmarks of the main face of an RGB picture, or None.

        x right, y down, z away from the viewer, all in the picture's pixels.
        """
        found = self._detector.find(rgb)
        return self._mesh.find(rgb, detected_box(found[0])) if found else None


def view_body(rgb: U8) -> BodyView | None:
    """Find shoulders and a coarse person mask in an (H, W, 3) RGB picture; None without a person."""
    body = PoseModel().view(rgb)
    if body is None:
        return None
    points = body.shoulders_px
    return BodyView(points[np.argsort(points[:, 0])], body.confidence, BodyMask().find(rgb, body.window))


class PersonSegmenter:
    """The selfie segmentation network: a soft 256² person mask; a context manager."""

    def __init__(self) -> None:
        self._session = open_network("selfie-segmentation")

    def __enter__(self) -> PersonSegmenter:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held beyond the object itself."""

    def coverage(self, rgb: U8) -> F32:
        """Return the (H, W) float32 probability of the person in an (H, W, 3) RGB picture."""
        height, width = rgb.shape[:2]
        given = self._session.run({"picture": whole(rgb).cut(rgb, _SEGMENTED_PX, extend=False)[None]})
        mask: F32 = cv2.resize(given["mask"][0, 0], (width, height), interpolation=cv2.INTER_LINEAR)
        return mask
