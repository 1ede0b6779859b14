"""The microphone through a show: devices that are missing, stall, vanish or are too slow; none is real."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fakes import PATIENCE_S

from facepuppet.core.errors import SoundError
from facepuppet.sound import microphone as module
from facepuppet.sound.microphone import Microphone
from facepuppet.sound.sound_system import Connect
from facepuppet.sound.stream_watch import MAX_SLIPS, SLIPS_S, STALL_S, START_S, StreamWatch

RATE_HZ = 48_000


class Machine:
    """A sound system whose devices run twice as fast as real ones, or as a test says.

    Attributes:
        missing: what opening says; empty where it works.
        lost: what open streams say of themselves.
        stalled: they give and take no blocks.
        level: of the microphone's sound.
        opened: latencies that were asked for.
        played: the newest block of the output.
    """

    def __init__(self) -> None:
        self.missing = self.lost = ""
        self.stalled = False
        self.level = 0.5
        self.slips = 0
        self.opened: list[float] = []
        self.played = np.zeros(0, np.float32)

    def open(self, source: str, sink: str, latency_s: float, connect: Connect) -> OpenStreams:
        if self.missing:
            raise SoundError(self.missing, "one that is there", "Plug it in.")
        self.opened.append(latency_s)
        return OpenStreams(self, connect)


class OpenStreams:
    """Both devices, in one thread."""

    source, sink = "Mic", "Cable"

    def __init__(self, machine: Machine, connect: Connect) -> None:
        self._machine = machine
        self._heard, self._fill = connect(RATE_HZ, RATE_HZ)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> str:
        return self._machine.lost

    @property
    def slips(self) -> int:
        return self._machine.slips

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        block, now_s = np.zeros(480, np.float32), 0.0
        while not self._stopping.wait(0.002):
            if not self._machine.stalled:
                now_s += 0.01
                self._heard(np.full(480, self._machine.level, np.float32), now_s)
                self._fill(block, now_s + 0.01)
                self._machine.played = block.copy()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return holds()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    monkeypatch.setattr(module, "RETRY_S", 0.02)


@contextmanager
def running(machine: Machine, delay_s: Callable[[], float | None] = lambda: 0.05) -> Iterator[Microphone]:
    with Microphone("default", "cable", machine, delay_s) as microphone:
        yield microphone


def test_it_follows_the_pictures_delay() -> None:
    delay_s: list[float | None] = [None]
    with running(Machine(), lambda: delay_s[0]) as microphone:
        assert eventually(lambda: microphone.state.running)
        assert microphone.state.wanted_s == 0.0
        delay_s[0] = 0.123
        assert eventually(lambda: microphone.state.wanted_s == 0.123)
        assert eventually(lambda: abs((microphone.state.measured_s or 0) - 0.123) < 0.01)
        delay_s[0] = None  # nothing new is known
        delay_s[0] = 99.0  # nobody is that late
        assert eventually(lambda: microphone.state.wanted_s == module.MAX_DELAY_S)
        state = microphone.state
    assert (state.source, state.sink, state.problem) == ("Mic", "Cable", "")
    assert state.peak_dbfs == pytest.approx(-6.0, abs=0.1)
    assert json.loads(json.dumps(microphone.to_json()))["source"] == "Mic"


def test_muted_it_sends_silence_and_goes_on_listening() -> None:
    machine = Machine()
    with running(machine) as microphone:
        assert eventually(lambda: bool(machine.played.any()))
        microphone.muted = True
        assert eventually(lambda: not machine.played.any())
        assert microphone.state.muted and microphone.state.running
        assert microphone.state.peak_dbfs == pytest.approx(-6.0, abs=0.1)
        microphone.muted = False
        assert eventually(lambda: bool(machine.played.any()))


def test_muted_before_it_starts_it_is_silent_from_the_first_block() -> None:
    machine = Machine()
    microphone = Microphone("default", "cable", machine, lambda: 0.05)
    microphone.muted = True
    with microphone:
        assert eventually(lambda: microphone.state.running)
        assert not machine.played.any()


def test_no_device_is_told_once_and_tried_again_until_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    machine.missing = "no microphone 'default'"
    with running(machine) as microphone:
        assert eventually(lambda: "no microphone" in microphone.state.problem)
        assert not microphone.state.running and microphone.state.source == "default"
        time.sleep(0.2)
        machine.missing = ""
        assert eventually(lambda: microphone.state.running and not microphone.state.problem)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 2 and "no microphone 'default'" in told[0] and "works again" in told[1]


def test_a_device_that_vanishes_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    with running(machine) as microphone:
        assert eventually(lambda: microphone.state.running)
        machine.lost = "'Cable' has gone"
        assert eventually(lambda: "'Cable' has gone" in microphone.state.problem)
        machine.lost = ""
        assert eventually(lambda: microphone.state.running and microphone.state.restarts > 0)


def test_a_library_that_fails_does_not_end_the_sound() -> None:
    machine = Machine()

    def fail(*_: object) -> OpenStreams:
        raise RuntimeError("broken library")

    works, machine.open = machine.open, fail  # type: ignore[method-assign]
    with running(machine) as microphone:
        assert eventually(lambda: microphone.state.problem == "RuntimeError: broken library")
        machine.open = works  # type: ignore[method-assign]
        assert eventually(lambda: microphone.state.running)


def test_a_sound_system_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    machine, answers = Machine(), threading.Event()
    works = machine.open

    def wait(*words: Any) -> OpenStreams:
        answers.wait(PATIENCE_S)
        return works(*words)

    machine.open = wait  # type: ignore[method-assign]
    with running(machine) as microphone:
        assert eventually(lambda: "does not answer" in microphone.state.problem)
        answers.set()
        assert eventually(lambda: microphone.state.running and not microphone.state.problem)


def test_clipping_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    machine.level = 1.0
    with running(machine) as microphone:
        assert eventually(lambda: microphone.state.clipped > 50)
        assert microphone.state.peak_dbfs == 0.0
    assert sum("too loud" in record.message for record in caplog.records) == 1


def test_listeners_hear_the_microphone_even_while_it_is_muted() -> None:
    heard: list[tuple[int, float, float]] = []
    with running(Machine()) as microphone:
        microphone.muted = True
        microphone.listeners = (lambda sound, hz, ended_s: heard.append((len(sound), hz, float(sound[0]))),)
        assert eventually(lambda: len(heard) > 10)
    assert heard[0] == (480, RATE_HZ, 0.5)


def test_a_listener_that_fails_hears_no_more_and_the_others_do(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[float] = []

    def fail(*_: object) -> None:
        raise ValueError("broken listener")

    with running(Machine()) as microphone:
        microphone.listeners = (fail, lambda sound, hz, ended_s: heard.append(ended_s))
        assert eventually(lambda: len(heard) > 10)
        assert len(microphone.listeners) == 1 and eventually(lambda: microphone.state.running)
    assert sum("hears no more" in record.message for record in caplog.records) == 1


def test_it_stops_twice_and_without_having_found_a_device() -> None:
    machine = Machine()
    machine.missing = "nothing"
    with running(machine) as microphone:
        pass
    microphone.stop()
    assert not microphone.state.running


def be_late(machine: Machine) -> None:
    """Slip until the devices are opened anew."""
    for _ in range(3000):
        machine.slips += 2
        time.sleep(0.005)
        if len(machine.opened) > 1:
            break


def test_a_machine_that_is_late_gives_its_devices_more_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr("facepuppet.sound.stream_watch.START_S", 0.1)
    monkeypatch.setattr("facepuppet.sound.stream_watch.SLIPS_S", 0.1)
    with running(machine) as microphone:
        assert eventually(lambda: microphone.state.running)
        be_late(machine)
        machine.slips += 100
        time.sleep(0.3)
    assert machine.opened == [0.02, 0.04]


def test_a_machine_that_is_in_time_again_lets_its_devices_hold_less(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr("facepuppet.sound.stream_watch.START_S", 0.1)
    monkeypatch.setattr("facepuppet.sound.stream_watch.SLIPS_S", 0.1)
    monkeypatch.setattr(module, "CALM_S", 0.3)
    with running(machine) as microphone:
        assert eventually(lambda: microphone.state.running)
        be_late(machine)
        assert eventually(lambda: len(machine.opened) > 2)
        assert microphone._calm_s == 0.6, "and is tried less and less often"
    assert machine.opened[:3] == [0.02, 0.04, 0.02]


@pytest.mark.parametrize("still", [0, 1])
def test_a_device_that_gives_nothing_more_is_named(still: int) -> None:
    watch, blocks = StreamWatch(("Mic", "Cable")), [1, 1]
    for _ in range(50):
        blocks = [n + 1 for n in blocks]
        watch.look((blocks[0], blocks[1]), 0, 0.1)
    with pytest.raises(SoundError, match=("Mic", "Cable")[still]):
        for _ in range(round(STALL_S / 0.1) + 2):
            blocks[1 - still] += 1
            watch.look((blocks[0], blocks[1]), 0, 0.1)


def test_a_server_may_take_its_time_in_the_beginning() -> None:
    watch = StreamWatch(("Mic", "Cable"))
    for _ in range(round((START_S - 0.2) / 0.1)):
        watch.look((3, 3), 0, 0.1)  # a null sink takes three blocks and then none for two seconds
    with pytest.raises(SoundError):
        for _ in range(10):
            watch.look((3, 3), 0, 0.1)


def test_only_slips_that_go_on_hurry() -> None:
    watch = StreamWatch(("Mic", "Cable"))
    slips = 0
    for k in range(200):
        slips += 3 if k < 25 else k % 20 == 0  # many while it starts, then one in two seconds
        watch.look((k + 1, k + 1), slips, 0.1)
        assert not watch.hurried and watch.calm_s == 0.0
    for k in range(200, 200 + 2 * round(SLIPS_S / 0.1)):
        watch.look((k + 1, k + 1), slips := slips + 1, 0.1)
    assert watch.hurried and MAX_SLIPS > 2
