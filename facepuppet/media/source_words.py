"""From what the user typed to the source it means."""

from __future__ import annotations

from pathlib import Path

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import MediaUnreadableError
from facepuppet.media.file_kinds import is_picture
from facepuppet.media.image_source import ImageSource
from facepuppet.media.looped_video import LoopedVideo
from facepuppet.media.network_source import NetworkSource
from facepuppet.media.source import Source
from facepuppet.media.video_source import VideoSource
from facepuppet.media.webcam import Webcam

LOOP = "loop:"  # before a file's name


def open_source(
    spec: str | int | Path,
    *,
    size_px: tuple[int, int] = (1280, 720),
    fps: float = 30.0,
    clock: Clock | None = None,
) -> Source:
    """Open whatever a user's word stands for.

    Args:
        spec: camera index (0, "0"), "camera:NAME" or a device node, a video file, an image, a
            folder of images, or a URL (http, rtsp, …), which is the only thing ever fetched;
            "loop:FILE" plays a file over and over, as if it were a camera.
        size_px: width and height asked of a camera.
        fps: rate asked of a camera, and given to images.
        clock: stamps the frames.

    Raises:
        CaptureError: it is missing, busy or cannot be decoded; the message says what to do.
    """
    if isinstance(spec, int) or (isinstance(spec, str) and spec.isdigit()):
        return Webcam(int(spec), size_px, fps, clock=clock)
    if isinstance(spec, str) and spec.startswith("camera:"):
        name = spec.removeprefix("camera:")
        return Webcam(int(name) if name.isdigit() else name, size_px, fps, clock=clock)
    if isinstance(spec, str) and spec.startswith(LOOP):
        word = spec.removeprefix(LOOP)
        return LoopedVideo(lambda: open_source(word, fps=fps, clock=clock), clock or SystemClock())
    if isinstance(spec, str) and "://" in spec:
        return NetworkSource(spec, clock)
    path = Path(spec).expanduser()
    if path.is_char_device():
        return Webcam(str(path), size_px, fps, clock=clock)
    if path.is_dir() or is_picture(path):
        return ImageSource(path, fps, clock)
    if not path.exists():
        raise MediaUnreadableError(
            f"{str(spec)!r}, which does not exist",
            "a camera index, camera:NAME, a video, an image, a folder or a URL",
            "Check the name; `facepuppet devices` lists cameras.",
        )
    return VideoSource(path, clock)
