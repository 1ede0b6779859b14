"""Which of a file's audio streams goes along into an output, tried before it is promised."""

from __future__ import annotations

import io
import logging
from itertools import islice
from pathlib import Path
from typing import Any

import av

from facepuppet.media.video_reader import open_media_file
from facepuppet.sinks.audio_track import AudioTrack
from facepuppet.sinks.video_formats import FORMATS

COPYABLE: dict[str, frozenset[str] | None] = {  # what each container holds as it is; None: anything
    ".mp4": frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus"}),
    ".mov": frozenset({"aac", "mp3", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s24le"}),
    ".mkv": None,
    ".webm": frozenset({"opus", "vorbis"}),
}
TRIAL_PACKETS = 50  # about a second: what is wrong with a track from its start shows in these

log = logging.getLogger(__name__)


def open_sound(source: Path, output: av.container.OutputContainer, suffix: str) -> AudioTrack | None:
    """Add the first audio stream of a file that can be carried over; None without one.

    Each is tried in memory first: once its stream stands in `output`, what is wrong with it would end
    the whole file. Where sound is left behind, a warning says so.

    Args:
        source: a media file, or anything else, which has no sound.
        output: still without a header.
        suffix: the ending of its name.
    """
    problems: list[str] = []
    for index, codec in enumerate(_codecs(source)):
        accepted = COPYABLE[suffix]
        for copied in [True, False] if accepted is None or codec in accepted else [False]:
            problem = _problem(source, index, suffix, copied=copied) if codec else "nothing here decodes it"
            if problem is None:
                if problems:
                    log.warning("%s: sound of audio track %d; %s", source, index + 1, "; ".join(problems))
                return AudioTrack(source, index, output, suffix, copied=copied)
        problems.append(f"track {index + 1} cannot be used ({problem})")
    if problems:
        log.warning("%s: the output stays silent; audio %s", source, "; ".join(problems))
    return None


def _codecs(source: Path) -> list[str | None]:
    """Tell the codec of every audio stream of a file; None where FFmpeg has no decoder."""
    try:
        with open_media_file(source) as container:
            contexts = [getattr(stream, "codec_context", None) for stream in container.streams.audio]
            return [None if context is None else context.codec.canonical_name for context in contexts]
    except (av.error.FFmpegError, OSError):
        return []


def _problem(source: Path, index: int, suffix: str, *, copied: bool) -> str | None:
    """Tell why a stream cannot be carried over, by decoding and writing its beginning to memory."""
    try:
        with open_media_file(source) as container:
            if not any(map(_decodes, islice(container.demux(audio=index), TRIAL_PACKETS))):
                return "no sound in it can be decoded"
        with av.open(io.BytesIO(), "w", format=FORMATS[suffix].container) as scrap:
            track = AudioTrack(source, index, scrap, suffix, copied=copied)
            try:
                for packet in islice(track.packets(), TRIAL_PACKETS):
                    scrap.mux(packet)
            finally:
                track.close()
    except Exception as error:  # whatever it is, the pictures do not depend on it
        return str(error)
    return None


def _decodes(packet: av.Packet[Any]) -> bool:
    try:
        return bool(packet.decode())
    except av.error.FFmpegError:  # the first one may be cut off, as where a broadcast was joined
        return False
