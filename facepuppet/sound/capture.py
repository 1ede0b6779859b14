"""A microphone that nobody passes on: it is only listened to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facepuppet.sound.level_meter import LevelMeter

F32 = NDArray[np.float32]


class Capture:
    """Stands where `Passage` does while there is no output; what it says of one is nothing.

    Args:
        in_hz: the capture's rate.
        meter: told how loud the capture is; outlives devices.
        drift: kept for the next passage.
    """

    def __init__(self, in_hz: float, meter: LevelMeter, drift: float = 0.0) -> None:
        self.muted, self.wanted_s, self.drift = False, 0.0, drift
        self.captures = self.plays = self.underruns = 0
        self._in_hz, self._meter = in_hz, meter

    @property
    def measured_s(self) -> float | None:
        """None: nothing is played."""
        return None

    @property
    def flows(self) -> bool:
        """Whether the microphone gives sound."""
        return self.captures > 0

    def capture(self, sound: F32, ended_s: float) -> None:
        """Take in a block of the microphone; see `Passage`."""
        self.captures += 1
        self.plays = self.captures  # the output that is not there lives as long as the microphone
        self._meter.feed(sound, len(sound) / self._in_hz)

    def play(self, out: F32, starts_s: float) -> None:
        """Play silence."""
        out[:] = 0.0
