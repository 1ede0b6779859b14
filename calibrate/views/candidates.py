"""Faces in the pictures and videos that a user gives beside the portrait."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from facepuppet.core import F32, U8, NoFaceError, PortraitError
from facepuppet.drivers import FaceFollower
from facepuppet.media import load_picture, open_source
from facepuppet.portrait import FaceView, centred, find_the_face

MAX_VIDEO_S = 30.0
_PER_SECOND = 6.0  # frames of a video that are looked at
_MAX_FRAMES = 180
_ROUNDING_S = 1e-3  # time stamps are rounded to the file's clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face in a picture.

    Attributes:
        name: of the file, with the time within it for videos.
        rgb: (H, W, 3) uint8 RGB.
        landmarks_px: (478, 3) float32 in the picture.
    """

    name: str
    rgb: U8
    landmarks_px: F32


def read_picture(path: Path) -> Candidate:
    """Find the one face of a still picture.

    Raises:
        ImageUnreadableError: it cannot be read.
        PortraitError: it shows no face, several, or one too small or turned away; the file is named.
    """
    rgb = load_picture(path)
    try:
        face = find_the_face(rgb)
    except PortraitError as error:
        raise type(error)(f"{path.name}: {error.got}", error.expected, error.todo) from error
    return Candidate(path.name, rgb, face.landmarks_px)


def read_video(path: Path) -> list[Candidate]:
    """Follow the face of a video for half a minute, six times a second.

    Raises:
        MediaUnreadableError: it cannot be decoded.
        NoFaceError: no frame shows a face.
    """
    found = list(_followed(path))
    if not found:
        raise NoFaceError(
            f"{path.name}, a video in which no face was found",
            "a few seconds of the portrait's person, near the camera",
            "Leave it out, or record another.",
        )
    return found


def read_again(followed: Candidate) -> Candidate:
    """Read a followed face as a portrait's is read: as the mean of the picture and its mirror image."""
    face = centred(followed.rgb, FaceView.of(followed.landmarks_px))
    return followed if face is None else replace(followed, landmarks_px=face.landmarks_px)


def _followed(path: Path) -> Iterator[Candidate]:
    with open_source(path) as source, closing(FaceFollower()) as follower:
        due_s, count = 0.0, 0
        while (frame := source.read()) is not None and count < _MAX_FRAMES:
            now_s = frame.pts_s if frame.pts_s is not None else frame.frame_id / (source.fps or 30.0)
            if now_s > MAX_VIDEO_S:
                log.warning("%s: only its first %.0f s are looked at", path.name, MAX_VIDEO_S)
                return
            if now_s < due_s - _ROUNDING_S:
                continue
            due_s, count = now_s + 1.0 / _PER_SECOND, count + 1
            landmarks_px = follower.follow(frame.rgb, round(now_s * 1e9))
            if landmarks_px is not None:
                yield Candidate(f"{path.name} at {now_s:.1f} s", frame.rgb, landmarks_px)
