"""Sound of any rate, layout and format, as one unbroken stream of what an encoder takes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

MAX_GAP_S = 0.1  # a larger one is filled with silence; smaller ones are rounding in the input's times
MAX_LEAD_S = 0.5  # sound this far before the start may be the priming of a codec
SILENCE_SAMPLES = 1024  # in one piece

_Setup = tuple[str, str, int]


class SoundEncoder:
    """Feeds an encoder whatever comes out of a decoder.

    Samples are counted rather than trusting the input's times, which may be coarse, stand still or
    run backwards: sound goes on where it was, and gaps become silence, so that lips stay with it.

    Args:
        context: the encoder, with rate, layout and format set.
        start_s: where the output's time 0 lies in the input's times.
    """

    def __init__(self, context: av.AudioCodecContext, start_s: float) -> None:
        self._context, self._start_s = context, start_s
        self._rate = int(context.sample_rate)
        self._format, self._layout = context.format.name, context.layout.name
        self._resampler: av.AudioResampler | None = None
        self._setup: _Setup | None = None
        self._n: int | None = None  # samples so far; None before the first; negative while priming

    def encode(self, frame: av.AudioFrame) -> Iterator[av.Packet[Any]]:
        """Yield the packets that a decoded frame completes.

        Raises:
            av.error.FFmpegError, ValueError: it cannot be converted.
        """
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self._setup:  # broadcasts change theirs in mid-stream
            yield from self._drained()
            self._resampler = av.AudioResampler(self._format, self._layout, self._rate)
            self._setup = setup
        yield from self._silence_until(self._due(frame))
        frame.pts = None  # the resampler need not make sense of it either
        yield from self._converted(frame)

    def finish(self) -> Iterator[av.Packet[Any]]:
        """Yield what is still inside."""
        yield from self._drained()
        if self._n is not None:
            yield from self._context.encode(None)

    def _due(self, frame: av.AudioFrame) -> int:
        """Return at which sample a frame should begin, by the input's time."""
        if frame.pts is None or frame.time_base is None:
            due = self._n or 0
        else:
            due = round((float(frame.pts * frame.time_base) - self._start_s) * self._rate)
        if self._n is None:
            self._n = min(0, max(due, -round(MAX_LEAD_S * self._rate)))
        return due

    def _silence_until(self, due: int) -> Iterator[av.Packet[Any]]:
        if self._n is None or due - self._n <= MAX_GAP_S * self._rate:
            return
        while (missing := due - self._n) > 0:
            silence = av.AudioFrame(self._format, self._layout, min(missing, SILENCE_SAMPLES))
            silence.sample_rate = self._rate
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            yield from self._placed(silence)

    def _drained(self) -> Iterator[av.Packet[Any]]:
        if self._resampler is not None:
            yield from self._converted(None)

    def _converted(self, frame: av.AudioFrame | None) -> Iterator[av.Packet[Any]]:
        assert self._resampler is not None
        for piece in self._resampler.resample(frame):
            yield from self._placed(piece)

    def _placed(self, piece: av.AudioFrame) -> Iterator[av.Packet[Any]]:
        """Encode converted samples behind all that came before them."""
        assert self._n is not None
        piece.pts, piece.time_base = self._n, Fraction(1, self._rate)
        self._n += piece.samples
        yield from self._context.encode(piece)


def nearest_rate(codec: str, rate: int) -> int:
    """Return the lowest rate in Hz that an encoder takes and that loses nothing of `rate`, or its highest."""
    taken = av.Codec(codec, "w").audio_rates
    if not taken:
        return rate
    return min((one for one in taken if one >= rate), default=max(taken))
