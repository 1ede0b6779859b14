"""A driver's resting face, found in a short recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from facepuppet.capture import Source
from facepuppet.errors import NoDriverFaceError, ProfileError
from facepuppet.profile import DriverNeutral, neutral_from, restlessness
from facepuppet.track.tracker import Tracker
from facepuppet.types import Tracking

CALM_SHARE = 0.15  # of the frames with a face, the calmest
MIN_FRAMES = 5
MAX_RESTLESSNESS = 0.55  # a turned head, an open mouth or shut eyes lie beyond


def track_source(
    source: Source, seconds: float, progress: Callable[[float], None] | None = None
) -> list[Tracking]:
    """Track up to `seconds` of a source (by its own time), every frame.

    Args:
        source: camera or recording.
        seconds: how long to look.
        progress: told the seconds seen so far.
    """
    trackings: list[Tracking] = []
    with closing(Tracker(live=False)) as tracker:
        first_ns: int | None = None
        while (frame := source.read()) is not None:
            seen_ns = frame.captured_ns if frame.pts_s is None else round(frame.pts_s * 1e9)
            first_ns = seen_ns if first_ns is None else first_ns
            elapsed_s = (seen_ns - first_ns) / 1e9
            if elapsed_s > seconds:
                break
            trackings.append(tracker.track(frame))
            if progress is not None:
                progress(elapsed_s)
    return trackings


def resting_face(trackings: Sequence[Tracking], description: str) -> DriverNeutral:
    """Take the median of the calmest frames as the driver at rest.

    Args:
        trackings: of one person, a few seconds or more.
        description: what was looked at, for error texts.

    Raises:
        NoDriverFaceError: fewer than five frames show a face.
        ProfileError: even the calmest frames are not at rest.
    """
    faces = [tracking for tracking in trackings if tracking.face is not None]
    if len(faces) < MIN_FRAMES:
        raise NoDriverFaceError(
            f"{description} with a face in {len(faces)} of {len(trackings)} frames",
            f"a face in at least {MIN_FRAMES}",
            "Sit in the light, face the camera, and try again.",
        )
    unrest = restlessness(faces)
    calmest = np.argsort(unrest, kind="stable")[: max(MIN_FRAMES, round(CALM_SHARE * len(faces)))]
    if np.median(unrest[calmest]) > MAX_RESTLESSNESS:
        raise ProfileError(
            f"{description}, in which even the calmest frames show a turned head, an open mouth or shut eyes "
            f"(restlessness {np.median(unrest[calmest]):.2f})",
            f"some frames at rest (at most {MAX_RESTLESSNESS})",
            "Look straight into the camera for a second, mouth shut, eyes open.",
        )
    return neutral_from([faces[i] for i in calmest])
