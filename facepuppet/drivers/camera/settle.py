"""Which of some frames show a driver at rest, and whether that is rest at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core.geometry import Similarity, geodesic_angle, head_from_image
from facepuppet.core.types import F32
from facepuppet.drivers.camera.profile import most_neutral, restlessness
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import fit_head
from facepuppet.face.lips import mouth_gap

CALM = 0.15  # restlessness above the calmest frame's, up to which a frame is as calm as that one
# How near to a frame at rest another one is taken for the same rest: the tracker's own tremble, doubled.
NEAR_RAD, NEAR_IOD, NEAR_LOG_SCALE = 0.05, 0.06, 0.04
AROUND = 6  # frames before and after a calmest one that may help to steady it

# Beyond these no face rests, whoever it is: heads before a low or high camera stay well below the turn.
TURNED_RAD = 0.6  # away from the camera; a tilt of the head, or a driver who lies, is no turn away
OPEN_MOUTH = 0.10  # gap in inter-ocular distances
SHUT_EYES = 0.14  # lid aperture over eye width, of both eyes


def first_rest(trackings: Sequence[Tracking]) -> list[Tracking]:
    """Return the first frame that is as calm as any, and those that show the same rest.

    The first, and not the calmest: a recording begins at rest, and what its driver does then is
    measured from there. The others take out the tracker's tremble.

    Raises:
        ValueError: no frame shows a face.
    """
    seen = [tracking for tracking in trackings if tracking.face is not None]
    if not seen:
        raise ValueError("got no tracking with a face, expected at least one")
    unrest = restlessness(seen)
    calm = [tracking for tracking, u in zip(seen, unrest, strict=True) if u <= unrest.min() + CALM]
    return _alike(calm, calm[0])


def calmest_rest(trackings: Sequence[Tracking]) -> list[Tracking]:
    """Return the calmest of all frames, and those around it that show the same rest.

    Raises:
        ValueError: no frame shows a face.
    """
    at = most_neutral(trackings)
    near = [t for t in trackings[max(at - AROUND, 0) : at + AROUND + 1] if t.face is not None]
    unrest = restlessness(near)
    calm = [tracking for tracking, u in zip(near, unrest, strict=True) if u <= unrest.min() + CALM]
    return _alike(calm, trackings[at])


def unrest_told(resting: Sequence[Tracking]) -> str | None:
    """Say why these frames, taken for rest, are none ("mouth open, eyes shut"); None when they are.

    Args:
        resting: all with a face, of one pose.
    """
    points = np.median([t.face.landmarks_px for t in resting if t.face is not None], axis=0)
    pose = fit_head(points)
    head = head_from_image(points, pose).astype(np.float32)
    found = {
        "turned away": _turn_away(pose) > TURNED_RAD,
        "mouth open": mouth_gap(head) > OPEN_MOUTH,
        "eyes shut": _opening(head) < SHUT_EYES,
    }
    return ", ".join(words for words, true in found.items() if true) or None


def _alike(calm: Sequence[Tracking], first: Tracking) -> list[Tracking]:
    assert first.face is not None
    found = [t for t in calm if t.face is not None and _near(t.face, first.face)]
    return found or [first]


def _near(face: Face, other: Face) -> bool:
    a, b = face.image_from_head, other.image_from_head
    moved = float(np.linalg.norm((a.translation - b.translation)[:2])) / b.scale
    return bool(
        geodesic_angle(a.rotation, b.rotation) < NEAR_RAD
        and moved < NEAR_IOD
        and abs(np.log(a.scale / b.scale)) < NEAR_LOG_SCALE
    )


def _turn_away(pose: Similarity) -> float:
    """Angle (rad) between where the face looks and the camera, whatever its tilt."""
    return float(np.arccos(np.clip(pose.rotation[2, 2], -1.0, 1.0)))


def _opening(head: F32) -> float:
    return float(eye_openings(head).max())
