"""Samples of sound that a peer sends on its data channel as fast as it likes, heard at the pace of speech."""

from __future__ import annotations

import threading

import numpy as np

from facepuppet.core.errors import ServerError
from facepuppet.core.types import F32
from facepuppet.sound.sound_system import RATE_HZ

MOST_MESSAGE_S = 0.1
MOST_WAITING_S = 10.0  # of sound: a made voice comes faster than it is spoken
READY_S = 0.06  # of sound that must be there before any is heard, as messages come unevenly
_PATIENCE_BLOCKS = 5  # until what is less is heard, too: it was the end
_SPARE_S = 0.1  # that waits without need; of more, silence is shortened, or a call would be late for ever
_SHORTEN = 5  # each so manieth block of silence is left out
_SILENT = 0.003  # of full scale: -50 dB
_BYTES = 2  # a sample
_FULL_SCALE = 32_768.0
_SAMPLES = "samples of 16 bits, mono, 48,000 a second, at most 100 ms a message"


class SentSamples:
    """A bounded queue with a pace; any thread puts, one takes."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._lock = threading.Lock()
        self._flows = False
        self._n_waited = self._n_silent = 0

    def put(self, pcm: bytes) -> None:
        """Add samples: s16le, mono, 48 kHz.

        Raises:
            ServerError: they are none, too many, or wait already.
        """
        if not pcm or len(pcm) % _BYTES:
            raise ServerError(f"{len(pcm):,} bytes of sound", _SAMPLES, "Send whole samples.")
        if len(pcm) > _BYTES * RATE_HZ * MOST_MESSAGE_S:
            raise ServerError(f"{len(pcm):,} bytes of sound at once", _SAMPLES, "Send them in parts.")
        with self._lock:
            if len(self._waiting) > _BYTES * RATE_HZ * MOST_WAITING_S:
                raise ServerError(
                    "sound faster than it can be heard",
                    f"at most {MOST_WAITING_S:g} s of it that wait",
                    "Send it at the pace of speech.",
                )
            self._waiting += pcm

    def take(self, n: int) -> F32 | None:
        """Return the next n samples (n,), full scale ±1; None while nothing is to be heard."""
        size = _BYTES * n
        with self._lock:
            if not self._begins(len(self._waiting)):
                return None
            self._flows = len(self._waiting) >= size
            sound = self._cut(size)
            if len(self._waiting) > size + _BYTES * RATE_HZ * _SPARE_S and self._shortens(sound):
                sound = self._cut(size)
        heard = np.zeros(n, np.float32)
        heard[: len(sound)] = sound
        return heard

    def _begins(self, waiting: int) -> bool:
        """Whether to go on, or to begin."""
        if not waiting:
            self._flows, self._n_waited = False, 0
        elif not self._flows:
            self._n_waited += 1
            self._flows = waiting >= _BYTES * RATE_HZ * READY_S or self._n_waited > _PATIENCE_BLOCKS
        return self._flows

    def _shortens(self, sound: F32) -> bool:
        self._n_silent = self._n_silent + 1 if float(np.abs(sound).max(initial=0.0)) < _SILENT else 0
        return self._n_silent > 0 and self._n_silent % _SHORTEN == 0

    def _cut(self, size: int) -> F32:
        values = np.frombuffer(bytes(self._waiting[:size]), "<i2")
        del self._waiting[:size]
        return values.astype(np.float32) / np.float32(_FULL_SCALE)
