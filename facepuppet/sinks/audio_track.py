"""Carrying the sound of an input video over to an output video."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import av

from facepuppet.media.video_reader import open_media_file

COPYABLE: dict[str, frozenset[str] | None] = {  # what each container holds as it is; None: anything
    ".mp4": frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus"}),
    ".mov": frozenset({"aac", "mp3", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s24le"}),
    ".mkv": None,
    ".webm": frozenset({"opus", "vorbis"}),
}
OPUS_RATE_HZ = 48_000

log = logging.getLogger(__name__)


class AudioTrack:
    """The first audio stream of a file, copied into a container, or re-encoded where it must be.

    Times count from the input's start, as those of the frames read from it, so lips and sound stay
    together. Sound that is damaged ends early, with a warning, rather than ending the run.
    """

    def __init__(self, source: Path, output: av.container.OutputContainer, suffix: str) -> None:
        """Add a stream to `output`; call only when has_audio(source)."""
        self._name = source.name
        self._input = open_media_file(source)
        self._output = output
        self._from = self._input.streams.audio[0]
        if len(self._input.streams.audio) > 1:
            log.warning("%s has several sound tracks; the first is carried over", self._name)
        self._start_s = (self._input.start_time or 0) / av.time_base
        accepted = COPYABLE[suffix]
        self.copied = accepted is None or self._from.codec_context.name in accepted
        if self.copied:
            self._to = output.add_stream_from_template(self._from)
        else:
            codec = "libopus" if suffix == ".webm" else "aac"
            rate = OPUS_RATE_HZ if suffix == ".webm" else self._from.rate
            self._to = cast(av.AudioStream, output.add_stream(codec, rate=rate))
            self._to.codec_context.layout = "mono" if self._from.channels == 1 else "stereo"
        self._packets = self._packet_stream()
        self._held: av.Packet[Any] | None = None

    def advance(self, until_s: float) -> None:
        """Write the sound up to a time, so that the file stays interleaved."""
        packet = self._held or next(self._packets, None)
        while packet is not None and _time_s(packet) < until_s:
            self._output.mux(packet)
            packet = next(self._packets, None)
        self._held = packet

    def finish(self, until_s: float) -> None:
        """Write the rest up to the end of the video, and close the input."""
        self.advance(until_s)
        self.close()

    def close(self) -> None:
        """Close the input."""
        self._held = None
        self._packets = iter(())
        self._input.close()

    def _packet_stream(self) -> Iterator[av.Packet[Any]]:
        try:
            yield from self._copied() if self.copied else self._encoded()
        except av.error.FFmpegError as error:
            log.warning("%s: the sound is damaged and ends here (%s)", self._name, error)

    def _copied(self) -> Iterator[av.Packet[Any]]:
        for packet in self._input.demux(self._from):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue  # the end marker
            offset = round(self._start_s / packet.time_base)
            packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
            packet.stream = self._to
            yield packet

    def _encoded(self) -> Iterator[av.Packet[Any]]:
        for frame in self._input.decode(self._from):
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(self._start_s / frame.time_base)
            yield from self._to.encode(frame)
        yield from self._to.encode(None)


def has_audio(source: Path) -> bool:
    """Tell whether a file has sound that can be decoded; False for what is no media file at all."""
    try:
        with open_media_file(source) as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


def _time_s(packet: av.Packet[Any]) -> float:
    if packet.dts is None or packet.time_base is None:
        return 0.0
    return float(packet.dts * packet.time_base)
