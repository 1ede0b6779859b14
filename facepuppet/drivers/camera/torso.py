"""The driver's shoulders, by MediaPipe's pose model; no other module of the product imports it.

A pose takes about 13 ms, four times as long as the face, and shoulders move slowly: so offline they may be
found on every n-th frame only, and live they are found beside the loop, on whatever frame is newest.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, Protocol

import numpy as np

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import U8, Frame
from facepuppet.drivers.camera.tracking import Torso
from facepuppet.vision.quiet import quiet_native_logs

log = logging.getLogger(__name__)

_SHOULDERS = (12, 11)  # MediaPipe's right and left shoulder of the person: image-left first
MAX_AGE_NS = 500_000_000  # shoulders older than this are no longer reported


class TorsoFinder(Protocol):
    """Finds the torso that goes with each frame of a sequence."""

    def find(self, frame: Frame) -> Torso | None:
        """Return the newest torso known at this frame, or None."""

    def close(self) -> None:
        """Free the model."""


class PoseModel:
    """MediaPipe Pose (full), on single pictures."""

    def __init__(self) -> None:
        with quiet_native_logs():
            from mediapipe.python.solutions.pose import Pose as Solution

            # Its own smoothing assumes 30 pictures a second; ours knows the time of each.
            self._solution: Any = Solution(model_complexity=1, smooth_landmarks=False)
            self._solution.process(np.zeros((64, 64, 3), np.uint8))  # opens the models
        self._warm = False

    def find(self, rgb: U8) -> Torso | None:
        """Return the shoulders in an (H, W, 3) uint8 RGB picture, or None when no body is seen."""
        height, width = rgb.shape[:2]
        pose = self._process(rgb).pose_landmarks
        if pose is None:
            return None
        points = [pose.landmark[i] for i in _SHOULDERS]
        shoulders_px = np.array([(p.x * width, p.y * height) for p in points], dtype=np.float32)
        return Torso(shoulders_px, float(min(p.visibility for p in points)))

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


class EveryNthFrame:
    """Finds the torso on every n-th frame and repeats it in between: the same input, the same output."""

    def __init__(self, every: int = 1) -> None:
        self._model = PoseModel()
        self._every = every
        self._count = 0
        self._torso: Torso | None = None

    def find(self, frame: Frame) -> Torso | None:
        """Return the torso of this frame or of one of the last `every` frames."""
        if self._count % self._every == 0:
            self._torso = self._model.find(frame.rgb)
        self._count += 1
        return self._torso

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class BesideTheLoop:
    """Finds the torso on a thread of its own; `find` never waits.

    Every n-th frame is offered to the thread and a newer one replaces it when the thread is late, so a
    slow machine gets older shoulders, not a slower face.
    """

    def __init__(self, every: int = 3) -> None:
        self._every = every
        self._count = 0
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._newest: tuple[Torso | None, int] = (None, 0)  # replaced whole, so reading needs no lock
        self._thread = threading.Thread(target=self._work, name="torso", daemon=True)
        self._thread.start()

    def find(self, frame: Frame) -> Torso | None:
        """Return the newest torso the thread has finished, or None when it is too old."""
        if self._count % self._every == 0:
            self._frames.put(frame)
        self._count += 1
        torso, captured_ns = self._newest
        return torso if frame.captured_ns - captured_ns <= MAX_AGE_NS else None

    def close(self) -> None:
        """Stop the thread and free the model."""
        self._frames.close()
        self._thread.join()

    def _work(self) -> None:
        try:
            model = PoseModel()
            try:
                while (frame := self._frames.take()) is not None:
                    self._newest = (model.find(frame.rgb), frame.captured_ns)
            finally:
                model.close()
        except Exception:  # the face goes on without shoulders
            log.exception("shoulders are no longer tracked")
            self._newest = (None, 0)
