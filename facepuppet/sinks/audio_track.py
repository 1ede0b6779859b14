"""Carrying the sound of an input video over to an output video."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import av

from facepuppet.media.video_reader import MAX_DAMAGED_IN_A_ROW, open_media_file
from facepuppet.sinks.sound_encoder import SoundEncoder, nearest_rate

ENCODERS = {".webm": "libopus"}  # elsewhere AAC
USUAL_PACKET_S = 0.02  # where a container does not tell
USUAL_RATE_HZ = 48_000  # as well

log = logging.getLogger(__name__)


class AudioTrack:
    """One audio stream of a file, copied into a container, or re-encoded where it must be.

    Times count from the input's start, as those of the frames read from it, so lips and sound stay
    together, and always rise. Damaged sound is left out, and what cannot be written ends the sound,
    with a warning, rather than the run; only a disk that fails is an error.

    Args:
        source: the file.
        index: which of its audio streams.
        output: where a stream is added.
        suffix: the ending of the output's name.
        copied: as it is, rather than re-encoded.
    """

    def __init__(
        self, source: Path, index: int, output: av.container.OutputContainer, suffix: str, *, copied: bool
    ) -> None:
        self.copied = copied
        self._name = source.name
        self._input = open_media_file(source)
        self._output = output
        self._from = self._input.streams.audio[index]
        if index == 0 and len(self._input.streams.audio) > 1:  # of another one `sound_choice` tells
            log.warning("%s has several sound tracks; the first is carried over", self._name)
        self._start_s = (self._input.start_time or 0) / av.time_base
        self._damaged = 0
        self._held: av.Packet[Any] | None = None
        try:
            self._to = output.add_stream_from_template(self._from) if copied else self._add_encoder(suffix)
        except BaseException:
            self._input.close()
            raise
        self._packets = self._safe_packets()

    def advance(self, until_s: float) -> None:
        """Write the sound up to a time, so that the file stays interleaved.

        Raises:
            OSError: the disk is full, or fails otherwise.
        """
        packet = self._held or next(self._packets, None)
        while packet is not None and _time_s(packet) < until_s:
            packet = next(self._packets, None) if self._written(packet) else None
        self._held = packet

    def finish(self, until_s: float) -> None:
        """Write the rest up to the end of the video, and close the input."""
        self.advance(until_s)
        if self._damaged:
            log.warning("%s: %d packets of damaged sound are left out", self._name, self._damaged)
        self.close()

    def close(self) -> None:
        """Close the input."""
        self._held = None
        self._packets = iter(())
        self._input.close()

    def packets(self) -> Iterator[av.Packet[Any]]:
        """Yield what is to be written, in order; raises whatever the codecs raise."""
        yield from self._copied() if self.copied else self._encoded()

    def _add_encoder(self, suffix: str) -> av.AudioStream:
        codec = ENCODERS.get(suffix, "aac")
        rate = nearest_rate(codec, self._from.rate or USUAL_RATE_HZ)
        stream = cast(av.AudioStream, self._output.add_stream(codec, rate=rate))
        stream.codec_context.layout = "mono" if self._from.channels == 1 else "stereo"
        return stream

    def _safe_packets(self) -> Iterator[av.Packet[Any]]:
        try:
            yield from self.packets()
        except Exception as error:  # whatever it is, the pictures go on
            log.warning("%s: the sound cannot be read further and ends here (%s)", self._name, error)

    def _written(self, packet: av.Packet[Any]) -> bool:
        try:
            self._output.mux(packet)
        except OSError:
            raise
        except (av.error.FFmpegError, ValueError) as error:  # not of the disk, but of this sound
            log.warning("%s: the sound cannot be written further and ends here (%s)", self._name, error)
            self._packets = iter(())
            return False
        return True

    def _copied(self) -> Iterator[av.Packet[Any]]:
        last: int | None = None
        expected = 0
        for packet in self._demuxed():
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue  # the end marker
            ahead = packet.pts - packet.dts
            dts = packet.dts - round(self._start_s / packet.time_base)
            dts = expected if last is not None and dts <= last else dts  # damage can turn time back
            usual = max(round(USUAL_PACKET_S / packet.time_base), 1)
            last, expected = dts, dts + (packet.duration or usual)
            packet.pts, packet.dts = dts + ahead, dts
            packet.stream = self._to
            yield packet

    def _encoded(self) -> Iterator[av.Packet[Any]]:
        encoder = SoundEncoder(self._to.codec_context, self._start_s)
        for packet in self._demuxed():
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self._note_damage(error)
                continue
            for frame in frames:
                for encoded in encoder.encode(cast(av.AudioFrame, frame)):
                    encoded.stream = self._to
                    yield encoded
        for encoded in encoder.finish():
            encoded.stream = self._to
            yield encoded

    def _demuxed(self) -> Iterator[av.Packet[Any]]:
        in_a_row = 0
        while in_a_row < MAX_DAMAGED_IN_A_ROW:
            try:
                # A demuxer that raised is spent; a new one goes on where it stopped.
                for packet in self._input.demux(self._from):
                    in_a_row = 0
                    yield packet
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                in_a_row += 1
                self._note_damage(error)

    def _note_damage(self, error: Exception) -> None:
        self._damaged += 1
        log.debug("%s: damaged sound (%s)", self._name, error)


def _time_s(packet: av.Packet[Any]) -> float:
    if packet.dts is None or packet.time_base is None:
        return 0.0
    return float(packet.dts * packet.time_base)
