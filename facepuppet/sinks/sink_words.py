"""From what the user typed to the sink it means."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facepuppet.core.clock import Clock
from facepuppet.sinks.buffered import Buffered
from facepuppet.sinks.preview_window import PreviewWindow
from facepuppet.sinks.reopening import Reopening
from facepuppet.sinks.sink import Sink
from facepuppet.sinks.video_file import VideoFile
from facepuppet.sinks.virtual_camera import VirtualCamera

if TYPE_CHECKING:
    from facepuppet.watermark.certificate import Credentials


def open_sink(
    spec: str | Path,
    size_px: tuple[int, int],
    fps: float,
    *,
    audio_from: Path | None = None,
    clock: Clock | None = None,
    credentials: Credentials | None = None,
    waits: bool = False,
) -> Sink:
    """Open whatever a user's word stands for.

    Args:
        spec: "virtual", "virtual:DEVICE" (node or name), "window", or the path of a video file.
        size_px: width and height of the frames that will come.
        fps: nominal rate.
        audio_from: a file whose sound a video file takes over.
        clock: stamps the frames of a live recording, for which nobody waits (`Buffered`); None for a steady
            `fps`, every frame of which is written.
        credentials: who signs a video file's manifest; this machine's own if None.
        waits: a virtual camera that is not there may come later (`Reopening`).

    Raises:
        SinkError: it cannot be opened; the message says what to do.
    """
    word = str(spec)
    if word == "window":
        return PreviewWindow(size_px)
    if word == "virtual" or word.startswith("virtual:"):
        opens = partial(VirtualCamera, size_px, fps, word.partition(":")[2] or None)
        return Reopening(opens, size_px, waits=waits)
    path = Path(spec).expanduser()
    file = VideoFile(path, size_px, fps, audio_from=audio_from, credentials=credentials)
    return file if clock is None else Buffered(file, clock)
