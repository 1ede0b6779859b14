"""A portrait driven by somebody else, as users do it: motion, identity and sharpness of the output."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facepuppet.core import U8
from facepuppet.portrait import Avatar
from reenactment import motion_series, picture_scores
from reenactment.identity import Identity
from reenactment.puppets import perform, retargeted
from reenactment.takes import Take, retrack

JUDGED_FRAMES = 10


def cross_reenact(
    take: Take, avatar: Avatar, engines: Path, identity: Identity
) -> tuple[dict[str, float], list[U8]]:
    """Metrics of one portrait performing one clip, and its pictures.

    `corr_X` and `gain_X` are Pearson correlation and ratio of standard deviations of channel X, driver and
    output tracked apart; gaze only where both have their eyes open.
    """
    outputs = perform(avatar, retargeted(avatar, take), engines)
    tracked = retrack(outputs, take.fps)
    driver, output = motion_series.channels_of(take.landmarks_px), motion_series.channels_of(tracked)
    open_ = motion_series.both_open(driver, output)
    metrics: dict[str, float] = {}
    for name in motion_series.CHANNELS:
        where = open_ if name.startswith("gaze") else np.ones_like(open_)
        metrics[f"corr_{name}"] = motion_series.correlation(driver[name][where], output[name][where])
        metrics[f"gain_{name}"] = motion_series.gain(driver[name][where], output[name][where])
    metrics["corr"] = float(np.nanmean([metrics[f"corr_{name}"] for name in motion_series.CHANNELS]))
    metrics["jitter"] = motion_series.jitter(tracked) / motion_series.jitter(take.landmarks_px)
    seen = np.flatnonzero(np.isfinite(tracked[:, 0, 0]))
    chosen = seen[np.linspace(0, len(seen) - 1, min(JUDGED_FRAMES, len(seen))).astype(int)].tolist()
    source = identity.of(avatar.portrait_rgb, avatar.landmarks_px)
    metrics["identity"] = float(np.mean([identity.of(outputs[n], tracked[n]) @ source for n in chosen]))
    own = picture_scores.face_sharpness(avatar.portrait_rgb, avatar.landmarks_px)
    sharp = [picture_scores.face_sharpness(outputs[n], tracked[n]) for n in chosen]
    metrics["sharpness"] = float(np.median(sharp) / own)
    metrics["lost"] = float(len(outputs) - len(seen))
    return metrics, outputs
