"""The machine's sound devices, by PortAudio: loaded when a microphone is wanted and not before."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, ClassVar, Protocol
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from facepuppet.core.errors import SoundError
from facepuppet.sound.delay_line import FADE_S
from facepuppet.sound.endpoints import Endpoint, find_endpoint
from facepuppet.sound.sound_server import Kind, NodeWatch, list_nodes

F32 = NDArray[np.float32]
Heard = Callable[[F32, float], None]  # a block (n,), full scale ±1, and when it ended on time.monotonic()
Fill = Callable[[F32, float], None]  # a block (n,) to fill, and when it starts to be heard
Connect = Callable[[float, float], tuple[Heard, Fill]]
ConnectOutput = Callable[[float], Fill]

RATE_HZ = 48_000  # what calls use; a device that cannot has its own
LATENCY_S = 0.02  # asked of each device: two blocks, so that one may come late
MAX_LATENCY_S = 0.04  # where that does not do; sound is then some 60 ms later, with 0.08 it would be 150
# Of delay that a device is believed to have. A null sink of PulseAudio tells half a second of its monitor at
# the start, which is not so; outputs over the air really take a fifth of one.
_MOST_HEARD_S, _MOST_PLAYED_S = 0.1, 0.4
_ADVICE = MappingProxyType(
    {
        "Linux": "Run `sudo apt-get install libportaudio2` (Fedora: `sudo dnf install portaudio`).",
        "else": "Run `pip install --force-reinstall sounddevice`.",
    }
)


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


class PortAudio:
    """PortAudio's devices, by the package sounddevice.

    Opening looks for devices anew, which ends all streams of the process, so it is left out while another is
    open. One program has one microphone: who else wants to hear it listens to that (`Microphone.listeners`).

    Raises:
        SoundError: the package or the library is not installed.
    """

    def __init__(self) -> None:
        self._fresh = "sounddevice" not in sys.modules  # what it lists is of when it was loaded
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            import platform

            raise SoundError(
                f"no PortAudio ({error})",
                "its library, for sound",
                _ADVICE["Linux" if platform.system() == "Linux" else "else"],
            ) from error
        self._library = sounddevice
        _quieten_alsa()

    def open(self, source: str, sink: str | None, latency_s: float, connect: Connect) -> Streams:
        """Open a microphone and an output, and start both; see SoundSystem."""
        with _Device.opening:
            return self._open(source, sink, latency_s, connect)

    def open_output(self, sink: str, latency_s: float, connect: ConnectOutput) -> OpenOutput:
        """Open an output alone, and start it.

        Args:
            sink: the output's word.
            latency_s: how much it may hold.
            connect: given its rate in Hz, returns what is called for sound.

        Raises:
            SoundError: it cannot be opened.
        """
        with _Device.opening:
            self._look_again()
            device = _Device(self._library, self._find(sink, "sink"), "sink", latency_s)
        output = _Sole(device)
        try:
            device.fill = connect(device.hz)
            device.start()
        except BaseException:
            output.close()
            raise
        return output

    def _open(self, source: str, sink: str | None, latency_s: float, connect: Connect) -> Streams:
        self._look_again()
        output = None
        if sink is not None:
            output = _Device(self._library, self._find(sink, "sink"), "sink", latency_s)
        try:
            capture = _Device(self._library, self._find(source, "source"), "source", latency_s)
        except SoundError:
            if output is not None:
                output.close()
            raise
        streams = _Pair(capture, output)
        try:
            capture.heard, fill = connect(capture.hz, capture.hz if output is None else output.hz)
            if output is not None:
                output.fill = fill
                output.start()
            capture.start()
        except BaseException:
            streams.close()
            raise
        return streams

    def names(self, kind: Kind) -> list[str]:
        """List what `open` takes: the sound server's devices first, then PortAudio's."""
        channels = "max_input_channels" if kind == "source" else "max_output_channels"
        devices = [str(device["name"]) for device in self._devices() if device[channels] > 0]
        return [node.name for node in list_nodes(kind)] + devices

    def host_systems(self) -> list[str]:
        """Name the sound systems that PortAudio reaches here and that have devices."""
        return [str(system["name"]) for system in self._library.query_hostapis() if system["devices"]]

    def _find(self, word: str, kind: Kind) -> Endpoint:
        default = self._library.default.device[0 if kind == "source" else 1]
        if default < 0:  # not chosen by this program: the system's
            with suppress(self._library.PortAudioError):
                default = self._library.query_hostapis(self._library.default.hostapi)[
                    "default_input_device" if kind == "source" else "default_output_device"
                ]
        return find_endpoint(word, kind, self._devices(), default, list_nodes(kind))

    def _devices(self) -> list[Mapping[str, Any]]:
        try:
            return list(self._library.query_devices())
        except self._library.PortAudioError:
            return []

    def _look_again(self) -> None:
        """PortAudio lists devices once: begin again, to see what was plugged in since."""
        if not self._fresh and not _Device.living.any_of(self._library):
            with suppress(self._library.PortAudioError):
                self._library._terminate()
                self._library._initialize()
        self._fresh = False


class _Pair:
    """An open microphone, and perhaps an open output."""

    def __init__(self, capture: _Device, output: _Device | None) -> None:
        self.source, self.sink = capture.endpoint.name, "" if output is None else output.endpoint.name
        self._devices = (capture,) if output is None else (capture, output)
        self._gone = ""
        nodes: list[tuple[Kind, str]] = [
            (device.kind, device.endpoint.node) for device in self._devices if device.endpoint.node
        ]
        self._watch = NodeWatch(nodes, self._lose)

    @property
    def lost(self) -> str:
        dead = [device.endpoint.name for device in self._devices if not device.active]
        return self._gone or (f"'{dead[0]}' has stopped" if dead else "")

    @property
    def slips(self) -> int:
        return sum(device.slips for device in self._devices)

    def close(self) -> None:
        self._watch.close()
        for device in self._devices:
            device.close()

    def _lose(self, name: str) -> None:
        for device in self._devices:
            device.silence()  # at once: the server plays it elsewhere by now
        self._gone = f"'{name}' has gone"


class _Sole:
    """An open output by itself."""

    def __init__(self, device: _Device) -> None:
        self.sink = device.endpoint.name
        self._device = device
        self._gone = ""
        node = device.endpoint.node
        self._watch = NodeWatch([("sink", node)] if node else [], self._lose)

    @property
    def lost(self) -> str:
        return self._gone or ("" if self._device.active else f"'{self.sink}' has stopped")

    def close(self) -> None:
        self._watch.close()
        self._device.close()

    def _lose(self, name: str) -> None:
        self._device.silence()  # at once: the server plays it elsewhere by now
        self._gone = f"'{name}' has gone"


class _Living:
    """Which devices are open; any thread asks and tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: WeakSet[_Device] = WeakSet()

    def add(self, device: _Device) -> None:
        with self._lock:
            self._devices.add(device)

    def discard(self, device: _Device) -> None:
        with self._lock:
            self._devices.discard(device)

    def any_of(self, library: Any) -> bool:
        with self._lock:
            return any(device.library is library for device in self._devices)


class _Device:
    """One stream of PortAudio's, which calls back with blocks of a fade's length.

    PortAudio is one a process: what is open, and that one is being opened, is told of the process.
    """

    living: ClassVar[_Living] = _Living()
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


def _quieten_alsa() -> None:
    """Keep ALSA's library from writing to the terminal: what matters is told in our words.

    Its handler of errors becomes a function of the C library that takes nothing and does nothing, which any
    thread may call at any time, also when this program's interpreter has ended.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # another system
        alsa = ctypes.CDLL("libasound.so.2")
        alsa.snd_lib_error_set_handler(ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p))


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
