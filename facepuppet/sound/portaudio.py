"""The machine's sound devices, by PortAudio: loaded when a microphone is wanted and not before."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from facepuppet.core.errors import SoundError
from facepuppet.sound.endpoints import Endpoint, find_endpoint
from facepuppet.sound.portaudio_device import Device
from facepuppet.sound.sound_server import Kind, NodeWatch, list_nodes
from facepuppet.sound.sound_system import Connect, ConnectOutput, OpenOutput, Streams

_ADVICE = MappingProxyType(
    {
        "Linux": "Run `sudo apt-get install libportaudio2` (Fedora: `sudo dnf install portaudio`).",
        "else": "Run `pip install --force-reinstall sounddevice`.",
    }
)


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
        with Device.opening:
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
        with Device.opening:
            self._look_again()
            device = Device(self._library, self._find(sink, "sink"), "sink", latency_s)
        output = _Open(None, device)
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
            output = Device(self._library, self._find(sink, "sink"), "sink", latency_s)
        try:
            capture = Device(self._library, self._find(source, "source"), "source", latency_s)
        except SoundError:
            if output is not None:
                output.close()
            raise
        streams = _Open(capture, output)
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
        if not self._fresh and not Device.living.any_of(self._library):
            with suppress(self._library.PortAudioError):
                self._library._terminate()
                self._library._initialize()
        self._fresh = False


class _Open:
    """A microphone or an output that is open, or both."""

    def __init__(self, capture: Device | None, output: Device | None) -> None:
        self.source, self.sink = ("" if one is None else one.endpoint.name for one in (capture, output))
        self._devices = [device for device in (capture, output) if device is not None]
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


def _quieten_alsa() -> None:
    """Keep ALSA's library from writing to the terminal: what matters is told in our words.

    Its handler of errors becomes a function of the C library that takes nothing and does nothing, which any
    thread may call at any time, also when this program's interpreter has ended.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # another system
        alsa = ctypes.CDLL("libasound.so.2")
        alsa.snd_lib_error_set_handler(ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p))
