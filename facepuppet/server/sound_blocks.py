"""Sound made at the pace of the clock, and the tracks on which it goes to peers."""

from __future__ import annotations

import asyncio
import fractions
import logging
import math
import threading
import time

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from facepuppet.core.types import F32
from facepuppet.server.heard_track import OPUS_S
from facepuppet.sound.level_meter import soften
from facepuppet.sound.sound_system import RATE_HZ, Fill

BLOCK = 960  # samples, 20 ms: one packet of Opus
BLOCK_S = BLOCK / RATE_HZ
KEPT = 32  # blocks for tracks that are late
MOST_LATE_S = 0.2  # that is caught up with; what is later is left out
_LOOK_S = 0.002
_JOIN_S = 2.0
_TIME_BASE = fractions.Fraction(1, RATE_HZ)

log = logging.getLogger(__name__)


class SoundBlocks:
    """A thread that asks for 20 ms of sound fifty times a second, from the first track or output on.

    Args:
        fill: called from the thread with a block (BLOCK,) of zeros to fill, and when its first sample is
            heard by who needs no time for it, on time.monotonic().

    Attributes:
        newest: number of the newest block; -1 before the first.
    """

    def __init__(self, fill: Fill) -> None:
        self.newest = -1
        self._fill = fill
        self._kept: list[tuple[int, NDArray[np.int16]]] = []
        self._begun_s = math.inf
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peer sound", daemon=True)
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether there will be no more."""
        return self._closed.is_set()

    def start(self) -> None:
        """Begin; safe to call again."""
        with self._lock:
            if not self.closed and not self._thread.is_alive():
                self._begun_s = time.monotonic()
                self._thread.start()

    def close(self) -> None:
        """End; tracks end when they are read next."""
        self._closed.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def due_s(self, n: int) -> float:
        """When a block is made, on time.monotonic()."""
        return self._begun_s + n * BLOCK_S

    def block(self, n: int) -> NDArray[np.int16]:
        """Return a block (BLOCK,); silence where it is too old, or was left out."""
        for number, samples in reversed(self._kept):
            if number == n:
                return samples
        return np.zeros(BLOCK, np.int16)

    def _run(self) -> None:
        n = 0
        while not self._closed.wait(max(0.0, self.due_s(n) - time.monotonic())):
            late_s = time.monotonic() - self.due_s(n)
            n += int(late_s / BLOCK_S) if late_s > MOST_LATE_S else 0
            out = np.zeros(BLOCK, np.float32)
            try:
                self._fill(out, self.due_s(n) + OPUS_S)
            except Exception:  # one block must not end them all
                log.exception("20 ms of sound were not made")
            self._kept = [*self._kept[1 - KEPT :], (n, _as_s16(out))]
            self.newest = n
            n += 1


class SoundTrack(MediaStreamTrack):
    """What is heard of the puppet, as one peer hears it.

    Args:
        blocks: makes it.
    """

    kind = "audio"

    def __init__(self, blocks: SoundBlocks) -> None:
        super().__init__()
        self._blocks = blocks
        self._first: int | None = None
        self._next = 0

    async def recv(self) -> av.AudioFrame:
        """Wait for the next block, and return it: 16 bits, mono, 48 kHz.

        Raises:
            MediaStreamError: the track has ended.
        """
        blocks = self._blocks
        if self._first is None:
            self._first = self._next = blocks.newest + 1
        while blocks.newest < self._next:
            self._raise_if_ended()
            await asyncio.sleep(max(_LOOK_S, blocks.due_s(self._next) + _LOOK_S - time.monotonic()))
        self._raise_if_ended()
        if (blocks.newest - self._next) * BLOCK_S > MOST_LATE_S:
            self._next = blocks.newest
        frame = av.AudioFrame.from_ndarray(blocks.block(self._next)[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE_HZ, _TIME_BASE
        frame.pts = (self._next - self._first) * BLOCK
        self._next += 1
        return frame

    def _raise_if_ended(self) -> None:
        if self._blocks.closed:
            self.stop()
        if self.readyState != "live":
            raise MediaStreamError


def _as_s16(sound: F32) -> NDArray[np.int16]:
    samples: NDArray[np.int16] = np.round(32_767.0 * np.clip(soften(sound), -1.0, 1.0)).astype(np.int16)
    return samples
