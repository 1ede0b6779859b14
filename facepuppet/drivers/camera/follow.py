"""Follows one face from frame to frame: the driver's, as `selection` decides."""

from __future__ import annotations

import math

from facepuppet.core.types import F32, U8
from facepuppet.drivers.camera.selection import FaceSelector
from facepuppet.vision.boxes import FaceBox, face_box
from facepuppet.vision.trackers import TrackingModels

MOST_LOOKS = 5  # at a face just found
SETTLED = 0.04  # of the face's size, and radians of tilt, between two looks
SURVEY_NS = 1_000_000_000  # how often to look for other faces while one is followed


class FaceFollower:
    """The driver's landmarks in each frame, at the price of a single face.

    While a face is followed the landmark network looks only where that face was a frame ago. When it is
    lost, the detector finds all faces and `FaceSelector` chooses. About once a second the detector notes
    who else is in view, so that they are known when the driver is lost.

    Args:
        models: opens the networks; the project's own runner of them if None.
    """

    def __init__(self, models: TrackingModels | None = None) -> None:
        models = models or TrackingModels()
        self._mesh = models.landmarks()
        self._detector = models.faces()
        self._selector = FaceSelector()
        self._box: FaceBox | None = None  # where the driver was in the last frame, None while lost
        self._surveyed_ns = 0

    def follow(self, rgb: U8, t_ns: int) -> F32 | None:
        """Return the driver's (478, 3) landmarks in image pixels, or None when not seen.

        Args:
            rgb: (H, W, 3) uint8 RGB picture.
            t_ns: its time of capture; must not decrease.
        """
        landmarks = None if self._box is None else self._look(rgb, self._box, t_ns)
        if landmarks is None:
            return self._acquire(rgb, self._selector.choose(self._detector.find(rgb), t_ns), t_ns)
        if t_ns - self._surveyed_ns >= SURVEY_NS:
            self._surveyed_ns = t_ns
            successor = self._selector.survey(self._detector.find(rgb), t_ns)
            if successor is not None:
                return self._acquire(rgb, successor, t_ns)
        return landmarks

    def close(self) -> None:
        """Free the models."""
        self._mesh.close()
        self._detector.close()

    def _look(self, rgb: U8, box: FaceBox, t_ns: int) -> F32 | None:
        """Find the driver near a box and remember where; None when nobody is there, or somebody else."""
        landmarks = self._mesh.find(rgb, box)
        self._box = None if landmarks is None else face_box(landmarks)
        if self._box is not None and not self._selector.keeps(self._box, t_ns):
            self._box = None
        return None if self._box is None else landmarks

    def _acquire(self, rgb: U8, chosen: FaceBox | None, t_ns: int) -> F32 | None:
        self._box = None
        if chosen is None:
            return None
        self._surveyed_ns = t_ns
        landmarks = self._look(rgb, chosen, t_ns)
        # A detector's box is rough, above all of a face that lies: look again where the landmarks themselves
        # are, until they stay there.
        for _ in range(MOST_LOOKS - 1):
            if landmarks is None:
                return None
            before = face_box(landmarks)
            landmarks = self._look(rgb, before, t_ns)
            if landmarks is not None and _settled(face_box(landmarks), before):
                break
        return landmarks


def _settled(box: FaceBox, before: FaceBox) -> bool:
    turned = abs(math.remainder(box.roll_rad - before.roll_rad, 2 * math.pi))
    return box.distance(before) < SETTLED and box.zoom(before) < 1 + SETTLED and turned < SETTLED
