"""PortAudio's devices as our code meets them: a missing library, refused rates, stamps that lie."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from program import one_line, run

from facepuppet.core.errors import SoundError
from facepuppet.diagnose.sound_check import examine_sound
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.sound import portaudio, sound_server
from facepuppet.sound.portaudio import PortAudio
from facepuppet.sound.sound_server import Node


class Library:
    """A small sounddevice: two devices, which take some rates, and streams that are called by the test."""

    class PortAudioError(Exception):
        pass

    def __init__(self, rates_hz: tuple[float, ...] = (48_000.0,)) -> None:
        self.rates_hz = rates_hz
        self.default = SimpleNamespace(device=(-1, -1), hostapi=0)
        self.streams: list[Stream] = []
        self.looked = 0
        self.RawInputStream = self.RawOutputStream = self._stream

    def query_devices(self) -> list[dict[str, Any]]:
        pulse = {"name": "pulse", "max_input_channels": 32, "max_output_channels": 32}
        mic = {"name": "Mic", "max_input_channels": 1, "max_output_channels": 0}
        return [{**pulse, "default_samplerate": 44_100.0}, {**mic, "default_samplerate": 16_000.0}]

    def query_hostapis(self, index: int | None = None) -> Any:
        host = {"name": "ALSA", "devices": [0, 1], "default_input_device": 1, "default_output_device": 0}
        return [host] if index is None else host

    def _initialize(self) -> None:
        self.looked += 1

    def _terminate(self) -> None:
        pass

    def _stream(self, **how: Any) -> Stream:
        if how["samplerate"] not in self.rates_hz:
            raise self.PortAudioError("Invalid sample rate")
        self.streams.append(Stream(how))
        return self.streams[-1]


class Stream:
    """An open stream; remembers how it was opened and in what environment."""

    def __init__(self, how: dict[str, Any]) -> None:
        self.how = how
        self.sink, self.source = os.environ.get("PULSE_SINK"), os.environ.get("PULSE_SOURCE")
        self.latency = 0.03
        self.active = False

    def start(self) -> None:
        self.active = True

    def abort(self) -> None:
        self.active = False

    def close(self) -> None:
        self.active = False

    def call(self, data: Any, stamps: dict[str, float], *, flags: bool = False) -> None:
        told = SimpleNamespace(inputBufferAdcTime=0.0, outputBufferDacTime=0.0, currentTime=0.0)
        vars(told).update(stamps)
        self.how["callback"](data, self.how["blocksize"], told, flags)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "sounddevice", made)  # type: ignore[arg-type]
    monkeypatch.setattr(portaudio, "list_nodes", lambda kind: [Node("facepuppet", "facepuppet")])
    monkeypatch.setattr(sound_server, "has_pactl", lambda: False)
    return made


def connect(
    heard: Callable[..., None] = lambda *_: None, fill: Callable[..., None] = lambda *_: None
) -> tuple[list[tuple[float, float]], Any]:
    rates: list[tuple[float, float]] = []

    def connected(in_hz: float, out_hz: float) -> Any:
        rates.append((in_hz, out_hz))
        return heard, fill

    return rates, connected


def test_both_devices_are_opened_with_the_servers_names_and_started(library: Library) -> None:
    rates, connected = connect()
    streams = PortAudio().open("facepuppet", "facepuppet", 0.02, connected)
    output, capture = library.streams
    assert rates == [(48_000.0, 48_000.0)] and output.active and capture.active and streams.lost == ""
    assert (output.sink, output.source, capture.sink, capture.source) == (
        "facepuppet",
        None,
        None,
        "facepuppet",
    )
    assert "PULSE_SINK" not in os.environ and "PULSE_SOURCE" not in os.environ
    assert (output.how["channels"], capture.how["channels"], output.how["blocksize"]) == (2, 1, 480)
    capture.active = False
    assert "'facepuppet' has stopped" in streams.lost
    streams.close()
    assert not output.active


def test_a_device_that_refuses_the_usual_rate_gets_its_own(library: Library) -> None:
    library.rates_hz = (16_000.0, 44_100.0)
    rates, connected = connect()
    PortAudio().open("default", "default", 0.02, connected)
    assert rates == [(16_000.0, 44_100.0)]


def test_a_device_that_takes_no_rate_is_told_and_the_other_is_closed(library: Library) -> None:
    library.rates_hz = (44_100.0,)
    with pytest.raises(SoundError, match="'Mic', which cannot be opened"):
        PortAudio().open("Mic", "pulse", 0.02, connect()[1])
    assert len(library.streams) == 1 and not library.streams[0].active


def test_devices_are_looked_for_anew_when_the_library_was_loaded_before(library: Library) -> None:
    PortAudio().open("default", "default", 0.02, connect()[1])
    assert library.looked == 1


def test_an_output_is_opened_alone_and_beside_a_microphone_without_ending_that(library: Library) -> None:
    system, blocks, rates = PortAudio(), [], []

    def connect_output(hz: float) -> Callable[..., None]:
        rates.append(hz)
        return lambda block, starts_s: blocks.append(starts_s)

    streams = system.open("Mic", "pulse", 0.02, connect()[1])
    assert library.looked == 1
    output = system.open_output("facepuppet", 0.02, connect_output)
    assert library.looked == 1 and streams.lost == ""
    alone = library.streams[-1]
    assert (alone.sink, alone.active, rates, output.sink) == ("facepuppet", True, [48_000.0], "facepuppet")
    alone.call(bytearray(480 * 8), {"currentTime": 1.0, "outputBufferDacTime": 1.1})
    assert len(blocks) == 1 and 0.05 < blocks[0] - time.monotonic() < 0.15
    alone.active = False
    assert output.lost == "'facepuppet' has stopped"
    output.close()
    streams.close()
    system.open_output("default", 0.02, connect_output).close()
    assert library.looked == 2  # nothing was open any more
    with pytest.raises(SoundError, match="no output for sound 'nowhere'"):
        system.open_output("nowhere", 0.02, connect_output)


@pytest.mark.parametrize(
    ("adc_s", "ended_ago_s"),
    [
        (100.0 - 0.03, 0.02),  # the block began 30 ms ago and lasts 10
        (100.0, 0.0),  # it would end in the future: it has ended, since it is here
        (99.0, 0.0),  # a second ago is what null sinks say; nobody holds sound for so long
        (0.0, 0.0),  # not told
    ],
)
def test_when_a_block_was_spoken_is_believed_as_far_as_it_can_be_so(
    library: Library, adc_s: float, ended_ago_s: float
) -> None:
    heard: list[tuple[np.ndarray, float]] = []
    PortAudio().open("Mic", "pulse", 0.02, connect(heard=lambda *block: heard.append(block))[1])
    before_s = time.monotonic()
    library.streams[1].call(
        np.full(480, 0.25, np.float32).tobytes(), {"currentTime": 100.0, "inputBufferAdcTime": adc_s}
    )
    sound, ended_s = heard[0]
    assert sound.shape == (480,) and (sound == 0.25).all()
    assert before_s - 0.001 <= ended_s + ended_ago_s <= time.monotonic() + 0.001


@pytest.mark.parametrize(("dac_s", "ahead_s"), [(100.07, 0.07), (0.0, 0.03), (99.0, 0.03), (105.0, 0.03)])
def test_when_a_block_will_be_heard_is_believed_likewise(
    library: Library, dac_s: float, ahead_s: float
) -> None:
    asked: list[float] = []

    def fill(block: np.ndarray, starts_s: float) -> None:
        asked.append(starts_s)
        block[:] = 0.5

    PortAudio().open("Mic", "pulse", 0.02, connect(fill=fill)[1])
    data = bytearray(480 * 2 * 4)
    before_s = time.monotonic()
    library.streams[0].call(data, {"currentTime": 100.0, "outputBufferDacTime": dac_s})
    (starts_s,) = asked
    assert before_s - 0.001 <= starts_s - ahead_s <= time.monotonic() + 0.001
    assert (np.frombuffer(data, np.float32) == 0.5).all()


def test_slips_are_counted(library: Library) -> None:
    streams = PortAudio().open("Mic", "pulse", 0.02, connect()[1])
    library.streams[0].call(bytearray(480 * 2 * 4), {}, flags=True)
    library.streams[1].call(bytes(480 * 4), {}, flags=True)
    library.streams[1].call(bytes(480 * 4), {})
    assert streams.slips == 2


def test_a_device_that_the_server_has_lost_is_silent_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose: list[Callable[[str], None]] = []

    class Watch:
        def __init__(self, nodes: object, gone: Callable[[str], None]) -> None:
            lose.append(gone)

        def close(self) -> None:
            pass

    monkeypatch.setattr(portaudio, "NodeWatch", Watch)
    streams = PortAudio().open("Mic", "facepuppet", 0.02, connect(fill=lambda block, _: block.fill(0.5))[1])
    data = bytearray(480 * 2 * 4)
    library.streams[0].call(data, {})
    assert any(data)
    lose[0]("facepuppet")
    library.streams[0].call(data, {})
    assert not any(data) and streams.lost == "'facepuppet' has gone"


def test_without_the_library_only_the_microphone_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # as where it cannot be imported
    found = examine_sound()
    assert found.verdict == "warn" and "only --mic needs it" in found.detail and found.mend
    words = ["run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--camera", "script"]
    words += ["--no-ui", "--sink", "window", "--mic", "default", "--mic-to", "cable"]
    code, _, err = run(capsys, *words)
    assert code == 2 and "PortAudio" in one_line(err)
