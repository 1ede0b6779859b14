"""Video files and streams, decoded by FFmpeg through PyAV."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import MediaUnreadableError
from facepuppet.core.types import U8, Frame
from facepuppet.media.source import Source

MAX_DAMAGED_IN_A_ROW = 200  # packets; past this it is not a damaged video but no video
MAX_PIXELS = 64_000_000  # 8K is 33 million
FILE_OPTIONS = {"protocol_whitelist": "file,crypto,data"}  # a playlist in a file must not reach the network
URL_OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "reconnect": "1", "reconnect_streamed": "1"}
URL_TIMEOUT_S = (10.0, 10.0)  # to open, to read

log = logging.getLogger(__name__)


class VideoSource(Source):
    """A video file, or a stream by URL.

    Frames come upright (rotation metadata applied) and carry their own presentation time from the
    container's start, so variable frame rates stay true. Damaged packets are skipped and counted
    in `damaged`.

    Raises:
        MediaUnreadableError: missing, not a video, or without a single frame.
    """

    def __init__(self, where: Path | str, clock: Clock | None = None) -> None:
        self.description = str(where)
        self.damaged = 0
        self._clock = clock or SystemClock()
        self._closed = False
        self._lock = threading.Lock()  # held while decoding, so that close() cannot pull the file away
        self._next_id = 0
        self._container = _open(where)
        self._frames = self._decode()
        try:
            self._first: av.VideoFrame | None = next(self._frames)
        except StopIteration:
            self.close()
            raise MediaUnreadableError(
                f"{self.description!r}, which holds no decodable video frame",
                "a video with at least one frame",
                "Check that it plays elsewhere, or record it again.",
            ) from None
        self._describe(self._first, is_url=isinstance(where, str))

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end."""
        with self._lock:
            frame = None if self._closed else self._first or next(self._frames, None)
            self._first = None
        if frame is None:
            return None
        pts_s = self._pts_s(frame)
        message = Frame(_upright(frame), self._next_id, self._clock.now_ns(), pts_s)
        self._next_id += 1
        self._last_pts_s = pts_s
        return message

    def close(self) -> None:
        """Close the file or connection."""
        self._closed = True
        with self._lock:
            self._container.close()

    def _describe(self, first: av.VideoFrame, *, is_url: bool) -> None:
        stream = self._container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        self.fps = float(rate) if rate else None
        height, width = _upright(first).shape[:2]
        self.size_px = (width, height)
        duration_s = (self._container.duration or 0) / av.time_base
        self.live = is_url and duration_s <= 0
        self.n_frames = stream.frames or (round(duration_s * self.fps) if self.fps and duration_s else None)
        self._start_s = (self._container.start_time or 0) / av.time_base
        self._last_pts_s = -1.0 / (self.fps or 30.0)

    def _pts_s(self, frame: av.VideoFrame) -> float:
        expected = self._last_pts_s + 1.0 / (self.fps or 30.0)
        if frame.pts is None:
            return expected
        pts_s = float(frame.time) - self._start_s
        return pts_s if pts_s > self._last_pts_s else expected  # damage can turn time back

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Yield every decodable frame; damage is skipped."""
        self._container.streams.video[0].thread_type = "AUTO"
        in_a_row = 0
        while in_a_row < MAX_DAMAGED_IN_A_ROW:
            try:
                # A demuxer that raised is spent; a new one goes on where it stopped.
                for packet in self._container.demux(self._container.streams.video[0]):
                    for frame in packet.decode():
                        in_a_row = 0
                        yield frame
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                in_a_row += 1
                self.damaged += 1
                log.warning("%s: skipped damaged data (%s)", self.description, error)
        log.warning("%s: gave up after %d damaged packets in a row", self.description, in_a_row)


def _open(where: Path | str) -> av.container.InputContainer:
    """Open a file (Path) or a URL (str); there is a video stream in what is returned."""
    try:
        if isinstance(where, Path):
            container = av.open(str(where), options=FILE_OPTIONS)
        else:
            container = av.open(where, options=URL_OPTIONS, timeout=URL_TIMEOUT_S)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaUnreadableError(
            f"{str(where)!r}, which cannot be opened ({error})",
            "a video that FFmpeg can decode, such as MP4, MOV, MKV or WebM",
            "Check the name, and that it plays elsewhere.",
        ) from error
    if not container.streams.video:
        container.close()
        raise MediaUnreadableError(
            f"{str(where)!r}, which has no video stream",
            "a video, not only sound",
            "Choose another file.",
        )
    width, height = container.streams.video[0].width, container.streams.video[0].height
    if width * height > MAX_PIXELS:
        container.close()
        raise MediaUnreadableError(
            f"{str(where)!r}, whose frames are {width}x{height}",
            f"at most {MAX_PIXELS // 1_000_000} megapixels",
            "Scale it down first; a face needs no more than 1280x720.",
        )
    return container


def _upright(frame: av.VideoFrame) -> U8:
    """Return the (H, W, 3) RGB picture turned as its rotation metadata asks."""
    rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise, as np.rot90 counts
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns)) if quarter_turns else rgb
