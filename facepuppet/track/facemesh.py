"""MediaPipe's face mesh and face detector; no other module of the product imports them.

The models come inside the mediapipe wheel, so nothing is downloaded and nothing leaves the machine.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np

from facepuppet.track.quiet import quiet_native_logs
from facepuppet.track.selection import FaceBox
from facepuppet.types import F32, N_LANDMARKS, U8


class FaceMesh:
    """Landmarks of up to `max_faces` faces.

    Between calls it follows the faces that it has and searches the picture only while it has fewer than
    max_faces; `still=True` searches every picture afresh, for photographs. One face followed at 720p
    costs about 3 ms on one core. Use as a context manager or call close().
    """

    def __init__(self, max_faces: int = 1, *, still: bool = False, min_confidence: float = 0.5) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.face_mesh import FaceMesh as Solution

            self._solution: Any = Solution(
                static_image_mode=still,
                max_num_faces=max_faces,
                refine_landmarks=True,
                min_detection_confidence=min_confidence,
                min_tracking_confidence=min_confidence,
            )
            self._solution.process(np.zeros((64, 64, 3), np.uint8))  # opens the models
        self._warm = False

    def find(self, rgb: U8) -> list[F32]:
        """Return the landmarks of each face in an (H, W, 3) uint8 RGB picture.

        Each is (478, 3) float32 in image pixels; z is in pixels too, negative towards the viewer, with
        its zero near the middle of the head. The list is empty when no face is seen.
        """
        height, width = rgb.shape[:2]
        found = self._process(rgb).multi_face_landmarks or []
        size = np.array([width, height, width], dtype=np.float32)
        return [_array(face.landmark) * size for face in found]

    def _process(self, rgb: U8) -> Any:
        picture = np.ascontiguousarray(rgb)
        if self._warm:
            return self._solution.process(picture)
        with quiet_native_logs():
            result = self._solution.process(picture)
        self._warm = bool(result.multi_face_landmarks)  # each model reports itself when it first runs
        return result

    def close(self) -> None:
        """Free the models."""
        self._solution.close()

    def __enter__(self) -> FaceMesh:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FaceDetector:
    """Boxes of all faces within about two metres of the camera; about 1 ms a picture on one core."""

    def __init__(self, min_confidence: float = 0.5) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.face_detection import FaceDetection as Solution

            self._solution: Any = Solution(model_selection=0, min_detection_confidence=min_confidence)
            self._solution.process(np.zeros((128, 128, 3), np.uint8))

    def find(self, rgb: U8) -> list[FaceBox]:
        """Return a box for each face of an (H, W, 3) uint8 RGB picture, in image pixels."""
        height, width = rgb.shape[:2]
        boxes = []
        for detection in self._solution.process(np.ascontiguousarray(rgb)).detections or []:
            box = detection.location_data.relative_bounding_box
            w, h = box.width * width, box.height * height
            boxes.append(FaceBox(box.xmin * width + w / 2, box.ymin * height + h / 2, float(np.sqrt(w * h))))
        return boxes

    def close(self) -> None:
        """Free the model."""
        self._solution.close()


def _array(landmarks: Any) -> F32:
    values = np.array([(point.x, point.y, point.z) for point in landmarks], dtype=np.float32)
    assert values.shape == (N_LANDMARKS, 3)
    return values
