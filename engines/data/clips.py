"""Clips of one person, cropped to a steady square around the head and tracked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engines.data.people import TrainingDataError
from facepuppet.core import F32, U8, Frame
from facepuppet.drivers import Tracker, Tracking
from facepuppet.media import open_source

SIDE_PX = 512
FACE_REACH = 2.6  # side of the square in face heights
MIN_FACES = 10


@dataclass(frozen=True, slots=True)
class FaceClip:
    """Frames of one person in one square.

    Attributes:
        name: file stem.
        frames: (512, 512, 3) uint8 RGB each.
        landmarks_px: (478, 3) float32 each, in the square.
        shoulders_px: (2, 2) float32 each, or None where they were not seen.
    """

    name: str
    frames: Sequence[U8]
    landmarks_px: Sequence[F32]
    shoulders_px: Sequence[F32 | None]


def load_clip(path: Path, max_frames: int = 600) -> FaceClip:
    """Decode, track and crop a clip; frames without a face are left out.

    Args:
        path: a video.
        max_frames: longer clips are thinned out evenly.

    Raises:
        TrainingDataError: fewer than ten frames show a face.
        CaptureError: it cannot be decoded.
    """
    frames, trackings = _track(path, max_frames)
    if len(frames) < MIN_FACES:
        raise TrainingDataError(
            f"{path.name} with a face in {len(frames)} frames",
            f"one person's face in at least {MIN_FACES}",
            "Leave the clip out, or crop it to the face.",
        )
    landmarks = [tracking.face.landmarks_px for tracking in trackings if tracking.face is not None]
    square_from_image = _square(landmarks, frames[0].shape[1], frames[0].shape[0])
    scale, offset = square_from_image[0, 0], square_from_image[:, 2]
    # Centres of pixels: cv2.warpAffine samples at them, MediaPipe counts from the corner of the first one.
    matrix = square_from_image.copy()
    matrix[:, 2] += 0.5 * scale - 0.5
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return FaceClip(
        path.stem,
        [_cut(frame, matrix, flags) for frame in frames],
        [_moved(points, scale, offset) for points in landmarks],
        [
            None if t.torso is None or t.torso.confidence < 0.5 else t.torso.shoulders_px * scale + offset
            for t in trackings
        ],
    )


def _track(path: Path, max_frames: int) -> tuple[list[U8], list[Tracking]]:
    frames: list[U8] = []
    trackings: list[Tracking] = []
    with open_source(path) as source, Tracker(live=False, torso_every=3) as tracker:
        every = max(1, -(-(source.n_frames or 1) // max_frames))
        index = 0
        while (frame := source.read()) is not None:
            tracking = tracker.track(Frame(frame.rgb, index, round(index * 1e9 / 25)))
            if tracking.face is not None and index % every == 0:
                frames.append(frame.rgb)
                trackings.append(tracking)
            index += 1
    return frames, trackings


def _square(landmarks: list[F32], width: int, height: int) -> F32:
    """square_from_image (2, 3): around all faces, inside the picture, of SIDE_PX."""
    points = np.stack(landmarks)[..., :2]
    low, high = points.min(1), points.max(1)
    face = float(np.median((high - low)[:, 1]))
    centre = (np.median(low, 0) + np.median(high, 0)) / 2
    extent = float((np.percentile(high, 98, axis=0) - np.percentile(low, 2, axis=0)).max())
    side = min(max(FACE_REACH * face, 1.3 * extent), width, height)
    corner = np.clip(centre - side / 2, 0, (width - side, height - side))
    scale = SIDE_PX / side
    return np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]], np.float32)


def _cut(frame: U8, matrix: F32, flags: int) -> U8:
    if flags == cv2.INTER_AREA:  # warpAffine has no area filter: cut first, then reduce
        scale = matrix[0, 0]
        x, y = np.rint(-matrix[:, 2] / scale).astype(int).clip(0)
        side = round(SIDE_PX / scale)
        cut = frame[y : y + side, x : x + side]
        return np.asarray(cv2.resize(cut, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(
        cv2.warpAffine(frame, matrix, (SIDE_PX, SIDE_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _moved(points: F32, scale: float, offset: F32) -> F32:
    moved = points * np.float32(scale)
    moved[:, :2] += offset
    return moved
