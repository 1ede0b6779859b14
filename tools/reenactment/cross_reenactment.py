"""A portrait driven by somebody else, as users do it: motion, identity and sharpness of the output."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facepuppet.core.types import U8
from facepuppet.portrait.avatar import Avatar
from reenactment import channels, pictures
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
    driver, output = channels.channels_of(take.landmarks_px), channels.channels_of(tracked)
    open_ = channels.both_open(driver, output)
    metrics: dict[str, float] = {}
    for name in channels.CHANNELS:
        where = open_ if name.startswith("gaze") else np.ones_like(open_)
        metrics[f"corr_{name}"] = channels.correlation(driver[name][where], output[name][where])
        metrics[f"gain_{name}"] = channels.gain(driver[name][where], output[name][where])
    metrics["corr"] = float(np.nanmean([metrics[f"corr_{name}"] for name in channels.CHANNELS]))
    metrics["jitter"] = channels.jitter(tracked) / channels.jitter(take.landmarks_px)
    seen = np.flatnonzero(np.isfinite(tracked[:, 0, 0]))
    chosen = seen[np.linspace(0, len(seen) - 1, min(JUDGED_FRAMES, len(seen))).astype(int)].tolist()
    source = identity.of(avatar.portrait_rgb, avatar.landmarks_px)
    metrics["identity"] = float(np.mean([identity.of(outputs[n], tracked[n]) @ source for n in chosen]))
    own = pictures.face_sharpness(avatar.portrait_rgb, avatar.landmarks_px)
    sharp = [pictures.face_sharpness(outputs[n], tracked[n]) for n in chosen]
    metrics["sharpness"] = float(np.median(sharp) / own)
    metrics["lost"] = float(len(outputs) - len(seen))
    return metrics, outputs
