"""Whoever speaks into a microphone drives: no camera."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack

import numpy as np

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.types import F32, Expression
from facepuppet.drivers.voice.heard_face import HeardFace
from facepuppet.drivers.voice.voice_setup import Ears, VoiceSetup
from facepuppet.drivers.voice.voiced_driver import VoicedDriver

_MOST_BLOCKS = 400  # that wait, four seconds: of a reader that does not read
_SLICE_S = 0.005


class MicDriver(VoicedDriver):
    """Listens to a microphone, and tells the face of what it hears.

    A moment is known some 90 ms after it was spoken: 60 ms are looked ahead, up to 20 ms pass until the next
    look, and 10 ms until a block is full. While the microphone is muted or stalls, silence is heard, which
    shuts the mouth; a second after it has gone nobody is there, until it is back.

    Args:
        microphone: whose `listeners` this becomes one of.
        fps: expressions a second.
        setup: how the voice drives.
        owned: what this closes with itself: the microphone, if nobody else has it.
        name: of the microphone, for people; empty if it goes without saying.
    """

    live = True
    _face: HeardFace

    def __init__(
        self,
        microphone: Ears,
        fps: float = 30.0,
        setup: VoiceSetup | None = None,
        *,
        owned: ExitStack | None = None,
        name: str = "",
    ) -> None:
        self.description = f"the voice at microphone {name!r}" if name else "the voice at the microphone"
        self.fps = fps
        self._microphone, self._owned = microphone, owned or ExitStack()
        self._heard: deque[tuple[F32, float, float]] = deque(maxlen=_MOST_BLOCKS)
        self._woken = threading.Event()
        self._closed = False
        self._face = HeardFace(fps, setup or VoiceSetup())
        self._clock: Clock = SystemClock()
        self._meter = Meter()
        microphone.listeners = (*microphone.listeners, self._listen)

    def start(self, clock: Clock) -> None:
        """Go by a clock, which must be the one that microphones go by: the machine's."""
        self._clock = clock

    def read(self) -> Expression | None:
        """Return what the voice does next; nobody's without a microphone; None after close()."""
        while not self._closed:
            self._woken.clear()
            while self._heard:
                with self._meter.time("hear"):
                    self._face.hear(*self._heard.popleft())
            expression = self._face.next(self._clock.now_ns() * 1e-9)
            if expression is not None:
                return expression
            self._woken.wait(_SLICE_S)
        return None

    def close(self) -> None:
        """Listen no more; close the microphone if it is this driver's."""
        self._closed = True
        self._woken.set()
        self._microphone.listeners = tuple(one for one in self._microphone.listeners if one != self._listen)
        self._owned.close()

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of hearing, a block of the microphone each."""
        return self._meter.spreads()

    def _listen(self, sound: F32, rate_hz: float, ended_s: float) -> None:
        """Keep a block for `read`; called from a thread of the sound system, which must not wait."""
        kept = np.zeros_like(sound) if self._microphone.muted else sound.copy()
        self._heard.append((kept, rate_hz, ended_s))
        self._woken.set()
