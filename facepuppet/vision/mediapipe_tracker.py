"""MediaPipe's own package as a second tracker, for comparison; no other module imports it.

Its landmark network runs in a box that we choose: its FaceMesh chooses which face to follow and cannot be
told, so its landmark graph is run alone. Needs the extra `mediapipe` (0.10.21 is the last line whose wheel
carries its models and sends no telemetry).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from facepuppet.core.types import F32, N_LANDMARKS, U8
from facepuppet.vision.boxes import FaceBox, eye_roll
from facepuppet.vision.face_mesh import WINDOW
from facepuppet.vision.quiet import quiet_native_logs

_SHOULDERS = (12, 11)  # MediaPipe's right and left shoulder of the person: image-left first
_WARM_UP = np.zeros((64, 64, 3), np.uint8)

_LANDMARK_GRAPH = """
    input_stream: "image"
    input_stream: "roi"
    input_side_packet: "with_attention"
    output_stream: "landmarks"
    node {
      calculator: "FaceLandmarkCpu"
      input_stream: "IMAGE:image"
      input_stream: "ROI:roi"
      input_side_packet: "WITH_ATTENTION:with_attention"
      output_stream: "LANDMARKS:landmarks"
    }
"""


class MediaPipeFaceMesh:
    """Landmarks of the face in a given box; about 3 ms a face on one core. Holds no state of the face."""

    presence: float | None = None  # the package does not tell

    def __init__(self) -> None:
        with quiet_native_logs():
            from google.protobuf import text_format
            from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
            from mediapipe.framework.formats.rect_pb2 import NormalizedRect
            from mediapipe.python.solution_base import SolutionBase

            # Importing the solution registers the parts that the graph names.
            import mediapipe.python.solutions.face_mesh  # noqa: F401  isort: skip

            self._graph: Any = SolutionBase(
                graph_config=text_format.Parse(_LANDMARK_GRAPH, CalculatorGraphConfig()),
                side_inputs={"with_attention": True},  # refined lips and eyes, and the irises
                outputs=["landmarks"],
            )
            self._rect: Any = NormalizedRect
            self.find(_WARM_UP, FaceBox(32.0, 32.0, 32.0))

    def find(self, rgb: U8, box: FaceBox) -> F32 | None:
        """As `FaceMesh.find`."""
        height, width = rgb.shape[:2]
        side_px = WINDOW * box.size_px
        window = self._rect(
            x_center=box.x_px / width,
            y_center=box.y_px / height,
            width=side_px / width,
            height=side_px / height,
            rotation=box.roll_rad,
        )
        found = self._graph.process({"image": np.ascontiguousarray(rgb), "roi": window}).landmarks
        if found is None:
            return None
        points = np.array([(p.x, p.y, p.z) for p in found.landmark], dtype=np.float32)
        assert points.shape == (N_LANDMARKS, 3)
        return points * np.array([width, height, width], dtype=np.float32)

    def close(self) -> None:
        """Free the models."""
        self._graph.close()


class MediaPipeFaceDetector:
    """Boxes of all faces within about five metres of the camera; about 3 ms a picture on one core.

    MediaPipe has a detector for far faces and one for near ones; the near one is asked when the other
    sees nobody.
    """

    def __init__(self) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.face_detection import FaceDetection as Solution

            self._far, self._near = (
                # Whatever confidence is asked for, 0.10.21 takes 0.6 for far faces and 0.5 for near ones.
                Solution(model_selection=model)
                for model in (1, 0)
            )
            self.find(_WARM_UP)

    def find(self, rgb: U8) -> list[FaceBox]:
        """Return a box for each face of an (H, W, 3) uint8 RGB picture, in image pixels."""
        height, width = rgb.shape[:2]
        picture = np.ascontiguousarray(rgb)
        found = self._far.process(picture).detections or self._near.process(picture).detections or []
        return [_detected_box(detection.location_data, width, height) for detection in found]

    def close(self) -> None:
        """Free the models."""
        self._far.close()
        self._near.close()


def _detected_box(location: Any, width: int, height: int) -> FaceBox:
    box = location.relative_bounding_box
    left, right = (np.array([p.x * width, p.y * height]) for p in location.relative_keypoints[:2])  # eyes
    w, h = box.width * width, box.height * height
    return FaceBox(box.xmin * width + w / 2, box.ymin * height + h / 2, max(w, h), eye_roll(left, right))


class MediaPipePose:
    """MediaPipe Pose (full), on single pictures; about 13 ms each on one core."""

    def __init__(self) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.pose import Pose as Solution

            # Its own smoothing assumes 30 pictures a second; ours knows the time of each.
            self._solution: Any = Solution(model_complexity=1, smooth_landmarks=False)
            self._solution.process(np.zeros((64, 64, 3), np.uint8))  # opens the models
        self._warm = False

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        """As `PoseModel.find`."""
        height, width = rgb.shape[:2]
        pose = self._process(rgb).pose_landmarks
        if pose is None:
            return None
        points = [pose.landmark[i] for i in _SHOULDERS]
        shoulders_px = np.array([(p.x * width, p.y * height) for p in points], dtype=np.float32)
        return shoulders_px, float(min(p.visibility for p in points))

    def _process(self, rgb: U8) -> Any:
        picture = np.ascontiguousarray(rgb)
        if self._warm:
            return self._solution.process(picture)
        with quiet_native_logs():
            result = self._solution.process(picture)
        self._warm = result.pose_landmarks is not None  # each model reports itself when it first runs
        return result

    def close(self) -> None:
        """Free the model."""
        self._solution.close()
