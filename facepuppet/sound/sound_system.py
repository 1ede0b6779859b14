"""What microphones and loudspeakers need of whatever opens devices; `PortAudio` is the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Heard = Callable[[F32, float], None]  # a block (n,), full scale ±1, and when it ended on time.monotonic()
Fill = Callable[[F32, float], None]  # a block (n,) to fill, and when it starts to be heard
Connect = Callable[[float, float], tuple[Heard, Fill]]
ConnectOutput = Callable[[float], Fill]

RATE_HZ = 48_000  # what calls use; a device that cannot has its own
LATENCY_S = 0.02  # asked of each device: two blocks, so that one may come late
MAX_LATENCY_S = 0.04  # where that does not do; sound is then some 60 ms later, with 0.08 it would be 150


class Streams(Protocol):
    """A microphone that is open, and perhaps an output."""

    source: str
    sink: str

    @property
    def lost(self) -> str:
        """What has ended them, in a few words; empty while they live."""

    @property
    def slips(self) -> int:
        """How often a device had to wait for this program, which was not in time."""

    def close(self) -> None:
        """Stop at once and close both."""


class OpenOutput(Protocol):
    """An output that is open by itself."""

    sink: str

    @property
    def lost(self) -> str:
        """What has ended it, in a few words; empty while it lives."""

    def close(self) -> None:
        """Stop at once and close it."""


class SoundSystem(Protocol):
    """What opens devices."""

    def open(self, source: str, sink: str | None, latency_s: float, connect: Connect) -> Streams:
        """Open a microphone and an output by their words, and start both.

        Args:
            source: the microphone's word.
            sink: the output's; None for none.
            latency_s: how much each device may hold.
            connect: given both rates in Hz, returns what is called with sound and for sound; without an
                output both rates are the microphone's.

        Raises:
            SoundError: one of them cannot be opened.
        """
