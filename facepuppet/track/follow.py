"""Follows one face from frame to frame: the driver's, as `selection` decides."""

from __future__ import annotations

import numpy as np

from facepuppet.topology import N_MESH
from facepuppet.track.facemesh import FaceDetector, FaceMesh
from facepuppet.track.selection import FaceBox, FaceSelector
from facepuppet.types import F32, U8

SURVEY_NS = 1_000_000_000  # how often to look for other faces while one is followed
MARGIN = 1.1  # half the side of the window shown when a face is acquired, in face sizes
_LOST = np.zeros((64, 64, 3), np.uint8)  # a picture without a face


class FaceFollower:
    """The driver's landmarks in each frame, at the price of following a single face.

    The mesh follows the face that it has at about 3 ms a frame and never looks elsewhere. It is given
    a choice only when it has none: then a detector (1 ms) finds all faces, `FaceSelector` chooses, and
    the mesh is shown nothing but that face once. About once a second the detector notes who else is in
    view, so that those are known when the driver is lost.
    """

    def __init__(self) -> None:
        self._mesh = FaceMesh()
        self._detector = FaceDetector()
        self._selector = FaceSelector()
        self._following = False
        self._surveyed_ns = 0

    def follow(self, rgb: U8, t_ns: int) -> F32 | None:
        """Return the driver's (478, 3) landmarks in image pixels, or None when not seen.

        Args:
            rgb: (H, W, 3) uint8 RGB picture.
            t_ns: its time of capture; must not decrease.
        """
        landmarks = self._continued(rgb, t_ns) if self._following else None
        if landmarks is None:
            return self._acquired(rgb, self._selector.choose(self._detector.find(rgb), t_ns), t_ns)
        if t_ns - self._surveyed_ns >= SURVEY_NS:
            self._surveyed_ns = t_ns
            successor = self._selector.survey(self._detector.find(rgb), t_ns)
            if successor is not None:
                return self._acquired(rgb, successor, t_ns)
        return landmarks

    def close(self) -> None:
        """Free the models."""
        self._mesh.close()
        self._detector.close()

    def _continued(self, rgb: U8, t_ns: int) -> F32 | None:
        found = self._mesh.find(rgb)
        self._following = bool(found) and self._selector.keeps(face_box(found[0]), t_ns)
        return found[0] if self._following else None

    def _acquired(self, rgb: U8, chosen: FaceBox | None, t_ns: int) -> F32 | None:
        self._following = False
        if chosen is None:
            return None
        self._mesh.find(_LOST)  # let go of any face that it still has
        found = self._mesh.find(_only(rgb, chosen))
        self._following = bool(found) and self._selector.keeps(face_box(found[0]), t_ns)
        self._surveyed_ns = t_ns
        return found[0] if self._following else None


def face_box(landmarks_px: F32) -> FaceBox:
    """The box of (478, 3) landmarks; MediaPipe's detector boxes agree with it within a few per cent."""
    mesh = landmarks_px[:N_MESH, :2]
    low, high = mesh.min(axis=0), mesh.max(axis=0)
    (x, y), (width, height) = (low + high) / 2, high - low
    return FaceBox(float(x), float(y), float(np.sqrt(width * height)))


def _only(rgb: U8, box: FaceBox) -> U8:
    """The picture with everything but the surroundings of one face blacked out."""
    reach = MARGIN * box.size_px
    left, right = max(int(box.x_px - reach), 0), max(int(box.x_px + reach), 0)
    top, bottom = max(int(box.y_px - reach), 0), max(int(box.y_px + reach), 0)
    alone = np.zeros_like(rgb)
    alone[top:bottom, left:right] = rgb[top:bottom, left:right]
    return alone
