"""Video files as a source of driver pictures."""

from __future__ import annotations

from pathlib import Path

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.types import Frame
from facepuppet.media.source import Source
from facepuppet.media.video_frame import rgb_of
from facepuppet.media.video_reader import VideoReader


class VideoSource(Source):
    """A video file.

    Frames come as they are shown (turned upright, in square pixels) and carry their own presentation
    time from the container's start, so variable frame rates stay true. Damaged packets are skipped
    and counted in `damaged`.

    Raises:
        MediaUnreadableError: missing, not a video, or without a single frame.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._reader = reader = VideoReader(path)
        self.description = reader.description
        self.fps = reader.fps
        self.size_px = reader.size_px
        self.live = reader.live
        self.n_frames = reader.n_frames
        self._clock = clock or SystemClock()
        self._next_id = 0

    @property
    def damaged(self) -> int:
        """How many packets were skipped so far."""
        return self._reader.damaged

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end."""
        read = self._reader.read()
        if read is None:
            return None
        frame, pts_s = read
        message = Frame(rgb_of(frame, self._reader.pixel_aspect), self._next_id, self._clock.now_ns(), pts_s)
        self._next_id += 1
        return message

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
