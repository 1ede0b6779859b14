"""What a face does, seen from the portrait: the measure by which a view is like what is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.geometry import head_from_image
from facepuppet.core.types import F32, F64, Motion
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.topology import EYES, LIPS, LOWER_LIP_INNER, N_MESH, UPPER_LIP_INNER
from facepuppet.portrait.avatar import Avatar

_MOUTH_REACH = 0.12  # inter-ocular distances around the lips whose points tell the mouth's shape
_SHUT = 0.3  # trackers still report this share of the open aperture on shut lids
_BROWS = np.concatenate([eye.brow for eye in EYES])
_MIDDLE = [UPPER_LIP_INNER[5], LOWER_LIP_INNER[5]]


@dataclass(frozen=True, slots=True)
class FaceState:
    """Pose and expression of one face.

    Attributes:
        rotation: (3, 3) float32, its head from the portrait's own.
        mouth: (N, 2) float32 points of lips and skin around, turned back into the portrait's pose, in
            inter-ocular distances.
        brows: (20, 2) float32 points of the brows, likewise.
        mouth_opening: inner-lip gap over inter-ocular distance.
        eye_opening: (2,) float32 aperture relative to the portrait's own, image-left first.
    """

    rotation: F32
    mouth: F32
    brows: F32
    mouth_opening: float
    eye_opening: F32


class StateReader:
    """Measures motions and views against one portrait."""

    def __init__(self, avatar: Avatar) -> None:
        rest = avatar.landmarks_px
        self._pivot, self._unit = avatar.head_pivot_px, avatar.inter_ocular_px
        self._template = head_from_image(rest, fit_head(rest)).astype(np.float32)
        self._rest_pose = fit_head(rest, self._template)
        self._aperture = eye_openings(self._template)
        near = np.linalg.norm(self._template[:, None] - self._template[None, LIPS], axis=-1).min(1)
        self._around_mouth = np.flatnonzero(near[:N_MESH] < _MOUTH_REACH)
        self.rest = self._state(np.eye(3, dtype=np.float32), rest, np.ones(2, np.float32))

    def of_motion(self, motion: Motion) -> FaceState:
        """Measure where the portrait is to go."""
        head = motion.head
        offset = motion.landmarks_px - self._pivot
        offset[:, :2] -= head.shift_px
        placed = np.asarray(offset @ head.rotation / head.scale + self._pivot, dtype=np.float32)
        return self._state(head.rotation, placed, motion.eye_opening)

    def of_face(self, landmarks_px: F32) -> FaceState:
        """Measure another picture's (478, 3) landmarks, in whatever pixels."""
        pose = fit_head(landmarks_px, self._template)
        head = head_from_image(landmarks_px, pose).astype(np.float32)
        rotation = (pose.rotation @ self._rest_pose.rotation.T).astype(np.float32)
        opening = (eye_openings(head) / self._aperture - _SHUT) / (1.0 - _SHUT)
        return self._state(rotation, self._rest_pose.apply(head).astype(np.float32), np.maximum(opening, 0.0))

    def place_of_pivot(self, landmarks_px: F32) -> F64:
        """Where the portrait's own pivot of the head (3,) lies in another picture of it."""
        pose = fit_head(landmarks_px, self._template)
        return pose.apply(self._rest_pose.inverse().apply(self._pivot))

    def scale_of(self, landmarks_px: F32) -> float:
        """How much larger than the portrait's a head is in another picture."""
        return fit_head(landmarks_px, self._template).scale / self._rest_pose.scale

    def _state(self, rotation: F32, portrait_px: F32, eye_opening: F32) -> FaceState:
        """State of landmarks that have been brought into the portrait's own pose."""
        points = ((portrait_px - self._pivot)[:, :2] / self._unit).astype(np.float32)
        gap = float(np.linalg.norm(np.subtract(*points[_MIDDLE])))
        mouth, brows = points[self._around_mouth], points[_BROWS]
        return FaceState(rotation, mouth, brows, gap, eye_opening.astype(np.float32))
