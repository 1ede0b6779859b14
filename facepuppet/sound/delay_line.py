"""Sound kept for a while, and read again without a click, whatever happens to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

FADE_S = 0.010  # of every change: start, stop, mute, jump
RESERVE_S = 0.003  # never read in the ordinary course: what is faded out when no more comes


class DelayLine:
    """A ring of mono sound with one writer and one reader, which may be two threads.

    The reader's place moves with every read, whether there was sound or not, so that what comes late is
    left out rather than played late. Positions count samples since the start.

    Args:
        rate_hz: samples a second.
        room_s: how much is kept; what is older cannot be read.

    Attributes:
        written: samples written so far.
        place: the next sample to read.
        sounding: the last read ended in sound and not in silence.
    """

    def __init__(self, rate_hz: float, room_s: float = 4.0) -> None:
        self._ring = np.zeros(1 << int(np.ceil(np.log2(room_s * rate_hz))), np.float32)
        self._n_fade, self._n_reserve = round(FADE_S * rate_hz), round(RESERVE_S * rate_hz)
        self._rising = np.linspace(0.0, 1.0, self._n_fade, dtype=np.float32)
        self._ending = np.linspace(1.0, 0.0, self._n_reserve, dtype=np.float32)
        self._other = np.zeros(self._n_fade, np.float32)
        self._gain = 0.0
        self.written = 0
        self.place = 0
        self.sounding = False

    def write(self, sound: F32) -> None:
        """Append sound, (n,); `written` grows only when it can be read."""
        size = len(self._ring)
        start = self.written % size
        head = min(len(sound), size - start)
        self._ring[start : start + head] = sound[:head]
        self._ring[: len(sound) - head] = sound[head:]
        self.written += len(sound)

    def write_seam(self, sound: F32) -> None:
        """Append sound that does not continue what was written last: that ends softly, this begins softly."""
        size, n = len(self._ring), min(self._n_reserve, len(sound))
        tail = np.arange(self.written - self._n_reserve, self.written) % size
        self._ring[tail] *= self._ending
        begun = sound.copy()
        begun[:n] *= self._ending[::-1][:n]
        self.write(begun)

    def spare(self, n: int) -> int:
        """Samples left over, beyond the reserve, if n were read now; negative where they are not there."""
        return self.written - self.place - n - self._n_reserve

    def read_into(self, out: F32, gain: float = 1.0, jump: int = 0) -> None:
        """Fill `out`, (n,), n at least the samples of a fade, with the next sound, or with silence.

        Args:
            out: filled.
            gain: how loud; changes are spread over the block.
            jump: samples to skip (or, if negative, to repeat) before, hidden in a crossfade.
        """
        n, old = len(out), self.place
        self.place += n + jump
        new = self.place - n
        if not self._has(new, n + self._n_reserve):
            self._fall_silent(out, old)
            return
        self._copy(new, out)
        if not self.sounding:
            out[: self._n_fade] *= self._rising
        elif jump and self._has(old, self._n_fade):
            self._copy(old, self._other)
            out[: self._n_fade] = self._other + (out[: self._n_fade] - self._other) * self._rising
        elif jump:  # cannot be, as long as a reserve is kept
            out[: self._n_fade] *= self._rising
        self.sounding = True
        self._amplify(out, gain)

    def _fall_silent(self, out: F32, place: int) -> None:
        """Play the reserve out, ever softer, and nothing after it."""
        n = min(self._n_reserve, len(out))
        if self.sounding and self._has(place, n):
            self._copy(place, out[:n])
            out[:n] *= self._ending[:n] * self._gain
            out[n:] = 0.0
        else:
            out[:] = 0.0
        self.sounding = False

    def _amplify(self, out: F32, gain: float) -> None:
        if gain != self._gain:
            out *= np.linspace(self._gain, gain, len(out), dtype=np.float32)
        elif gain != 1.0:
            out *= gain
        self._gain = gain

    def _has(self, place: int, n: int) -> bool:
        return place >= max(0, self.written - len(self._ring)) and place + n <= self.written

    def _copy(self, place: int, out: F32) -> None:
        size = len(self._ring)
        start = place % size
        head = min(len(out), size - start)
        out[:head] = self._ring[start : start + head]
        out[head:] = self._ring[: len(out) - head]
