"""Everything the analysis asks of MediaPipe about a still picture; no other avatar module imports it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import mediapipe as mp
import numpy as np

from facepuppet.core.types import F32, N_LANDMARKS, U8

_LEFT_SHOULDER, _RIGHT_SHOULDER = 11, 12  # the person's own left and right


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
    """What the pose network sees.

    Attributes:
        shoulders_px: (2, 2) float32, image-left first.
        confidence: visibility of the less visible shoulder, in [0, 1].
        coverage: (H, W) float32 probability of the person, coarse.
    """

    shoulders_px: F32
    confidence: float
    coverage: F32


def detect_faces(rgb: U8, *, far: bool, min_confidence: float) -> list[Box]:
    """Find face boxes (brow to chin) in an (H, W, 3) RGB picture.

    Args:
        rgb: the picture.
        far: use the full-range detector (small faces) rather than the close-range one.
        min_confidence: detector score to accept, in [0, 1].
    """
    height, width = rgb.shape[:2]
    with mp.solutions.face_detection.FaceDetection(
        model_selection=int(far), min_detection_confidence=min_confidence
    ) as detector:
        found = detector.process(rgb).detections or []
    boxes = [detection.location_data.relative_bounding_box for detection in found]
    return [Box(b.xmin * width, b.ymin * height, b.width * width, b.height * height) for b in boxes]


class FaceMesher:
    """Reads the 478-point face mesh off crops; a context manager, costly to open, cheap to call."""

    def __init__(self, min_confidence: float = 0.2) -> None:
        self._mesh = mp.solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=1,
            refine_landmarks=True,
            min_detection_confidence=min_confidence,
        )

    def __enter__(self) -> FaceMesher:
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.close()

    def landmarks_px(self, rgb: U8) -> F32 | None:
        """Return the (478, 3) float32 landmarks of the main face of an RGB picture, or None.

        x right, y down, z away from the viewer, all in the picture's pixels.
        """
        height, width = rgb.shape[:2]
        found = self._mesh.process(rgb).multi_face_landmarks
        if not found:
            return None
        points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], dtype=np.float32)
        if points.shape[0] != N_LANDMARKS:
            return None
        return points * np.array([width, height, width], dtype=np.float32)


def view_body(rgb: U8) -> BodyView | None:
    """Find shoulders and a coarse person mask in an (H, W, 3) RGB picture; None without a person."""
    height, width = rgb.shape[:2]
    with mp.solutions.pose.Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True) as pose:
        result = pose.process(rgb)
    if result.pose_landmarks is None:
        return None
    sides = [result.pose_landmarks.landmark[i] for i in (_RIGHT_SHOULDER, _LEFT_SHOULDER)]
    points = np.array([(p.x * width, p.y * height) for p in sides], dtype=np.float32)
    coverage = np.asarray(result.segmentation_mask, dtype=np.float32)
    return BodyView(points[np.argsort(points[:, 0])], min(float(p.visibility) for p in sides), coverage)


class PersonSegmenter:
    """The selfie segmentation network: a soft 256² person mask; a context manager."""

    def __init__(self) -> None:
        self._network = mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)

    def __enter__(self) -> PersonSegmenter:
        return self

    def __exit__(self, *_: object) -> None:
        self._network.close()

    def coverage(self, rgb: U8) -> F32:
        """Return the (H, W) float32 probability of the person in an (H, W, 3) RGB picture."""
        height, width = rgb.shape[:2]
        mask = np.asarray(self._network.process(rgb).segmentation_mask, dtype=np.float32)
        if mask.shape != (height, width):
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        return mask
