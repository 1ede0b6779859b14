"""A driver's profile: the resting face and the range of every channel, found in a short recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core import NoDriverFaceError, ProfileError
from facepuppet.drivers import (
    DriverProfile,
    Tracking,
    measure_ranges,
    neutral_from,
    rest_pose_from,
    restlessness,
    with_ranges,
)

CALM_SHARE = 0.15  # of the frames with a face, at most so many, the calmest
LEAST_CALM_SHARE = 0.04  # fewer frames at rest may be chance
MIN_FRAMES = 5
MAX_RESTLESSNESS = 0.55  # a turned head, an open mouth or shut eyes lie beyond


def make_profile(trackings: Sequence[Tracking], description: str) -> DriverProfile:
    """Find the resting face among restless ones, and how far the face goes from it.

    Args:
        trackings: of one person, smoothed, ten seconds or more.
        description: what was looked at, for error texts.

    Raises:
        NoDriverFaceError: fewer than five frames show a face.
        ProfileError: even the calmest frames are not at rest.
    """
    calmest = resting_frames(trackings, description)
    neutral = neutral_from(calmest)
    rest_pose = rest_pose_from(calmest, neutral)
    faces = [tracking.face for tracking in trackings if tracking.face is not None]
    at_rest = [tracking.face for tracking in calmest if tracking.face is not None]
    return with_ranges(neutral, measure_ranges(faces, at_rest, neutral, rest_pose))


def resting_frames(trackings: Sequence[Tracking], description: str) -> list[Tracking]:
    """Pick the calmest frames, in which the driver is at rest.

    Raises:
        NoDriverFaceError: fewer than five frames show a face.
        ProfileError: too few of them are at rest.
    """
    faces = [tracking for tracking in trackings if tracking.face is not None]
    if len(faces) < MIN_FRAMES:
        raise NoDriverFaceError(
            f"{description} with a face in {len(faces)} of {len(trackings)} frames",
            f"a face in at least {MIN_FRAMES}",
            "Sit in the light, face the camera, and try again.",
        )
    unrest = restlessness(faces)
    order = np.argsort(unrest, kind="stable")
    enough = max(MIN_FRAMES, round(LEAST_CALM_SHARE * len(faces)))
    if unrest[order[enough - 1]] > MAX_RESTLESSNESS:
        raise ProfileError(
            f"{description}, in which even the calmest frames show a turned head, an open mouth or shut eyes "
            f"(restlessness {unrest[order[enough - 1]]:.2f})",
            f"some frames at rest (at most {MAX_RESTLESSNESS})",
            "Look straight into the camera for a second, mouth shut, eyes open.",
        )
    calm = order[: max(enough, round(CALM_SHARE * len(faces)))]
    return [faces[i] for i in calm if unrest[i] <= MAX_RESTLESSNESS]
