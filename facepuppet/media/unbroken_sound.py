"""Sound of any rate, layout and format, as one unbroken stream of one rate, layout and format."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av

MAX_GAP_S = 0.1  # a larger one is filled with silence; smaller ones are rounding in the input's times
MAX_LEAD_S = 0.5  # sound this far before the start may be the priming of a codec
SILENCE_SAMPLES = 1024  # in one piece

_Setup = tuple[str, str, int]


class UnbrokenSound:
    """Converts whatever comes out of a decoder.

    Samples are counted rather than trusting the input's times, which may be coarse, stand still or
    run backwards: sound goes on where it was, and gaps become silence, so that lips stay with it.

    Args:
        sample_format, layout: FFmpeg's names of them.
        rate_hz: samples a second.
        start_s: where the output's time 0 lies in the input's times.
        most_s: no later time is believed, which damage may tell; None believes all.
    """

    def __init__(
        self, sample_format: str, layout: str, rate_hz: int, start_s: float, most_s: float | None = None
    ) -> None:
        self._format, self._layout, self._rate = sample_format, layout, rate_hz
        self._start_s, self._most_s = start_s, most_s
        self._resampler: av.AudioResampler | None = None
        self._setup: _Setup | None = None
        self._n: int | None = None  # samples so far; None before the first; negative while priming

    @property
    def begun(self) -> bool:
        """Whether anything came so far."""
        return self._n is not None

    def feed(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """Yield what a decoded frame completes; its `pts` counts samples, and is below 0 before the start.

        Raises:
            av.error.FFmpegError, ValueError: it cannot be converted.
        """
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self._setup:  # broadcasts change theirs in mid-stream
            yield from self.finish()
            self._resampler = av.AudioResampler(self._format, self._layout, self._rate)
            self._setup = setup
        begins, due = self._n is None, self._due(frame)
        assert self._n is not None
        if begins or due - self._n > MAX_GAP_S * self._rate:  # how late it begins is no rounding
            yield from self._silence_until(due)
        frame.pts = None  # the resampler need not make sense of it either
        yield from self._converted(frame)

    def finish(self) -> Iterator[av.AudioFrame]:
        """Yield what is still inside."""
        if self._resampler is not None:
            yield from self._converted(None)

    def _due(self, frame: av.AudioFrame) -> int:
        """Return at which sample a frame should begin, by the input's time."""
        if frame.pts is None or frame.time_base is None:
            due = self._n or 0
        else:
            due_s = float(frame.pts * frame.time_base) - self._start_s
            due = round((due_s if self._most_s is None else min(due_s, self._most_s)) * self._rate)
        if self._n is None:
            self._n = min(0, max(due, -round(MAX_LEAD_S * self._rate)))
        return due

    def _silence_until(self, due: int) -> Iterator[av.AudioFrame]:
        assert self._n is not None
        while (missing := due - self._n) > 0:
            silence = av.AudioFrame(self._format, self._layout, min(missing, SILENCE_SAMPLES))
            silence.sample_rate = self._rate
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            yield self._placed(silence)

    def _converted(self, frame: av.AudioFrame | None) -> Iterator[av.AudioFrame]:
        assert self._resampler is not None
        for piece in self._resampler.resample(frame):
            yield self._placed(piece)

    def _placed(self, piece: av.AudioFrame) -> av.AudioFrame:
        """Put converted samples behind all that came before them."""
        assert self._n is not None
        piece.pts, piece.time_base = self._n, Fraction(1, self._rate)
        self._n += piece.samples
        return piece
