"""Frames for the detector from files, folders, cameras and the screen, without the rest of the product."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
_LUMA_FIRST = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"}
_SEQUENCE_FPS = 30.0
_MAX_PIXELS = 64_000_000


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
    """Return the frames of a video file, an image, a folder of images, `camera:N` or `screen[:X,Y,W,H]`.

    Raises:
        WatermarkError: it cannot be read or holds no picture.
    """
    name = str(source)
    if name.startswith("camera:"):
        return _camera(name)
    if name == "screen" or name.startswith("screen:"):
        return _screen(name)
    path = Path(source)
    if path.is_dir():
        return _sequence(path)
    if not path.exists():
        raise WatermarkError(
            f"no file at {path}", "a video, an image or a folder of images", "Check the path."
        )
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return iter([LumaFrame(_image(path), 0.0, 1.0)])
    return _video(path)


def _image(path: Path) -> U8:
    try:
        with Image.open(path) as header:
            _check_size(*header.size)
        luma = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error, Image.DecompressionBombError):
        luma = None
    if luma is None:
        raise WatermarkError(
            f"{path}, which is not a readable picture", "a PNG, JPEG or WebP image", "Check the file."
        )
    return np.asarray(luma, np.uint8)


def _check_size(width: int, height: int) -> None:
    if width * height > _MAX_PIXELS:
        raise WatermarkError(f"a picture of {width}x{height}", "at most 64 megapixels", "Scale it down.")


def _sequence(folder: Path) -> Iterator[LumaFrame]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise WatermarkError(
            f"the folder {folder} without images", "PNG, JPEG or WebP frames", "Check the folder."
        )
    for index, path in enumerate(paths):
        yield LumaFrame(_image(path), index / _SEQUENCE_FPS, (index + 1) / len(paths))


def _video(path: Path) -> Iterator[LumaFrame]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise WatermarkError(
                    f"{path} without a video stream", "a file with pictures", "Check the file."
                )
            yield from _decode(container, path)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WatermarkError(
            f"{path}, which cannot be decoded ({reason})", "a playable video", "Check the file."
        ) from error


def _decode(container: av.container.InputContainer, path: Path) -> Iterator[LumaFrame]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    fps = float(stream.average_rate or _SEQUENCE_FPS)
    duration_s = container.duration / av.time_base if container.duration else None
    last_s, n_frames = -1.0 / fps, 0
    try:
        for frame in container.decode(stream):
            _check_size(frame.width, frame.height)
            t_s = frame.time if frame.time is not None and frame.time > last_s else last_s + 1 / fps
            last_s, n_frames = t_s, n_frames + 1
            yield LumaFrame(
                _upright(_luma(frame), frame.rotation),
                t_s,
                min(1.0, t_s / duration_s) if duration_s else None,
            )
    except av.FFmpegError:
        if n_frames == 0:
            raise
    if n_frames == 0:
        raise WatermarkError(f"{path} without a single frame", "a playable video", "Check the file.")


def _luma(frame: av.VideoFrame) -> U8:
    """Return the luma plane as it is where there is an 8-bit one, else a conversion."""
    if frame.format.name in _LUMA_FIRST:
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return np.asarray(rows[: frame.height, : frame.width], np.uint8)
    return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def _upright(luma: U8, rotation_deg: int) -> U8:
    """Turn a picture as its display matrix asks (counter-clockwise), for quarter turns."""
    return np.rot90(luma, round(rotation_deg / 90) % 4)


def _camera(name: str) -> Iterator[LumaFrame]:
    index = name.removeprefix("camera:")
    if not index.isdigit():
        raise WatermarkError(
            f"the source {name}", "camera:0, camera:1, …", "List the cameras: facepuppet devices"
        )
    capture = cv2.VideoCapture(int(index))
    try:
        while True:
            ok, bgr = capture.read()
            if not ok:
                raise WatermarkError(
                    f"no picture from {name}", "a working camera", "List the cameras: facepuppet devices"
                )
            yield LumaFrame(
                np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8), time.monotonic(), None
            )
    finally:
        capture.release()


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
