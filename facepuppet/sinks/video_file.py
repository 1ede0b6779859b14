"""A video file that exists under its name only once it is complete."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import check_target, temporary_beside
from facepuppet.core.hardware import usable_cores
from facepuppet.core.types import U8
from facepuppet.media.formats import ffmpeg_name
from facepuppet.sinks.audio_track import AudioTrack
from facepuppet.sinks.even_size import even_size_px, evened
from facepuppet.sinks.sink import Sink
from facepuppet.sinks.sound_choice import open_sound
from facepuppet.sinks.video_formats import CHOOSE, Format, format_of
from facepuppet.watermark import Marked

if TYPE_CHECKING:
    from facepuppet.watermark.certificate import Credentials

TICKS_PER_S = 90_000  # the video clock of MPEG: whole numbers for all usual frame rates
BT709 = 1  # FFmpeg's number for colour space, primaries and transfer alike
LIMITED_RANGE = 1
MOST_THREADS = 4  # of the encoder, which would take one and a half for each core, and memory for each

log = logging.getLogger(__name__)


class VideoFile(Sink):
    """Writes frames as video; the file appears under its name at close().

    Until then it grows under a hidden temporary name beside it, which abort() and failures remove.
    A frame's time is its pts_s if given; else frames follow each other at `fps`.

    Args:
        path: .mp4 or .mov or .mkv (H.264), .webm (VP9); an existing file is replaced.
        size_px: width and height of the frames; odd ones are padded.
        fps: nominal rate.
        audio_from: a media file whose sound is carried over; one without sound is fine.
        credentials: who signs the C2PA manifest of an .mp4 or .mov; this machine's own if None.

    Raises:
        OutputUnwritableError: unknown ending, no such folder, read-only, too long a name, disk full.
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],
        fps: float,
        *,
        audio_from: Path | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.size_px = size_px
        self.description = f"video {str(path)!r}"
        self.n_frames = 0
        self._path = path
        self._fps = fps
        self._credentials = credentials
        self._last: Marked | None = None
        self._last_tick = -1
        style = format_of(path)
        check_target(path)
        self._temporary = temporary_beside(path, path.suffix)
        self._container: av.container.OutputContainer | None = None  # None before opening and after the end
        self._audio: AudioTrack | None = None
        try:
            self._begin(style, even_size_px(size_px, self.description), audio_from)
        except BaseException:  # Ctrl-C too: nobody holds this sink yet who could abort it
            self.abort()
            raise

    def _begin(self, style: Format, size_px: tuple[int, int], audio_from: Path | None) -> None:
        with self._told():
            self._temporary.touch()  # FFmpeg opens it late; what forbids writing should show now
            self._container = container = av.open(
                ffmpeg_name(self._temporary),
                "w",
                format=style.container,
                container_options=style.container_options,
            )
            self._stream = self._add_video(container, style, size_px)
            if audio_from is not None:
                self._audio = open_sound(audio_from, container, self._path.suffix.lower())

    def _add_video(
        self, container: av.container.OutputContainer, style: Format, size_px: tuple[int, int]
    ) -> av.VideoStream:
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = cast(av.VideoStream, container.add_stream(style.codec, rate=rate, options=style.options))
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS_PER_S)
        context.thread_count = min(MOST_THREADS, usable_cores() + 1)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        return stream

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._container is None:
            raise ValueError(f"{self.description} is closed")
        time_s = self.n_frames / self._fps if pts_s is None else pts_s
        self._last_tick = max(round(time_s * TICKS_PER_S), self._last_tick + 1)
        self.n_frames += 1
        self._last = frame
        with self._told():
            self._container.mux(self._stream.encode(self._picture(frame.rgb)))
            if self._audio is not None:
                self._audio.advance(time_s)

    def close(self) -> None:
        """Finish the file and give it its name; without a single frame there is no file."""
        if self._container is None:
            return
        if self._last is None:
            log.warning("%s: no frame came, so nothing is written", self.description)
            self.abort()
            return
        with self._told():
            self._container.mux(self._stream.encode(None))
            if self._audio is not None:
                self._audio.finish(self._last_tick / TICKS_PER_S + 1.0 / self._fps)
            self._container.close()
        self._container, finished = None, self._temporary
        self._temporary = temporary_beside(self._path)  # an abort() from now on finds nothing to remove
        self._publish(finished, self._last)

    def _publish(self, finished: Path, last: Marked) -> None:
        """Sign the finished file for the mark that it carries, and give it its name."""
        from facepuppet.watermark.provenance import publish_recording  # slow to import, needed once

        publish_recording(finished, self._path, last.payload, last.key_name, self._credentials)

    @property
    def audio_copied(self) -> bool | None:
        """True when the sound is the input's own bits, False when re-encoded, None without sound."""
        return None if self._audio is None else self._audio.copied

    def abort(self) -> None:
        """Throw away what was written; a former file under the name stays as it was."""
        container, self._container = self._container, None
        if self._audio is not None:
            self._audio.close()
        if container is not None:
            with suppress(av.error.FFmpegError, OSError):  # what it cannot finish is thrown away anyway
                container.close()
        with suppress(OSError):  # where nothing can be written, nothing was
            self._temporary.unlink(missing_ok=True)

    def _picture(self, rgb: U8) -> av.VideoFrame:
        picture = av.VideoFrame.from_ndarray(evened(rgb), format="rgb24")
        picture = picture.reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1
        )
        picture.pts = self._last_tick
        picture.time_base = Fraction(1, TICKS_PER_S)
        return picture

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what FFmpeg and the file system raise into one error; nothing half-written stays."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise OutputUnwritableError(
                f"{str(self._path)!r}, which cannot be written ({error})",
                "an existing folder that you may write to, with room left",
                f"{CHOOSE[:-1]}, or free some space.",
            ) from error
