"""Motion as time series, and how well one follows another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facepuppet.core import F32, F64, Floats, euler_from_rotation, head_from_image
from facepuppet.face import (
    EYES,
    OUTER_CORNERS,
    eye_openings,
    fit_head,
    gaze_angles,
    iris_position,
    mouth_gap,
    mouth_width,
)

CHANNELS = (
    *("yaw", "pitch", "roll", "mouth_open", "mouth_width"),
    *("eye_left", "eye_right", "gaze_x", "gaze_y", "brow"),
)
GAZE_ANGLES = ("gaze_yaw", "gaze_pitch")
NEUTRAL_PERCENTILE = 70.0  # of the apertures of a clip: relaxed open eyes
BLINK_SHARE = 0.45  # a true blink takes the driver's aperture under this share of neutral …
CLOSED_SHARE = 0.50  # … and the output's lids count as closed under this one
OPEN_SHARE = 0.60  # gaze is compared where both eyes of both are at least this open
BLINK_SLACK = 1  # frames that the output may be early or late
MIN_FRAMES = 8

Series = Mapping[str, F64]


def channels_of(landmarks_px: F32) -> dict[str, F64]:
    """Series (N,) of every channel from landmarks (N, 478, 3); NaN where they are NaN.

    Angles in radians (signs as in `facepuppet.core.types`); mouth and brow in inter-ocular distances in the
    head frame; eyes as aperture over width, image-left first; gaze_x and gaze_y as the irises' place in
    the picture plane, in eye widths; gaze_yaw and gaze_pitch as angles relative to the head.
    """
    names = CHANNELS + GAZE_ANGLES
    table = np.full((len(landmarks_px), len(names)), np.nan)
    for row, points in zip(table, landmarks_px, strict=True):
        if not np.isnan(points[0, 0]):
            row[:] = _measure(points)
    return dict(zip(names, table.T, strict=True))


def _measure(points: F32) -> list[float]:
    pose = fit_head(points)
    head = head_from_image(points, pose).astype(np.float32)
    brow = np.mean([head[[eye.outer, eye.inner], 1].mean() - head[eye.brow_lower, 1].mean() for eye in EYES])
    return [
        *euler_from_rotation(pose.rotation),
        mouth_gap(head),
        mouth_width(head),
        *eye_openings(head).tolist(),
        *iris_position(points).mean(0).tolist(),
        float(brow),
        *gaze_angles(head, pose.rotation.astype(np.float32)).tolist(),
    ]


def correlation(driver: Floats, output: Floats) -> float:
    """Pearson correlation over the frames that both have; NaN when too few, or when one stands still."""
    a, b = _common(driver, output)
    if len(a) < MIN_FRAMES or a.std() < 1e-9 or b.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def gain(driver: Floats, output: Floats) -> float:
    """Standard deviation of the output over the driver's."""
    a, b = _common(driver, output)
    if len(a) < MIN_FRAMES or a.std() < 1e-9:
        return float("nan")
    return float(b.std() / a.std())


def centred(values: Floats) -> F64:
    """Deviations from the clip's own mean, so that clips can be pooled without their levels counting."""
    return np.asarray(values - np.nanmean(values)) if np.isfinite(values).any() else np.asarray(values)


def neutral_opening(series: Series) -> float:
    """Mean aperture of both relaxed eyes."""
    return float(np.nanpercentile(_opening(series), NEUTRAL_PERCENTILE))


def both_open(driver: Series, output: Series) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Frames (N,) in which driver and output have both eyes open enough for a gaze."""
    open_ = np.ones(len(driver["yaw"]), bool)
    for series in (driver, output):
        neutral = neutral_opening(series)
        open_ &= (series["eye_left"] > OPEN_SHARE * neutral) & (series["eye_right"] > OPEN_SHARE * neutral)
    return open_


@dataclass(frozen=True, slots=True)
class Blinks:
    """True blinks of a driver and what became of them.

    Attributes:
        frames: the frame of each at which the driver's eyes are most shut.
        deepest: the driver's aperture there over the driver's neutral.
        output: the output's least aperture during the blink over the output's neutral.
    """

    frames: tuple[int, ...]
    deepest: tuple[float, ...]
    output: tuple[float, ...]

    @property
    def closed(self) -> int:
        """In how many of them the output's lids closed."""
        return sum(opening < CLOSED_SHARE for opening in self.output)


def find_blinks(driver: Series, output: Series) -> Blinks:
    """Find where the driver's mean aperture falls under BLINK_SHARE of neutral, and look at the output."""
    true = _opening(driver) / neutral_opening(driver)
    shown = _opening(output) / neutral_opening(output)
    frames, deepest, reached = [], [], []
    for start, end in _runs(true < BLINK_SHARE):
        low = start + int(np.nanargmin(true[start:end]))
        window = shown[max(start - BLINK_SLACK, 0) : end + BLINK_SLACK]
        frames.append(low)
        deepest.append(float(true[low]))
        reached.append(float(np.nanmin(window)) if np.isfinite(window).any() else float("inf"))
    return Blinks(tuple(frames), tuple(deepest), tuple(reached))


def jitter(landmarks_px: F32) -> float:
    """Median length of the second differences of all landmarks over time, in inter-ocular distances."""
    across = np.diff(landmarks_px[:, OUTER_CORNERS, :2], axis=1)
    unit = np.nanmedian(np.linalg.norm(across, axis=-1))
    second = np.diff(landmarks_px[..., :2].astype(np.float64), n=2, axis=0)
    return float(np.nanmedian(np.linalg.norm(second, axis=-1)) / unit)


def landmark_distance(truth_px: Floats, output_px: Floats) -> float:
    """Mean distance of (478, 2+) landmarks over the truth's inter-ocular distance; NaN when either is."""
    truth, output = np.asarray(truth_px)[:, :2], np.asarray(output_px)[:, :2]
    unit = np.linalg.norm(np.subtract(*truth[OUTER_CORNERS]))
    return float(np.linalg.norm(truth - output, axis=1).mean() / unit)


def _opening(series: Series) -> F64:
    return (series["eye_left"] + series["eye_right"]) / 2


def _common(a: Floats, b: Floats) -> tuple[F64, F64]:
    seen = np.isfinite(a) & np.isfinite(b)
    return np.asarray(a[seen], np.float64), np.asarray(b[seen], np.float64)


def _runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each stretch of true flags."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))
