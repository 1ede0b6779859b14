"""Frames of a driver that are worth looking at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from reenactment.motion_series import OPEN_SHARE, Series, channels_of, neutral_opening

from facepuppet.core import F32
from facepuppet.drivers import Face, Tracking, most_neutral


def moments_of(landmarks_px: F32) -> dict[str, int]:
    """Name moments of a driver, and say at which frame each is.

    Args:
        landmarks_px: (N, 478, 3) of every frame, NaN where no face was seen.

    Raises:
        ValueError: no frame shows a face.
    """
    series = channels_of(landmarks_px)
    shut = _mean_opening(series)
    looking = {
        name: np.where(shut > OPEN_SHARE * neutral_opening(series), series[name], np.nan)
        for name in ("gaze_x", "gaze_y")
    }
    wanted: Mapping[str, tuple[np.ndarray, bool]] = {
        "widest mouth": (series["mouth_open"], True),
        "broadest mouth": (series["mouth_width"], True),
        "most shut eyes": (shut, False),
        "farthest turn, image left": (series["yaw"], False),
        "farthest turn, image right": (series["yaw"], True),
        "lowest head": (series["pitch"], True),
        "farthest gaze, image left": (looking["gaze_x"], False),
        "farthest gaze, image right": (looking["gaze_x"], True),
    }
    found = {"rest": _rest(landmarks_px)}
    for name, (values, most) in wanted.items():
        if np.isfinite(values).any():
            found[name] = int(np.nanargmax(values) if most else np.nanargmin(values))
    return found


def _mean_opening(series: Series) -> np.ndarray:
    return np.asarray((series["eye_left"] + series["eye_right"]) / 2)


def _rest(landmarks_px: F32) -> int:
    faces = [None if np.isnan(points[0, 0]) else Face.of(points) for points in landmarks_px]
    return most_neutral([Tracking(face, None, (0, 0), n, n) for n, face in enumerate(faces)])
