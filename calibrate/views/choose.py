"""Which picture to animate, and which of many show something new."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibrate.views.candidates import Candidate
from facepuppet.core import geodesic_angle, head_from_image
from facepuppet.face import eye_openings, fit_head, mouth_gap
from facepuppet.portrait import FaceState, FaceView, face_width_px

# Differences that count alike: radians, inter-ocular distances, apertures.
_POSE, _MOUTH, _LIDS = 0.35, 0.08, 0.5
_LEAST_NEW = 0.25  # a face that differs less from one already there shows nothing new
_OPEN_EYES = 0.27  # aperture over width
_ENOUGH_PX = 200.0  # face width beyond which more pixels make no better portrait
_STRAYS = 0.02  # share of frames, the farthest out, in which the tracker may have gone astray


def unrest(candidate: Candidate) -> float:
    """How far a face is from a good portrait: turned, mouth open, eyes shut, or small; 0 is best."""
    pose = fit_head(candidate.landmarks_px)
    head = head_from_image(candidate.landmarks_px, pose).astype(np.float32)
    shut = float(np.maximum(_OPEN_EYES - eye_openings(head), 0.0).sum())
    small = max(0.0, 1.0 - face_width_px(candidate.landmarks_px) / _ENOUGH_PX)
    return geodesic_angle(pose.rotation, np.eye(3)) + 4.0 * mouth_gap(head) + 3.0 * shut + small


def calmest(candidates: Sequence[Candidate]) -> int:
    """Index of the picture to animate: frontal, mouth shut, eyes open, large; the first of equals."""
    return int(np.argmin([unrest(candidate) for candidate in candidates]))


def difference(a: FaceState, b: FaceState) -> float:
    """How differently two faces of a person look, in units in which 1 is plain to see."""
    pose = geodesic_angle(a.rotation, b.rotation) / _POSE
    mouth = float(np.sqrt(((a.mouth - b.mouth) ** 2).sum(-1).mean())) / _MOUTH
    lids = float(np.abs(np.minimum(a.eye_opening, 1.2) - np.minimum(b.eye_opening, 1.2)).max()) / _LIDS
    return float(np.sqrt(pose**2 + mouth**2 + lids**2))


def most_varied(states: Sequence[FaceState], known: Sequence[FaceState], count: int) -> list[int]:
    """Pick the faces that differ most from those known and from each other (farthest first).

    Returns:
        At most `count` indices, in the order of picking; the farthest few are passed over as strays, and
        what is like a face already picked is left.
    """
    nearest = np.array([min(difference(state, other) for other in known) for state in states])
    picked: list[int] = []
    while len(picked) < min(count, len(states)):
        order = np.argsort(nearest)
        index = int(order[len(order) - 1 - int(_STRAYS * len(order))])
        if nearest[index] < _LEAST_NEW:
            break
        picked.append(index)
        nearest = np.minimum(nearest, [difference(state, states[index]) for state in states])
        nearest[picked] = -1.0
    return picked


def what_it_shows(candidate: Candidate, state: FaceState) -> str:
    """A few words on what a picture shows."""
    yaw = np.rad2deg(FaceView.of(candidate.landmarks_px).yaw_rad)
    words = []
    if abs(yaw) > 10:
        words.append(f"turned {abs(yaw):.0f}° to the {'right' if yaw > 0 else 'left'}")
    if state.mouth_opening > 0.06:
        words.append("mouth open")
    if float(state.eye_opening.max()) < 0.4:
        words.append("eyes shut")
    return ", ".join(words) or "near the portrait"
