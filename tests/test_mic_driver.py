"""A microphone drives: how late, how evenly, and what happens when it is muted, stalls, or is taken away."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from fakes import PATIENCE_S
from private_pulse import PrivatePulse, missing
from program import run
from spoken import SHUT, Sound, jaw, silence, vowel

from facepuppet.cli.sound_options import sound_wanted
from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import CameraMissingError, MediaUnreadableError, SoundError
from facepuppet.core.types import Expression
from facepuppet.drivers import driver_words, returning_driver
from facepuppet.drivers.base import Driver
from facepuppet.drivers.driver_words import open_driver, open_drivers
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.drivers.voice import own_microphone
from facepuppet.drivers.voice.heard_face import GONE_S, HeardFace
from facepuppet.drivers.voice.mic_driver import MicDriver
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.sound import microphone as microphone_module
from facepuppet.sound.microphone import Microphone
from facepuppet.sound.portaudio import PortAudio
from facepuppet.sound.sound_system import Connect

RATE_HZ, BLOCK, FPS = 48_000, 480, 30.0
BLOCK_S = BLOCK / RATE_HZ
SPEAKING = np.concatenate([silence(0.5, RATE_HZ), vowel(0.5, RATE_HZ)])  # over and over


def listen(
    seconds: float,
    silent_between: tuple[float, float] = (0.0, 0.0),
    sound: Sound = SPEAKING,
    *,
    rate_hz: int = RATE_HZ,
    late_s: float = 0.003,
) -> tuple[list[tuple[float, Expression]], HeardFace]:
    """Let a microphone give its blocks in simulated time; return when each expression came, and which.

    No block comes between two times. Blocks come up to `late_s` after they ended.
    """
    n, random = rate_hz // 100, np.random.default_rng(1)
    loud = np.resize(sound, round(seconds * rate_hz)).reshape(-1, n)
    ends_s = BLOCK_S * (1 + np.arange(len(loud)))
    there = (ends_s <= silent_between[0]) | (ends_s > silent_between[1])
    comes_s = np.maximum.accumulate(ends_s + random.uniform(0.0, late_s, len(ends_s)))
    waiting = [
        (float(come_s), block, float(end_s))
        for come_s, block, end_s in zip(comes_s[there], loud[there], ends_s[there], strict=True)
    ]
    face, came = HeardFace(FPS, VoiceSetup()), []
    for now_s in np.arange(0.0, seconds, 0.002):
        while waiting and waiting[0][0] <= now_s:
            _, block, end_s = waiting.pop(0)
            face.hear(block, rate_hz, end_s)
        expression = face.next(float(now_s))
        if expression is not None:
            came.append((float(now_s), expression))
    return came, face


def faces(came: Sequence[tuple[float, Expression]]) -> list[tuple[float, float, float]]:
    """When each face came, of which moment it is, and how far its mouth is open."""
    return [(at_s, one.captured_ns * 1e-9, jaw(one)) for at_s, one in came if one.face is not None]


@pytest.mark.parametrize(
    "rate_hz",
    [48_000, *(pytest.param(hz, marks=pytest.mark.thorough) for hz in (8_000, 16_000, 44_100, 96_000))],
)
def test_a_moment_comes_a_tenth_of_a_second_after_it_was_spoken_and_evenly(rate_hz: int) -> None:
    sound = np.concatenate([silence(0.5, rate_hz), vowel(0.5, rate_hz)])
    came, _ = listen(4.0, sound=sound, rate_hz=rate_hz)
    told = np.array(faces(came)[15:])
    late_s = told[:, 0] - told[:, 1]
    assert 0.07 < np.median(late_s) < 0.11
    assert np.ptp(late_s) < 0.012
    assert np.diff(told[:, 1]) == pytest.approx([1 / FPS] * (len(told) - 1), abs=0.002)


def test_the_stamp_is_of_when_it_was_spoken() -> None:
    came, _ = listen(4.0)
    told = faces(came)
    opens = [two[1] for one, two in itertools.pairwise(told) if one[2] <= SHUT < two[2]]
    assert opens == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.09)


def test_a_microphone_that_stalls_shuts_the_mouth_and_then_nobody_is_there_until_it_is_back() -> None:
    last_s, back_s = 1.9, 4.1  # in the midst of a word both
    came, _ = listen(6.0, (last_s, back_s))
    told = faces(came)
    assert max(open_ for at_s, _, open_ in told if last_s - 0.1 < at_s < last_s + 0.1) > SHUT
    assert all(open_ < SHUT for _, spoken_s, open_ in told if last_s + 0.3 < spoken_s < back_s)
    stalled = [open_ for at_s, _, open_ in told if last_s + 0.4 < at_s < back_s]
    assert stalled and max(stalled) < SHUT
    gone = [one.face for at_s, one in came if last_s + GONE_S + 0.1 < at_s < back_s]
    assert len(gone) > 0.8 * FPS * (back_s - last_s - GONE_S - 0.1)
    assert all(face is None for face in gone)
    assert max(open_ for at_s, _, open_ in told if at_s > back_s + 0.5) > 0.1
    last = [(at_s, spoken_s) for at_s, spoken_s, _ in told if at_s > back_s + 0.5]
    assert all(0.05 < at_s - spoken_s < 0.2 for at_s, spoken_s in last)


def test_times_rise_also_when_a_voice_comes_where_nobody_was() -> None:
    came, _ = listen(6.0, (1.9, 4.1))
    assert {one.face is None for _, one in came} == {True, False}
    assert min(two.captured_ns - one.captured_ns for (_, one), (_, two) in itertools.pairwise(came)) > 0


def test_a_short_hiccup_is_made_up_for() -> None:
    came, face = listen(4.0, (1.62, 1.68))
    told = np.array(faces(came))
    assert np.diff(told[:, 0]).max() < 0.2
    assert face.lag_s < 0.25


def test_before_there_is_a_microphone_nobody_is_there_at_the_output_rate() -> None:
    face = HeardFace(FPS, VoiceSetup())
    told = [one for now_s in np.arange(0.0, 1.0, 0.002) if (one := face.next(float(now_s)))]
    assert all(one.face is None for one in told)
    assert len(told) == pytest.approx(FPS, abs=3)
    assert [one.frame_id for one in told] == list(range(len(told)))


def test_who_does_not_read_for_long_gets_the_newest_then() -> None:
    face = HeardFace(FPS, VoiceSetup())
    for i, block in enumerate(np.resize(SPEAKING, 3 * RATE_HZ).reshape(-1, BLOCK)):
        face.hear(block, RATE_HZ, BLOCK_S * (i + 1))
    told = [one for now_s in np.arange(3.0, 3.1, 0.002) if (one := face.next(float(now_s)))]
    assert told and all(2.7 < one.captured_ns * 1e-9 < 3.0 for one in told)


@pytest.mark.parametrize("strange", [np.nan, np.inf, 1e30])
def test_what_is_no_sound_does_no_harm(strange: float) -> None:
    sound = SPEAKING.copy()
    sound[:: RATE_HZ // 50] = strange
    came, _ = listen(1.0, sound=sound)
    assert all(np.isfinite(open_) for _, _, open_ in faces(came))


class Machine:
    """A sound system whose microphone speaks in real time.

    Attributes:
        gone: it can neither be opened nor stay open.
        sinks: words for outputs with which it was opened.
    """

    def __init__(self) -> None:
        self.gone = False
        self.sinks: list[str | None] = []

    def open(self, source: str, sink: str | None, latency_s: float, connect: Connect) -> Speaking:
        if self.gone:
            raise SoundError("no microphone", "one that is there", "Plug it in.")
        self.sinks.append(sink)
        return Speaking(self, connect, "" if sink is None else sink)


class Speaking:
    """An open microphone whose user says /a/, again and again."""

    source, slips = "Mic", 0

    def __init__(self, machine: Machine, connect: Connect, sink: str) -> None:
        self.sink, self._machine = sink, machine
        self._heard, self._fill = connect(RATE_HZ, RATE_HZ)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> str:
        return "'Mic' has gone" if self._machine.gone else ""

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        said = np.concatenate([silence(0.1, RATE_HZ), vowel(0.4, RATE_HZ)])
        sound, out = said.reshape(-1, BLOCK), np.zeros(BLOCK, np.float32)
        begun_s = time.monotonic()
        for i in itertools.count():
            ends_s = begun_s + BLOCK_S * (i + 1)
            if self._stopping.wait(max(0.0, ends_s - time.monotonic())):
                return
            if not self._machine.gone:
                self._heard(sound[i % len(sound)], ends_s)
                self._fill(out, ends_s + 0.01)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone_module, "LOOK_S", 0.02)
    monkeypatch.setattr(microphone_module, "RETRY_S", 0.02)
    monkeypatch.setattr(returning_driver, "AGAIN_S", 0.02)


@contextmanager
def driving(machine: Machine, sink: str | None = None) -> Iterator[tuple[MicDriver, Microphone]]:
    microphone = Microphone("default", sink, machine, lambda: 0.1)
    with MicDriver(microphone, FPS) as driver, microphone:
        driver.start(SystemClock())
        yield driver, microphone


def read_until(driver: Driver, holds: Callable[[Expression], bool]) -> None:
    """Read until an expression is as wanted."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < PATIENCE_S:
        expression = driver.read()
        assert expression is not None
        if holds(expression):
            return
    pytest.fail("it never came")


def speaks(expression: Expression) -> bool:
    return expression.face is not None and jaw(expression) > 0.1


def rests(expression: Expression) -> bool:
    return expression.face is not None and jaw(expression) < SHUT


@pytest.mark.parametrize("sink", [None, "cable"])
def test_one_microphone_drives_and_is_passed_on(sink: str | None) -> None:
    machine = Machine()
    with driving(machine, sink) as (driver, microphone):
        read_until(driver, lambda expression: speaks(expression) and microphone.state.running)
        state = microphone.state
        assert not state.problem
        assert state.peak_dbfs > -30
        now_s = time.monotonic()
        expression = driver.read()
        assert expression is not None and -0.05 < now_s - expression.captured_ns * 1e-9 < 0.6
    assert machine.sinks == [sink]
    assert microphone.listeners == ()
    assert driver.read() is None
    assert "hear" in driver.timings()


def test_muted_the_mouth_shuts_and_unmuted_it_speaks_again() -> None:
    with driving(Machine()) as (driver, microphone):
        read_until(driver, speaks)
        microphone.muted = True
        read_until(driver, rests)
        microphone.muted = False
        read_until(driver, speaks)


def test_a_microphone_taken_away_is_told_once_and_drives_again_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = Machine()
    with driving(machine) as (driver, microphone):
        read_until(driver, speaks)
        machine.gone = True
        read_until(driver, rests)
        read_until(driver, lambda expression: expression.face is None)
        assert microphone.state.problem and not microphone.state.running
        machine.gone = False
        read_until(driver, speaks)
        assert not microphone.state.problem
    assert len([line for line in caplog.messages if "no microphone" in line]) == 1


def test_its_own_microphone_is_only_listened_to_and_closed_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(own_microphone, "PortAudio", lambda: machine)
    with open_driver("mic:Mic") as driver:
        driver.start(SystemClock())
        read_until(driver, speaks)
        assert driver.live and "Mic" in driver.description
    assert machine.sinks == [None]
    assert not [one for one in threading.enumerate() if one.name == "sound" and one.is_alive()]


class Camera:
    """Opens as a driver, once it is plugged in."""

    def __init__(self) -> None:
        self.there = False

    def open(self, spec: object, **_: object) -> Driver:
        if spec == "mic":
            return ScriptedDriver(60.0)
        if not self.there:
            raise CameraMissingError("no camera", "one that is there", "Plug it in.")
        return ScriptedDriver(60.0)


def test_of_several_drivers_a_camera_may_come_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    camera = Camera()
    monkeypatch.setattr(driver_words, "open_driver", camera.open)
    with pytest.raises(CameraMissingError):
        open_drivers(["0"])
    with pytest.raises(CameraMissingError):
        open_drivers(["0", "1"])
    caplog.clear()
    with open_drivers(["0", "mic"]) as driver:
        driver.start(SystemClock())
        read_until(driver, lambda expression: expression.whose == 1)
        camera.there = True
        read_until(driver, lambda expression: expression.whose == 0)
    assert [line.split()[1] for line in caplog.messages] == ["no", "built-in"]


class Unplugged(ScriptedDriver):
    """A camera that is pulled out after a while."""

    def read(self) -> Expression | None:
        if self._next_id > 3:
            raise CameraMissingError("no camera any more", "one that is there", "Plug it in.")
        return super().read()


def test_a_camera_that_is_pulled_out_comes_back_when_it_is_plugged_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = Camera()
    driver = returning_driver.ReturningDriver("camera 0", lambda: camera.open("0"), Unplugged(60.0))
    driver.start(SystemClock())
    for _ in range(4):
        assert driver.read() is not None
    threading.Timer(0.1, lambda: setattr(camera, "there", True)).start()
    assert driver.read() is not None
    assert [line.split()[-1] for line in caplog.messages] == ["there.", "now"]
    driver.close()
    assert driver.read() is None


def test_of_several_drivers_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MediaUnreadableError, match="does not exist"):
        open_drivers(["none.mp4", "script"])


def test_the_options_mean_one_microphone() -> None:
    alone = sound_wanted(None, None, "auto", ["0", "mic"])
    assert alone is not None and (alone.source, alone.sink) == ("default", None)
    named = sound_wanted(None, "cable", "auto", ["mic:Desk"])
    assert named is not None and (named.source, named.sink) == ("Desk", "cable")
    chosen = sound_wanted("Desk", None, "auto", ["mic"])
    assert chosen is not None and (chosen.source, chosen.sink) == ("Desk", None)
    assert sound_wanted(None, None, "auto", ["0"]) is None


def test_two_microphones_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    show = ("run", "--avatar", str(sample_portrait_path()), "--sink", "page")
    status, _, err = run(capsys, *show, "--driver", "mic:Desk", "--mic", "Lap", "--mic-to", "cable")
    assert status == 2 and "a run has one microphone" in " ".join(err.split())


@pytest.mark.slow
@pytest.mark.parametrize("sink", [None, "two"])
def test_through_a_real_server_moments_are_stamped_with_when_they_were_heard(
    monkeypatch: pytest.MonkeyPatch, sink: str | None
) -> None:
    if missing():
        pytest.skip(f"needs PulseAudio (pulseaudio, pulseaudio-utils); missing: {missing()}")
    with PrivatePulse() as pulse:
        for name, value in pulse.environment.items():
            monkeypatch.setenv(name, value)
        portaudio = PortAudio()
        portaudio._look_again()
        if "pulse" not in portaudio.names("sink"):
            pytest.skip("needs ALSA's way to PulseAudio (libasound2-plugins)")
        microphone = Microphone("one.monitor", sink, portaudio, lambda: 0.15)
        with MicDriver(microphone, FPS) as driver, microphone:
            driver.start(SystemClock())
            read_until(driver, lambda expression: expression.face is not None)
            ear, told = pulse.listen("one.monitor"), []
            time.sleep(0.3)
            player, end_s = pulse.play(np.tile(SPEAKING, 6), "one"), time.monotonic() + 6.0
            while time.monotonic() < end_s:
                expression = driver.read()
                assert expression is not None
                if expression.face is not None:
                    told.append((expression.captured_ns * 1e-9, jaw(expression), time.monotonic()))
            player.stop()
            heard = ear.stop()
            assert microphone.state.running
    loud = np.flatnonzero(np.abs(heard.sound) > 0.02)
    begins = loud[np.diff(loud, prepend=-RATE_HZ) > 0.3 * RATE_HZ]
    spoken_s = np.array([heard.time_s(int(first)) for first in begins])
    opens_s = np.array([two[0] for one, two in itertools.pairwise(told) if one[1] <= SHUT < two[1]])
    apart_s = [float(np.abs(opens_s - one_s).min()) for one_s in spoken_s[1:-1]]
    assert len(apart_s) > 1 and np.median(apart_s) < 0.1
    assert np.median([came_s - captured_s for captured_s, _, came_s in told]) < 0.25
