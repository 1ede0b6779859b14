"""MediaPipe's pose network on a stream of pictures: where the shoulders are."""

from __future__ import annotations

from typing import Any

import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.vision.quiet import quiet_native_logs

_SHOULDERS = (12, 11)  # MediaPipe's right and left shoulder of the person: image-left first


class PoseModel:
    """MediaPipe Pose (full), on single pictures; about 13 ms each on one core."""

    def __init__(self) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.pose import Pose as Solution

            # Its own smoothing assumes 30 pictures a second; ours knows the time of each.
            self._solution: Any = Solution(model_complexity=1, smooth_landmarks=False)
            self._solution.process(np.zeros((64, 64, 3), np.uint8))  # opens the models
        self._warm = False

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        """Find the shoulders in an (H, W, 3) uint8 RGB picture.

        Returns:
            (2, 2) float32 in image pixels, image-left first, and the visibility in [0, 1] of the less
            visible one; None when no body is seen.
        """
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
