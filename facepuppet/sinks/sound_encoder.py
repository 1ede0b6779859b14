"""Sound of any rate, layout and format, as one unbroken stream of what an encoder takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av

from facepuppet.media.unbroken_sound import UnbrokenSound


class SoundEncoder:
    """Feeds an encoder whatever comes out of a decoder (see `UnbrokenSound`).

    Args:
        context: the encoder, with rate, layout and format set.
        start_s: where the output's time 0 lies in the input's times.
    """

    def __init__(self, context: av.AudioCodecContext, start_s: float) -> None:
        self._context = context
        rate_hz = int(context.sample_rate)
        self._sound = UnbrokenSound(context.format.name, context.layout.name, rate_hz, start_s)

    def encode(self, frame: av.AudioFrame) -> Iterator[av.Packet[Any]]:
        """Yield the packets that a decoded frame completes.

        Raises:
            av.error.FFmpegError, ValueError: it cannot be converted.
        """
        for piece in self._sound.feed(frame):
            yield from self._context.encode(piece)

    def finish(self) -> Iterator[av.Packet[Any]]:
        """Yield what is still inside."""
        for piece in self._sound.finish():
            yield from self._context.encode(piece)
        if self._sound.begun:
            yield from self._context.encode(None)


def nearest_rate(codec: str, rate: int) -> int:
    """Return the lowest rate in Hz that an encoder takes and that loses nothing of `rate`, or its highest."""
    taken = av.Codec(codec, "w").audio_rates
    if not taken:
        return rate
    return min((one for one in taken if one >= rate), default=max(taken))
