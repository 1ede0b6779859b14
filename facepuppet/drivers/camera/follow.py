"""Follows one face from frame to frame: the driver's, as `selection` decides."""

from __future__ import annotations

from facepuppet.core.types import F32, U8
from facepuppet.drivers.camera.held_region import HeldRegion
from facepuppet.drivers.camera.selection import FaceSelector
from facepuppet.vision.boxes import FaceBox, face_box
from facepuppet.vision.trackers import TrackingModels

MOST_LOOKS = 5  # at a face just found
SETTLED = 0.04  # between two looks: of the face's size, log zoom, and radians of tilt
SURVEY_NS = 1_000_000_000  # how often to look for other faces while one is followed


class FaceFollower:
    """The driver's landmarks in each frame, at the price of a single face.

    While a face is followed the landmark network looks only near where that face was (`HeldRegion`), so
    that the same picture gives the same landmarks. When it is lost, the detector finds all faces and
    `FaceSelector` chooses. About once a second the detector notes who else is in view, so that they are
    known when the driver is lost.

    Args:
        models: opens the networks; the project's own runner of them if None.
    """

    def __init__(self, models: TrackingModels | None = None) -> None:
        models = models or TrackingModels()
        self._mesh = models.landmarks()
        self._detector = models.faces()
        self._selector = FaceSelector()
        self._region: HeldRegion | None = None  # where the driver is, None while lost
        self._surveyed_ns = 0

    def follow(self, rgb: U8, t_ns: int) -> F32 | None:
        """Return the driver's (478, 3) landmarks in image pixels, or None when not seen.

        Args:
            rgb: (H, W, 3) uint8 RGB picture.
            t_ns: its time of capture; must not decrease.
        """
        landmarks = self._keep(rgb, t_ns)
        if landmarks is None:
            return self._acquire(rgb, self._selector.choose(self._detector.find(rgb), t_ns), t_ns)
        if t_ns - self._surveyed_ns >= SURVEY_NS:
            self._surveyed_ns = t_ns
            successor = self._selector.survey(self._detector.find(rgb), t_ns)
            if successor is not None:
                return self._acquire(rgb, successor, t_ns)
        return landmarks

    @property
    def presence(self) -> float | None:
        """Log odds that what was followed last is a face; None where the network does not tell."""
        return self._mesh.presence

    def close(self) -> None:
        """Free the models."""
        self._mesh.close()
        self._detector.close()

    def _keep(self, rgb: U8, t_ns: int) -> F32 | None:
        """Find the driver again; None when nobody is there, or somebody else."""
        region = self._region
        if region is None:
            return None
        for box in dict.fromkeys((region.box, region.face)):  # a fast face may have left the first only
            found = self._look(rgb, box, t_ns)
            if found is not None:
                region.follow(*found)
                return found[0]
        self._region = None
        return None

    def _look(self, rgb: U8, box: FaceBox, t_ns: int) -> tuple[F32, FaceBox] | None:
        """Find the driver near a box, and its box; None when nobody is there, or somebody else."""
        landmarks = self._mesh.find(rgb, box)
        if landmarks is None:
            return None
        face = face_box(landmarks)
        return (landmarks, face) if self._selector.keeps(face, t_ns) else None

    def _acquire(self, rgb: U8, chosen: FaceBox | None, t_ns: int) -> F32 | None:
        self._region = None
        if chosen is None:
            return None
        self._surveyed_ns = t_ns
        box, found = chosen, self._look(rgb, chosen, t_ns)
        # A detector's box is rough, above all of a face that lies: look again where the landmarks themselves
        # are, until they stay there.
        for _ in range(MOST_LOOKS - 1):
            if found is None:
                return None
            box = found[1]
            found = self._look(rgb, box, t_ns)
            if found is not None and found[1].is_within(SETTLED, box):
                break
        if found is None:
            return None
        self._region = HeldRegion(box, found[0])
        return found[0]
