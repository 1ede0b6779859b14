"""Where the irises lie between the eye corners, as the camera sees it.

Gaze is carried over in the picture plane: what tells an onlooker where eyes look is how the iris
divides the visible eye, and the tracker's depth of the iris is too poor to go through space.
"""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32, F64, Floats
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.gaze import IRIS_ORBIT
from facepuppet.face.topology import EYES, EyeTopology


def iris_position(landmarks_px: Floats) -> F64:
    """Position (2, 2) of each iris, image-left eye first: to the right and down from mid-eye, in eye widths.

    Both eyes look at one thing, so their mean is the gaze, with half the tracker's noise.

    Args:
        landmarks_px: (478, 2 or 3) in the image or portrait frame.
    """
    return np.array([_position(landmarks_px, eye) for eye in EYES])


def eye_widths_from_angles(angles_rad: Floats) -> F64:
    """Shift (..., 2) of an iris in eye widths, as a viewer before the face sees it.

    Args:
        angles_rad: (..., 2) yaw and pitch of the eye from straight ahead, signs as in the head pose.
    """
    yaw, pitch = np.moveaxis(np.asarray(angles_rad, np.float64), -1, 0)
    mean = canonical_landmarks()
    width = float(np.mean([np.linalg.norm(mean[eye.outer] - mean[eye.inner]) for eye in EYES]))
    across = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=-1)
    return np.asarray(IRIS_ORBIT / width * across)


def move_irises(landmarks_px: F32, rest_px: Floats, gaze: Floats, steady: Floats) -> None:
    """Place the irises of a moved portrait, in place.

    Args:
        landmarks_px: (478, 3) moved landmarks; only the irises are written to.
        rest_px: (478, 3) the portrait's own landmarks.
        gaze: (2,) shift from the portrait's own iris position, as in `iris_position`.
        steady: (2,) for each eye, image-left first, how much of the vertical shift to follow (0..1).
    """
    for eye, share in zip(EYES, np.asarray(steady).tolist(), strict=True):
        along, down = _axes(landmarks_px, eye)
        x, y = _position(rest_px, eye) + np.asarray(gaze) * (1.0, share)
        centre = landmarks_px[[eye.outer, eye.inner], :2].mean(0) + x * along + y * down
        landmarks_px[eye.iris, :2] += (centre - landmarks_px[eye.iris_centre, :2]).astype(np.float32)


def _axes(landmarks_px: Floats, eye: EyeTopology) -> tuple[F64, F64]:
    """Vectors from the image-left to the image-right corner, and as long, downwards."""
    corners = np.asarray(landmarks_px[[eye.outer, eye.inner], :2], np.float64)
    left, right = corners if corners[0, 0] <= corners[1, 0] else corners[::-1]
    along = right - left
    return along, np.array([-along[1], along[0]])


def _position(landmarks_px: Floats, eye: EyeTopology) -> F64:
    along, down = _axes(landmarks_px, eye)
    offset = landmarks_px[eye.iris_centre, :2] - landmarks_px[[eye.outer, eye.inner], :2].mean(0)
    return np.array([offset @ along, offset @ down]) / max(float(along @ along), 1e-6)
