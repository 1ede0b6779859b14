"""Frames for the detector: the luma of what the sources of drivers read, and of the screen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core.errors import CaptureError, ImageUnreadableError, WatermarkError
from facepuppet.core.types import U8
from facepuppet.media.file_kinds import is_picture
from facepuppet.media.image_source import images_in, nothing_readable, readable
from facepuppet.media.pictures import load_luma
from facepuppet.media.source_words import open_source
from facepuppet.media.video_frame import luma_of
from facepuppet.media.video_reader import VideoReader

_SEQUENCE_FPS = 30.0


@dataclass(frozen=True, slots=True)
class LumaFrame:
    """One frame to examine.

    Attributes:
        luma: (H, W) uint8.
        t_s: presentation time.
        progress: share of the source that is done, or None when it has no end.
    """

    luma: U8
    t_s: float
    progress: float | None


def open_luma_frames(source: str | Path) -> Iterator[LumaFrame]:
    """Yield the frames of a video file, an image, a folder of images, `camera:N` or `screen[:X,Y,W,H]`.

    Raises:
        WatermarkError: it cannot be read or holds no picture.
    """
    try:
        yield from _frames(source)
    except (CaptureError, ImageUnreadableError) as error:
        raise WatermarkError(error.got, error.expected, error.todo) from error


def _frames(source: str | Path) -> Iterator[LumaFrame]:
    name, path = str(source), Path(source)
    if name.startswith("camera:"):
        return _camera(name)
    if name == "screen" or name.startswith("screen:"):
        return _screen(name)
    if path.is_dir():
        return _sequence(path)
    if not path.exists():
        raise WatermarkError(
            f"no file at {path}", "a video, an image or a folder of images", "Check the path."
        )
    if is_picture(path):
        return iter([LumaFrame(load_luma(path), 0.0, 1.0)])
    return _video(path)


def _sequence(folder: Path) -> Iterator[LumaFrame]:
    paths, seen = images_in(folder), False
    for place, luma in readable(paths, load_luma):
        seen = True
        yield LumaFrame(luma, place / _SEQUENCE_FPS, (place + 1) / len(paths))
    if not seen:
        raise nothing_readable(folder)


def _video(path: Path) -> Iterator[LumaFrame]:
    with closing(VideoReader(path)) as reader:
        while (read := reader.read()) is not None:
            frame, t_s = read
            progress = min(1.0, t_s / reader.duration_s) if reader.duration_s else None
            yield LumaFrame(luma_of(frame, reader.pixel_aspect), t_s, progress)


def _camera(name: str) -> Iterator[LumaFrame]:
    with open_source(name) as camera:
        while (frame := camera.read()) is not None:
            luma = np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
            yield LumaFrame(luma, frame.captured_ns * 1e-9, None)


def _screen(name: str) -> Iterator[LumaFrame]:
    from PIL import ImageGrab  # touches the display, so only when a screen is asked for

    box = _screen_box(name)
    while True:
        try:
            picture = ImageGrab.grab(bbox=box)
        except (OSError, ValueError) as error:
            raise WatermarkError(
                f"no picture of the screen ({error})", "a graphical session", "Record it to a file."
            ) from error
        yield LumaFrame(np.asarray(picture.convert("L"), np.uint8), time.monotonic(), None)


def _screen_box(name: str) -> tuple[int, int, int, int] | None:
    if name == "screen":
        return None
    try:
        x, y, width, height = (int(part) for part in name.removeprefix("screen:").split(","))
    except ValueError as error:
        raise WatermarkError(
            f"the source {name}", "screen:X,Y,W,H in pixels", "For example screen:0,0,1280,720"
        ) from error
    return x, y, x + width, y + height
