"""Videos and streams, decoded by FFmpeg through PyAV: the one place that opens them and tells times."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from facepuppet.core.errors import MediaUnreadableError
from facepuppet.media.formats import MAX_PIXELS, ffmpeg_name
from facepuppet.media.pixel_aspect import sane_aspect
from facepuppet.media.video_frame import upright_size_px

ONE_THREAD_PIXELS = 1280 * 720  # of a frame that one thread decodes as fast as needs be, and a tenth cheaper
MAX_DAMAGED_IN_A_ROW = 200  # packets; past this it is not a damaged video but no video
FILE_OPTIONS = {"protocol_whitelist": "file,crypto,data"}  # a playlist in a file must not reach the network
# FFmpeg resumes a recording where the connection broke; a live stream is opened anew (network_source.py).
URL_OPTIONS = {"rtsp_transport": "tcp", "reconnect": "1"}
URL_TIMEOUT_S = (10.0, 10.0)  # to open, to read
# Titles that are not UTF-8 must not fail a video; since PyAV 19 none does, and the word is gone.
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
LOST = (OSError, av.error.ExitError, av.error.HTTPError)  # reading from the network; ExitError: timed out
USUAL_FPS = 30.0  # where a container does not tell
# Animations tell delays that no browser ever kept to: up to 10 ms they show a picture for 100 ms.
ANIMATIONS = {"gif", "apng"}
HASTY_S, UNHURRIED_S = 0.0105, 0.1
FASTEST_FPS = 50.0  # of an animation without such delays

log = logging.getLogger(__name__)


class VideoReader:
    """The frames of a video file (Path), or of a stream by URL (str), as the decoder gives them.

    Damaged packets are skipped and counted in `damaged`. Times are in seconds from the container's
    start, as it tells them (of animated pictures, as browsers take it), never lie before it, and always
    rise. One thread reads; close() may be called from another. A connection that is lost is the end;
    `lost` tells why.

    Attributes:
        size_px: width and height of the first frame as it is shown: upright, in square pixels.
        pixel_aspect: of a stored pixel, width over height.
        fps: nominal frames a second; None when unknown.
        duration_s: None when unknown or endless.
        n_frames: how many frames there will be, perhaps estimated; None when unknown or endless.
        live: True for a stream without an end.
        damaged: how many packets were skipped so far.
        lost: why the connection ended before the stream did; None as long as it did not.

    Raises:
        MediaUnreadableError: missing, not a video, too large, or without a single frame.
    """

    def __init__(self, where: Path | str) -> None:
        self.description = str(where)
        self.damaged = 0
        self.lost: Exception | None = None
        self._is_url = isinstance(where, str)
        self._closed = False
        self._lock = threading.Lock()  # held while decoding, so that close() cannot pull the file away
        self._container = _open_video(where)
        self._frames = self._decode()
        self._first: av.VideoFrame | None = next(self._frames, None)
        if self._first is None:
            self.close()
            raise MediaUnreadableError(
                f"{self.description!r}, which holds no decodable video frame",
                "a video with at least one frame",
                "Check that it plays elsewhere, or record it again.",
            )
        self._describe(self._first)

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """Return the next frame and its time in seconds; None at the end and after close()."""
        with self._lock:
            frame = None if self._closed else self._first or next(self._frames, None)
            self._first = None
        if frame is None:
            return None
        self._last_pts_s = self._pts_s(frame)
        return frame, self._last_pts_s

    def close(self) -> None:
        """Close the file or connection; safe to call twice."""
        self._closed = True
        with self._lock:
            self._container.close()

    def _describe(self, first: av.VideoFrame) -> None:
        stream = self._container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        self.fps = float(rate) if rate else None
        self.pixel_aspect = sane_aspect(stream.sample_aspect_ratio)
        if len(self._container.streams.video) > 1:
            log.warning("%s holds several videos; the first is used", self.description)
        self.size_px = upright_size_px(first, self.pixel_aspect)
        self.duration_s = (self._container.duration or 0) / av.time_base or None
        self.live = self._is_url and (self.duration_s or 0.0) <= 0
        estimated = round(self.duration_s * self.fps) if self.fps and self.duration_s else None
        self.n_frames = stream.frames or estimated
        start_s = (self._container.start_time or 0) / av.time_base
        # A container's start is rounded to microseconds: by itself it may lie a hair after its first frame.
        self._start_s = start_s if first.pts is None else min(start_s, float(first.time))
        self._animation = self._container.format.name in ANIMATIONS
        if self._animation and self.fps and self.fps > FASTEST_FPS:
            self.fps = 1.0 / UNHURRIED_S
        self._last_pts_s = -1.0 / (self.fps or USUAL_FPS)
        self._waited_s = 0.0  # by how much an animation's times were put off so far

    def _pts_s(self, frame: av.VideoFrame) -> float:
        expected = self._last_pts_s + 1.0 / (self.fps or USUAL_FPS)
        if frame.pts is None:
            return expected
        pts_s = float(frame.time) - self._start_s + self._waited_s
        if self._animation and self._last_pts_s >= 0 and pts_s - self._last_pts_s <= HASTY_S:
            self._waited_s += self._last_pts_s + UNHURRIED_S - pts_s
            return self._last_pts_s + UNHURRIED_S
        return pts_s if pts_s > self._last_pts_s else expected  # damage can turn time back

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Yield every decodable frame; damage is skipped."""
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        if stream.width * stream.height <= ONE_THREAD_PIXELS:
            stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # frames may grow after the header
        in_a_row = 0
        while in_a_row < MAX_DAMAGED_IN_A_ROW:
            try:
                # A demuxer that raised is spent; a new one goes on where it stopped.
                for packet in self._container.demux(stream):
                    for frame in packet.decode():
                        in_a_row = 0
                        yield frame
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                if self._is_url and isinstance(error, LOST):
                    self.lost = error
                    return
                in_a_row += 1
                self._note_damage(error)
            except ValueError as error:  # PyAV 19: the container names a codec that it has no decoder for
                self._note_damage(error)
                return
        log.warning("%s: gave up after %d damaged packets in a row", self.description, in_a_row)

    def _note_damage(self, error: Exception) -> None:
        """Count it; what is wrong with one packet is often wrong with the next, so only the first is told."""
        level = logging.WARNING if self.damaged == 0 and not self._is_url else logging.DEBUG
        log.log(level, "%s: skipped damaged data (%s)", self.description, error)
        self.damaged += 1


def open_media_file(path: Path) -> av.container.InputContainer:
    """Open a file of sound or pictures, which cannot make FFmpeg reach the network.

    Raises:
        av.error.FFmpegError: it is none.
        OSError: it cannot be read.
    """
    container: av.container.InputContainer = av.open(ffmpeg_name(path), options=FILE_OPTIONS, **_LENIENT)
    return container


def _open_video(where: Path | str) -> av.container.InputContainer:
    """Open a file (Path) or a URL (str) that has a video stream of sensible size."""
    try:
        if isinstance(where, Path):
            container = open_media_file(where)
        else:
            container = av.open(where, options=URL_OPTIONS, timeout=URL_TIMEOUT_S, **_LENIENT)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaUnreadableError(
            f"{str(where)!r}, which cannot be opened ({error})",
            "a video that FFmpeg can decode, such as MP4, MOV, MKV or WebM",
            "Check the name, and that it plays elsewhere.",
        ) from error
    problem = _problem(container, repr(str(where)))
    if problem is not None:
        container.close()
        raise problem
    return container


def _problem(container: av.container.InputContainer, name: str) -> MediaUnreadableError | None:
    """Tell why an opened file will not do, judging by its header."""
    if not container.streams.video:
        return MediaUnreadableError(
            f"{name}, which has no video stream", "a video, not only sound", "Choose another file."
        )
    stream = container.streams.video[0]
    if getattr(stream, "codec_context", None) is None:  # PyAV declares that it is always there
        return MediaUnreadableError(
            f"{name}, whose pictures are stored in a way that FFmpeg does not know",
            "a video that FFmpeg can decode",
            "Convert it first, for example to H.264.",
        )
    if stream.width * stream.height > MAX_PIXELS:
        return MediaUnreadableError(
            f"{name}, whose frames are {stream.width}x{stream.height}",
            f"at most {MAX_PIXELS // 1_000_000} megapixels",
            "Scale it down first; a face needs no more than 1280x720.",
        )
    return None
