"""Whole runs of both trackers on a clip: how far apart they are, and how each trembles."""

from __future__ import annotations

import numpy as np

from facepuppet.core import F32, U8, Frame
from facepuppet.drivers import Tracker, Tracking
from facepuppet.vision import face_box, tracking_models

FACE_PX = 200.0  # the face that lengths are told of
_FRAME_NS = 40_000_000


def print_row(name: object, *cells: object) -> None:
    """Print a row of a table: numbers with four digits after the point."""
    told = (f"{cell:.4f}" if isinstance(cell, float | np.floating) else str(cell) for cell in cells)
    print(f"{name!s:<16.16}", *(f"{text:>9}" for text in told))


def apart(ours: F32, theirs: F32) -> F32:
    """(478, 2): distances in the picture and in depth, as of a face of FACE_PX."""
    off = (ours - theirs) * (FACE_PX / face_box(theirs).size_px)
    return np.stack([np.linalg.norm(off[:, :2], axis=1), np.abs(off[:, 2])], axis=1)


def print_runs(clips: dict[str, list[U8]]) -> None:
    """Run either tracker over each clip, and print a table."""
    print()
    print_row(
        "followed", "frames", "faces M", "ours", "mean", "p99", "max", "shoulders",
        "jitter M", "ours", "should. M", "ours",
    )  # fmt: skip
    for name, frames in clips.items():
        runs = [_followed(frames, tracker) for tracker in ("mediapipe", "builtin")]
        faces = [[each.face is not None for each in run].count(True) for run in runs]
        both = [pair for pair in zip(*runs, strict=True) if all(each.face and each.torso for each in pair)]
        if len(both) < 3:
            print_row(name, len(frames), *faces, "too few frames with face and shoulders")
            continue
        landmarks = [[each.face.landmarks_px for each in side] for side in zip(*both, strict=True)]
        scales = np.array([FACE_PX / face_box(each).size_px for each in landmarks[0]])[:, None, None]
        shoulders = [np.array([each.torso.shoulders_px for each in side]) for side in zip(*both, strict=True)]
        off = np.array([apart(b, a)[:, 0] for a, b in zip(*landmarks, strict=True)])
        shoulders_off = (np.linalg.norm(shoulders[0] - shoulders[1], axis=2) * scales[..., 0]).max(axis=1)
        print_row(
            name, len(frames), *faces, off.mean(), np.percentile(off, 99), off.max(),
            np.median(shoulders_off),
            *(jitter(np.array(side)[..., :2] * scales) for side in landmarks),
            *(jitter(side * scales) for side in shoulders),
        )  # fmt: skip


def jitter(points: F32) -> float:
    """Median length of the second difference of (T, N, 2) points over time."""
    return float(np.median(np.linalg.norm(np.diff(points, 2, axis=0), axis=2)))


def _followed(frames: list[U8], tracker: str) -> list[Tracking]:
    """Track a clip as a driver's camera, with shoulders in each frame."""
    with Tracker(models=tracking_models(tracker)) as tracking:
        return [tracking.track(Frame(rgb, i, i * _FRAME_NS)) for i, rgb in enumerate(frames)]
