"""MediaPipe's solutions as an application of its own would call them: what our tracker is compared with.

Needs the extra `mediapipe`. The landmark network in a box of our choice is `tracking_models("mediapipe")`.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import Any

import numpy as np

from facepuppet.core import F32, U8

N_EYES = 2  # the first of a face's keypoints
SHOULDERS = (12, 11)  # the person's right and left: image-left first


class Solutions:
    """Opens each solution when it is first asked; a context manager."""

    def __init__(self) -> None:
        self._opened: dict[str, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Solutions:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def faces(self, rgb: U8, *, far: bool) -> tuple[F32, F32]:
        """Return corners (N, 2, 2) of the boxes and eyes (N, 2, 2) of all faces, in pixels, surest first."""
        found = self._ask("face_detection", "FaceDetection", rgb, model_selection=int(far)).detections or []
        corners, eyes = [], []
        for location in (detection.location_data for detection in found):
            box = location.relative_bounding_box
            corners.append([(box.xmin, box.ymin), (box.xmin + box.width, box.ymin + box.height)])
            eyes.append([(point.x, point.y) for point in location.relative_keypoints[:N_EYES]])
        return _pixels(corners, rgb), _pixels(eyes, rgb)

    def followed_mesh(self, rgb: U8) -> F32 | None:
        """Return (478, 3) landmarks of the face that MediaPipe itself follows from call to call, or None."""
        found = self._ask("face_mesh", "FaceMesh", rgb, refine_landmarks=True).multi_face_landmarks
        if not found:
            return None
        height, width = rgb.shape[:2]
        points = [(point.x, point.y, point.z) for point in found[0].landmark]
        return np.array(points, np.float32) * np.float32([width, height, width])

    def body(self, rgb: U8) -> tuple[F32, float, F32] | None:
        """Look for the first time: (2, 2) shoulders, their visibility, (H, W) mask; None without a body."""
        given = self._ask("pose", "Pose", rgb, static_image_mode=True, enable_segmentation=True)
        if given.pose_landmarks is None:
            return None
        points = [given.pose_landmarks.landmark[i] for i in SHOULDERS]
        shoulders_px = _pixels([[(point.x, point.y) for point in points]], rgb)[0]
        return shoulders_px, min(point.visibility for point in points), np.asarray(given.segmentation_mask)

    def person(self, rgb: U8) -> F32:
        """Return the (H, W) probability of the person, of the selfie segmentation."""
        given = self._ask("selfie_segmentation", "SelfieSegmentation", rgb, model_selection=0)
        return np.asarray(given.segmentation_mask)

    def _ask(self, module: str, name: str, rgb: U8, **options: Any) -> Any:
        key = f"{name} {options}"
        if key not in self._opened:
            solution = getattr(import_module(f"mediapipe.python.solutions.{module}"), name)
            self._opened[key] = self._stack.enter_context(solution(**options))
        return self._opened[key].process(np.ascontiguousarray(rgb))


def _pixels(relative: list[Any], rgb: U8) -> F32:
    height, width = rgb.shape[:2]
    return np.array(relative, np.float32).reshape(-1, 2, 2) * np.float32([width, height])
