"""One face of a picture, and its measures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import CHIN, FOREHEAD, OUTER_CORNERS

_OVAL_LEFT, _OVAL_RIGHT = 234, 454  # beside the ears


def face_width_px(landmarks_px: F32) -> float:
    """Return the distance between the sides of the face oval, however the face is turned."""
    left, right = landmarks_px[[_OVAL_LEFT, _OVAL_RIGHT]]
    return float(np.linalg.norm(right - left))


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face with its mesh.

    Attributes:
        landmarks_px: (478, 3) float32 in the picture's pixels, z away from the viewer.
        width_px: distance between the sides of the face oval, turned faces included.
        yaw_rad: positive when the face turns to the image's right.
        pitch_rad: positive when it looks down.
        roll_rad: positive clockwise on the picture.
    """

    landmarks_px: F32
    width_px: float
    yaw_rad: float
    pitch_rad: float
    roll_rad: float

    @classmethod
    def of(cls, landmarks_px: F32) -> FaceView:
        """Measure a mesh."""
        across = landmarks_px[OUTER_CORNERS[1]] - landmarks_px[OUTER_CORNERS[0]]
        down = landmarks_px[CHIN] - landmarks_px[FOREHEAD]
        return cls(
            landmarks_px=landmarks_px,
            width_px=face_width_px(landmarks_px),
            yaw_rad=float(np.arctan2(across[2], np.hypot(across[0], across[1]))),
            pitch_rad=float(np.arctan2(down[2], np.hypot(down[0], down[1]))),
            roll_rad=float(np.arctan2(across[1], across[0])),
        )

    def is_apart_from(self, other: FaceView) -> bool:
        """Say whether the two are different faces rather than two readings of one."""
        distance = np.linalg.norm((self.landmarks_px - other.landmarks_px)[:, :2].mean(axis=0))
        return bool(distance > 0.5 * max(self.width_px, other.width_px))
