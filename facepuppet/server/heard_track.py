"""Sound of one incoming track: mono, with the time at which it was spoken, and holes in it made whole."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from facepuppet.core.types import F32
from facepuppet.server.arrival_times import ArrivalTimes

OPUS_S = 0.0065  # by which what Opus gives is later than what its time stamps say
MOST_HOLE_S = 0.2  # of lost sound that is filled; a longer one is a pause
MOST_AHEAD_S = 2.0  # by which a track may be faster than time; what comes beyond is left out
_FADE_S = 0.010  # of what fills a hole
_EDGE_S = 0.003  # over which sound begins again after it
_FULL_SCALE = 32_768.0


class HeardTrack:
    """Takes the frames that aiortc hands over, in order.

    Args:
        held: packets that aiortc holds back (`packets_held`).
    """

    def __init__(self, held: int) -> None:
        self._held = held
        self._times = ArrivalTimes()
        self._next_s: float | None = None  # the stamp with which sound goes on
        self._ahead_s = self._last_s = 0.0
        self._tail = np.zeros(0, np.float32)

    def take(self, frame: av.AudioFrame, now_s: float) -> Iterator[tuple[F32, float]]:
        """Give a frame's sound (n,), full scale ±1, at its own rate, and when its last sample was spoken.

        Nothing comes of what will not do: another kind of samples, too old, or too much of it.

        Args:
            frame: 16 bits, of any number of channels.
            now_s: when it was handed over, on time.monotonic().
        """
        if frame.format.name != "s16" or frame.pts is None or frame.time_base is None or not frame.samples:
            return
        lasts_s = frame.samples / frame.sample_rate
        self._ahead_s = max(0.0, self._ahead_s - (now_s - self._last_s)) + lasts_s
        self._last_s = now_s
        if self._ahead_s > MOST_AHEAD_S:
            self._ahead_s -= lasts_s
            return
        begun_s = float(frame.pts * frame.time_base)
        hole_s = 0.0 if self._next_s is None else begun_s - self._next_s
        if -MOST_HOLE_S < hole_s < -0.5 * lasts_s:
            return  # comes after what follows it
        self._next_s = begun_s + lasts_s
        sound = _mono(frame)
        if 0.5 * lasts_s < hole_s <= MOST_HOLE_S:
            sound = self._with_hole_filled(sound, round(hole_s * frame.sample_rate), frame.sample_rate)
        self._tail = sound[-round(_FADE_S * frame.sample_rate) :]
        sent_s = self._times.sent_s(self._next_s, now_s)
        yield sound, sent_s - self._held * lasts_s - OPUS_S

    def _with_hole_filled(self, sound: F32, n: int, hz: int) -> F32:
        """Let what was heard last run backwards into silence, and sound begin softly after it."""
        filled = np.zeros(n + len(sound), np.float32)
        end = min(n, len(self._tail))
        ramp = np.linspace(1.0, 0.0, len(self._tail), dtype=np.float32)[:end]
        filled[:end] = self._tail[::-1][:end] * ramp
        filled[n:] = sound
        edge = min(round(_EDGE_S * hz), len(sound))
        filled[n : n + edge] *= np.linspace(0.0, 1.0, edge, dtype=np.float32)
        return filled


def _mono(frame: av.AudioFrame) -> F32:
    samples = frame.to_ndarray().reshape(frame.samples, -1).astype(np.float32)
    mono: F32 = samples.mean(axis=1, dtype=np.float32) / np.float32(_FULL_SCALE)
    return mono
