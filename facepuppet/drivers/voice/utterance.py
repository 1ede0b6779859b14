"""One sentence's sound, as it comes: for the ears, and for the face."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.voice import RATE_HZ as FACE_HZ

PLAYED_HZ = 48_000
RATIO = PLAYED_HZ // FACE_HZ
MOST_S = 120.0  # of one piece of text; a command may never end
_CONVERTER = "sinc_fastest"
_FLUSH = 128  # samples of silence that push out what a converter holds back
_EDGE_S = 0.003  # over which it begins and ends: no click


class GrowingSound:
    """Sound that is appended to and read again."""

    def __init__(self) -> None:
        self._room = np.zeros(1 << 15, np.float32)
        self.n = 0

    def append(self, sound: F32) -> None:
        """Append (n,)."""
        if self.n + len(sound) > len(self._room):
            larger = np.zeros(max(2 * len(self._room), self.n + len(sound)), np.float32)
            larger[: self.n] = self._room[: self.n]
            self._room = larger
        self._room[self.n : self.n + len(sound)] = sound
        self.n += len(sound)

    def part(self, start: int, end: int) -> F32:
        """Return what is there of [start, end); a view."""
        return self._room[start : min(end, self.n)]


class Utterance:
    """One thread adds, others read.

    Attributes:
        played: at PLAYED_HZ.
        heard: the same as the face hears it, at voice.RATE_HZ.
        complete: there will be no more.
    """

    def __init__(self) -> None:
        self.played, self.heard = GrowingSound(), GrowingSound()
        self.complete = False
        self._in_hz = 0

    @property
    def seconds(self) -> float:
        """How much of it is there."""
        return self.played.n / PLAYED_HZ

    def add(self, sound: F32, hz: int) -> bool:
        """Append mono sound (n,), full scale ±1; returns whether more is welcome."""
        if not self._in_hz:
            self._begin(hz)
            n = min(round(_EDGE_S * hz), len(sound))
            sound = sound.copy()
            sound[:n] *= np.linspace(0.0, 1.0, n, dtype=np.float32)
        self._convert(sound, ends=False)
        return self.seconds < MOST_S

    def finish(self) -> None:
        """There will be no more."""
        if self._in_hz:
            self._convert(np.zeros(_FLUSH, np.float32), ends=True)
            n = round(_EDGE_S * PLAYED_HZ)
            end = self.played.part(max(0, self.played.n - n), self.played.n)
            end *= np.linspace(1.0, 0.0, len(end), dtype=np.float32)
        self.complete = True

    def _begin(self, hz: int) -> None:
        from samplerate import Resampler

        self._in_hz = hz
        self._resamplers = [
            (Resampler(_CONVERTER, 1), PLAYED_HZ / hz, self.played),
            (Resampler(_CONVERTER, 1), FACE_HZ / hz, self.heard),
        ]

    def _convert(self, sound: F32, *, ends: bool) -> None:
        for resampler, ratio, target in self._resamplers:
            target.append(np.clip(resampler.process(sound, ratio, ends), -1.0, 1.0))
