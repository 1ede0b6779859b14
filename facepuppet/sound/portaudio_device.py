"""One open device of PortAudio's, and which of them are open in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from facepuppet.core.errors import SoundError
from facepuppet.sound.delay_line import FADE_S
from facepuppet.sound.endpoints import Endpoint
from facepuppet.sound.sound_server import Kind
from facepuppet.sound.sound_system import RATE_HZ, Fill, Heard

# Of delay that a device is believed to have. A null sink of PulseAudio tells half a second of its monitor at
# the start, which is not so; outputs over the air really take a fifth of one.
_MOST_HEARD_S, _MOST_PLAYED_S = 0.1, 0.4


class Living:
    """Which devices are open; any thread asks and tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: WeakSet[Device] = WeakSet()

    def add(self, device: Device) -> None:
        """Tell that one is open."""
        with self._lock:
            self._devices.add(device)

    def discard(self, device: Device) -> None:
        """Tell that one is closed."""
        with self._lock:
            self._devices.discard(device)

    def any_of(self, library: Any) -> bool:
        """Whether one is open that a library opened."""
        with self._lock:
            return any(device.library is library for device in self._devices)


class Device:
    """One stream of PortAudio's, which calls back with blocks of a fade's length.

    PortAudio is one a process: what is open, and that one is being opened, is told of the process.
    """

    living: ClassVar[Living] = Living()
    opening: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, library: Any, endpoint: Endpoint, kind: Kind, latency_s: float) -> None:
        self.endpoint, self.kind = endpoint, kind
        self.slips = 0
        self.heard: Heard | None = None
        self.fill: Fill | None = None
        self.library = library
        # One channel of a microphone, but two of an output: some have no other way.
        self._channels = 1 if kind == "source" else min(2, endpoint.channels)
        self.hz, self._stream = self._open(latency_s)
        self._lasts_s = round(FADE_S * self.hz) / self.hz
        self._block = np.zeros(round(FADE_S * self.hz), np.float32)
        self.living.add(self)

    def _open(self, latency_s: float) -> tuple[float, Any]:
        create = self.library.RawInputStream if self.kind == "source" else self.library.RawOutputStream
        callback = self._on_input if self.kind == "source" else self._on_output
        failure: Exception | None = None
        for hz in dict.fromkeys((float(RATE_HZ), self.endpoint.hz)):
            try:
                with _environment(self.endpoint.environment):
                    stream = create(
                        device=self.endpoint.index,
                        channels=self._channels,
                        samplerate=hz,
                        blocksize=round(FADE_S * hz),
                        latency=latency_s,
                        dtype="float32",
                        callback=callback,
                    )
            except self.library.PortAudioError as error:
                failure = error
                continue
            return hz, stream
        raise SoundError(
            f"'{self.endpoint.name}', which cannot be opened ({failure})",
            f"a device that gives sound at {RATE_HZ} Hz or its own {self.endpoint.hz:g}",
            "Close other programs that use it, or choose another.",
        )

    @property
    def active(self) -> bool:
        """Whether it calls back."""
        try:
            return bool(self._stream.active)
        except self.library.PortAudioError:
            return False

    def start(self) -> None:
        """Begin to call back."""
        try:
            with _environment(self.endpoint.environment):
                self._stream.start()
        except self.library.PortAudioError as error:
            raise SoundError(
                f"'{self.endpoint.name}', which does not start ({error})",
                "a device that works",
                "Try another.",
            ) from error

    def silence(self) -> None:
        """Play and hear nothing more."""
        self.heard = self.fill = None

    def close(self) -> None:
        """Stop at once."""
        with suppress(self.library.PortAudioError):
            self._stream.abort()
        with suppress(self.library.PortAudioError):
            self._stream.close()
        self.living.discard(self)

    def _on_input(self, data: Any, n: int, told: Any, flags: Any) -> None:
        self.slips += bool(flags)
        heard = self.heard
        if heard is not None:
            ahead_s = told.inputBufferAdcTime + self._lasts_s - told.currentTime
            # What is told may be in the future, or nothing (0): the block has ended before it is handed over.
            ended_s = time.monotonic() + (ahead_s if -_MOST_HEARD_S < ahead_s < 0.0 else 0.0)
            heard(np.frombuffer(data, np.float32), ended_s)

    def _on_output(self, data: Any, n: int, told: Any, flags: Any) -> None:
        out = np.frombuffer(data, np.float32).reshape(n, self._channels)
        self.slips += bool(flags)
        fill = self.fill
        if fill is None:
            out[:] = 0.0
            return
        ahead_s = told.outputBufferDacTime - told.currentTime
        starts_s = time.monotonic() + (ahead_s if 0.0 < ahead_s < _MOST_PLAYED_S else self._stream.latency)
        fill(self._block, starts_s)
        out[:] = self._block[:, None]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the process for a moment; ALSA's plug-ins have no other way to be told a device."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
