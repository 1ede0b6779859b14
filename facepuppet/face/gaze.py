"""Where the eyes look, and how far they are open, relative to the head."""

from __future__ import annotations

import math

import numpy as np

from facepuppet.core.types import F32, F64, Floats
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, EyeTopology

# An eyeball of radius 12 mm carries an iris of radius 5.9 mm (the human averages used by model-based
# gaze estimation, see Hansen & Ji, "In the Eye of the Beholder", PAMI 2010), so the iris centre is
# √(12² − 5.9²) = 10.4 mm from the centre of rotation; the outer eye corners are 90 mm apart.
IRIS_ORBIT = 10.4 / 90.0
MAX_SINE = 0.8  # eyes turn at most about 50°; beyond it the iris point is a tracking error

# Of each eye the corners, then upper and lower lid in turn across its middle.
_APERTURES = np.array(
    [(eye.outer, eye.inner, *np.stack([eye.upper_lid, eye.lower_lid], axis=1)[3:6].ravel()) for eye in EYES]
).ravel()


def gaze_angles(landmarks_head: Floats, camera_from_head: Floats) -> F32:
    """Return (2,) yaw and pitch of the gaze in radians, relative to the head, signs as in the head pose.

    Each iris is followed along the line of sight of the camera onto the sphere on which it travels; the
    tracker's own iris depth, which is poor, is not used. An eye counts by how far it is open.

    Args:
        landmarks_head: (478, 3) in the head frame.
        camera_from_head: (3, 3) rotation of the head.
    """
    sight = np.asarray(camera_from_head, dtype=np.float64)[2]  # camera's z axis, seen from the head
    directions = np.array([_iris_direction(landmarks_head, eye, sight) for eye in EYES])
    weights = eye_openings(landmarks_head).astype(np.float64) + 1e-3
    x, y, z = weights @ directions / weights.sum()
    return np.array([np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))], dtype=np.float32)


def eye_openings(landmarks_head: Floats) -> F32:
    """Return (2,) lid aperture over eye width, image-left eye first.

    Measured across the middle of the lids, face on. Relaxed open eyes have about 0.3; shut ones keep
    a rest of about 0.05–0.1 that is the tracker's, not the eye's.

    Args:
        landmarks_head: (478, 3) in the head frame.
    """
    points: list[list[float]] = landmarks_head.take(_APERTURES, axis=0)[:, :2].tolist()
    half = len(points) // 2
    return np.array([_opening(points[:half]), _opening(points[half:])], dtype=np.float32)


def _opening(points: list[list[float]]) -> float:
    """Aperture over width of one eye, of its points in the order of `_APERTURES`."""
    outer, inner, *lids = points
    gaps = [math.dist(upper, lower) for upper, lower in zip(lids[::2], lids[1::2], strict=True)]
    return sum(gaps) / len(gaps) / max(math.dist(outer, inner), 1e-6)


def _iris_direction(landmarks_head: Floats, eye: EyeTopology, sight: F64) -> F64:
    """Unit vector from the eyeball's centre to the iris, in the head frame."""
    centre = _eyeball_centre(landmarks_head, eye)
    offset = np.asarray(landmarks_head[eye.iris_centre], dtype=np.float64) - centre
    across = offset - (offset @ sight) * sight  # all that the camera sees of it
    distance = float(np.linalg.norm(across)) / IRIS_ORBIT
    across *= min(1.0, MAX_SINE / max(distance, 1e-9)) / IRIS_ORBIT
    depth = np.sqrt(1.0 - across @ across)
    return np.asarray(across - depth * sight)  # towards the camera


def _eyeball_centre(landmarks_head: Floats, eye: EyeTopology) -> F64:
    """Behind the mean face's straight-ahead iris, carried along with this face's eye corners."""
    template = canonical_landmarks()
    corners = [eye.outer, eye.inner]
    rest = template[eye.iris_centre] - template[corners].mean(axis=0)
    centre = np.asarray(landmarks_head[corners].mean(axis=0) + rest, dtype=np.float64)
    centre[2] += IRIS_ORBIT
    return centre
