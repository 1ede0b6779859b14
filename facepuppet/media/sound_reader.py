"""The sound of any file, streamed as mono blocks of one rate."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import MediaUnreadableError
from facepuppet.media.formats import SOUND_SUFFIXES
from facepuppet.media.unbroken_sound import UnbrokenSound
from facepuppet.media.video_reader import MAX_DAMAGED_IN_A_ROW, open_media_file

F32 = npt.NDArray[np.float32]

SHORT_S, SHORT = 0.5, 0.02  # by more than both, and a file that ends before it says it would was cut off
SEVERAL = math.sqrt(0.5)  # FFmpeg keeps the power of two channels in one, which may be beyond full scale
_STREAMED = 0x7FFF_F000  # what writers of WAV to a pipe say of its size is more
MOST_FAR_S = 60.0  # of a leap in time that is believed where a container tells no length

log = logging.getLogger(__name__)


class SoundReader:
    """The first audio stream of a file that can be decoded, as one unbroken stream.

    Time 0 is the start of the file, as for its pictures: a stream that begins later begins with silence, and
    gaps are silence. Damaged packets are left out. What is no number is silence. Nothing is kept of what was
    read, so that memory does not grow with the file. One thread reads.

    Args:
        path: the file.
        rate_hz: samples a second of the blocks.

    Attributes:
        description: the file's name.
        duration_s: how long it says it is; None when unknown.
        damaged: packets left out so far.

    Raises:
        MediaUnreadableError: missing, no media file, or without sound that can be decoded.
    """

    def __init__(self, path: Path, rate_hz: int) -> None:
        self.description = str(path)
        self._lacks = _lacks_bytes(path)
        self.damaged = 0
        self._rate_hz, self._n = rate_hz, 0
        self._container = _open(path)
        try:
            self._stream = _first_decodable(self._container, self.description)
            self._describe()
            self._blocks = self._decoded()
            self._first: F32 | None = next(self._blocks, None)
            if self._first is None:
                raise MediaUnreadableError(
                    f"{self.description!r}, in which no sound can be decoded",
                    "a file with sound",
                    "Check that it plays elsewhere, or save it again.",
                )
        except BaseException:
            self._container.close()
            raise

    def read(self) -> F32 | None:
        """Return the next block (n,), full scale ±1 and never beyond; None at the end and after close()."""
        block, self._first = self._first, None
        if block is None:
            block = next(self._blocks, None)
        if block is None:
            return None
        self._n += len(block)
        return block

    def close(self) -> None:
        """Close the file; safe to call twice. Not beside `read`."""
        self._first, self._blocks = None, iter(())
        self._container.close()

    def _describe(self) -> None:
        container, stream = self._container, self._stream
        self._start_s = (container.start_time or 0) / av.time_base
        self.duration_s = (container.duration or 0) / av.time_base or None
        if self.duration_s is None and stream.duration and stream.time_base:
            self.duration_s = float(stream.duration * stream.time_base)

    def _decoded(self) -> Iterator[F32]:
        most_s = self.duration_s if self.duration_s is not None else MOST_FAR_S
        sound = UnbrokenSound("fltp", "mono", self._rate_hz, self._start_s, most_s)
        gain = 1.0
        for frame in self._frames():
            gain = 1.0 if frame.layout.nb_channels == 1 else SEVERAL
            try:
                for piece in sound.feed(frame):
                    yield from _block(piece, gain)
            except (av.error.FFmpegError, ValueError) as error:  # a layout that nothing converts
                self._note_damage(error)
        for piece in sound.finish():
            yield from _block(piece, gain)
        self._tell_end()

    def _frames(self) -> Iterator[av.AudioFrame]:
        in_a_row = 0
        while in_a_row < MAX_DAMAGED_IN_A_ROW:
            try:
                # A demuxer that raised is spent; a new one goes on where it stopped.
                for packet in self._container.demux(self._stream):
                    for frame in packet.decode():
                        in_a_row = 0
                        yield frame
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                in_a_row += 1
                self._note_damage(error)

    def _note_damage(self, error: Exception) -> None:
        """Count it; only the first is told."""
        level = logging.WARNING if self.damaged == 0 else logging.DEBUG
        log.log(level, "%s: left out damaged sound (%s)", self.description, error)
        self.damaged += 1

    def _tell_end(self) -> None:
        """Say so where a file ends long before it says it would."""
        length_s, said_s = self._n / self._rate_hz, self.duration_s or 0.0
        if self._lacks or said_s - length_s > max(SHORT_S, SHORT * said_s):
            log.warning(
                "%s: its sound ends after %.1f s, sooner than the file says: it may have been cut off",
                self.description,
                length_s,
            )


def is_sound(path: Path) -> bool:
    """Tell whether a file is sound without video; a picture of its cover is none.

    What cannot be opened goes by the ending of its name.
    """
    named = path.suffix.lower() in SOUND_SUFFIXES
    if not path.is_file():  # a pipe would wait
        return named
    try:
        with open_media_file(path) as container:
            videos = [one for one in container.streams.video if not _is_cover(one)]
            return not videos and (named or bool(container.streams.audio))
    except (av.error.FFmpegError, OSError, ValueError):
        return named


def _lacks_bytes(path: Path) -> bool:
    """Whether a WAV file says that it is larger than it is, which FFmpeg keeps to itself."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
        said = int.from_bytes(start[4:8], "little") + 8
        return start[:4] == b"RIFF" and path.stat().st_size < said < _STREAMED
    except OSError:
        return False


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _open(path: Path) -> av.container.InputContainer:
    try:
        return open_media_file(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaUnreadableError(
            f"{str(path)!r}, which cannot be opened ({error})",
            "a file with sound that FFmpeg can decode, such as WAV, MP3, M4A, Opus, FLAC or a video",
            "Check the name, and that it plays elsewhere.",
        ) from error


def _first_decodable(container: av.container.InputContainer, name: str) -> av.AudioStream:
    streams = container.streams.audio
    if not streams:
        raise MediaUnreadableError(
            f"{name!r}, which has no sound", "a file with an audio track", "Choose another file."
        )
    known = [one for one in streams if getattr(one, "codec_context", None) is not None]
    if not known:
        raise MediaUnreadableError(
            f"{name!r}, whose sound is stored in a way that FFmpeg does not know",
            "a file with sound that FFmpeg can decode",
            "Convert it first, for example to WAV.",
        )
    return known[0]


def _block(piece: av.AudioFrame, gain: float) -> Iterator[F32]:
    """Yield a frame's samples from time 0 on, if there are any."""
    before = max(0, -(piece.pts or 0))
    samples = gain * piece.to_ndarray().reshape(-1)[before:]
    if len(samples):
        yield np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)
