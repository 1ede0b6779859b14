"""A portrait that reads out: in step, at rest between, whatever becomes of command, sound and text."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from fakes import wait_until
from private_pulse import PrivatePulse, missing
from program import run

from facepuppet.cli.controls import Controls
from facepuppet.core.errors import DriverError, SoundError, SpeechError
from facepuppet.core.types import Blendshapes, Expression, HeadPose
from facepuppet.diagnose import doctor
from facepuppet.diagnose.doctor import Verdict
from facepuppet.drivers import Driver, Saying, TypedLines, open_driver
from facepuppet.drivers.driver_words import open_drivers
from facepuppet.drivers.first_of import FirstOf
from facepuppet.drivers.voice import say_driver as module
from facepuppet.drivers.voice.line_sources import TerminalLines
from facepuppet.drivers.voice.playback import FADE_S, LEAD_S, PAUSE_S, Playback
from facepuppet.drivers.voice.say_driver import SayDriver
from facepuppet.drivers.voice.say_words import open_say
from facepuppet.drivers.voice.speech_command import SpeechCommand
from facepuppet.drivers.voice.utterance import PLAYED_HZ, Utterance
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.senders import SendingDriver, open_sender
from facepuppet.session.commands import Command, Panic
from facepuppet.sound import loudspeaker
from facepuppet.sound.loudspeaker import Loudspeaker
from facepuppet.sound.sound_system import ConnectOutput
from facepuppet.testing import FakeClock
from facepuppet.voice import RATE_HZ as FACE_HZ

ROOT = Path(__file__).resolve().parents[1]
OPEN = 0.08  # of jawOpen
MOST_READS = 4000
pytestmark = pytest.mark.skipif(os.name != "posix", reason="commands and sockets of POSIX")
thorough = pytest.mark.thorough
espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def vowel(seconds: float, hz: int = 16_000) -> np.ndarray:
    """Something like a voice, (n,), full scale ±1."""
    t = np.arange(round(seconds * hz)) / hz
    tone = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 25))
    return (0.2 * tone).astype(np.float32)


def silence(seconds: float, hz: int = 16_000) -> np.ndarray:
    return np.zeros(round(seconds * hz), np.float32)


def spoken(folder: Path, *pieces: np.ndarray, hz: int = 16_000) -> str:
    """A command that says always the same."""
    path = folder / f"spoken{len(list(folder.iterdir()))}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, hz, 0, "NONE", ""))
        file.writeframes((np.concatenate(pieces) * 32767).astype("<i2").tobytes())
    return f"cat {path}"


class Show:
    """A driver that reads out by simulated time, to nobody, and what it did.

    Attributes:
        jaws: time in s and jawOpen of each expression; NaN where no face was there.
        played: what would have been heard, and when.
    """

    def __init__(self, command: str, **options: Any) -> None:
        self.clock, self.typed = FakeClock(), TypedLines()
        self.jaws: list[tuple[float, float]] = []
        self.played: list[tuple[float, np.ndarray]] = []
        patience_s = options.pop("patience_s", 20.0)
        self.driver = SayDriver(
            TerminalLines(self.typed), SpeechCommand(command, patience_s=patience_s), **options
        )

    def __enter__(self) -> Show:
        self.driver.start(self.clock)
        playback = self.driver._playback
        assert playback is not None
        fill = playback.fill

        def filled(out: np.ndarray, starts_s: float) -> None:
            fill(out, starts_s)
            self.played.append((starts_s, out.copy()))

        playback.fill = filled  # type: ignore[method-assign]
        return self

    def __exit__(self, *args: object) -> None:
        self.driver.close()

    def read(self) -> float:
        """The next jaw; simulated time waits for a command, which is real."""
        wait_until(lambda: self.driver._script.empty)
        expression = self.driver.read()
        assert expression is not None
        self.jaws.append((expression.captured_ns * 1e-9, jaw_of(expression)))
        return self.jaws[-1][1]

    def until(self, holds: Callable[[float], bool]) -> None:
        """Read until an expression's jaw is so."""
        for _ in range(MOST_READS):
            if holds(self.read()):
                return
        raise AssertionError("it never was so")

    def rest(self, seconds: float) -> list[float]:
        """Read on for so long by the clock; the jaws."""
        return [self.read() for _ in range(round(30 * seconds))]

    def until_said(self) -> None:
        """Read until nothing is left to say, and the face has come to rest."""
        self.until(lambda jaw: self.driver._playback.idle)
        self.rest(0.5)

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate([block for _, block in self.played])


def jaw_of(expression: Expression) -> float:
    if expression.face is None:
        return float("nan")
    assert isinstance(expression.face.deformation, Blendshapes)
    return float(expression.face.deformation.weights[ARKIT_INDEX["jawOpen"]])


# In step


@pytest.mark.parametrize(
    ("latency_s", "delay_s", "ppm", "trembles_s", "stumble_s"),
    [
        (0.04, 0.05, 0.0, 0.0, 0.0),
        (0.20, 0.02, 0.0, 0.0, 0.0),
        (0.01, 0.30, 0.0, 0.0, 0.0),
        (0.04, 0.05, 150.0, 0.003, 0.0),
        (0.04, 0.05, 0.0, 0.0, 0.15),
    ],
    ids=["usual", "a slow output", "slow pictures", "a wrong clock that trembles", "an output that stumbles"],
)
def test_the_face_of_a_moment_is_seen_when_that_is_heard(
    latency_s: float, delay_s: float, ppm: float, trembles_s: float, stumble_s: float
) -> None:
    """Clicks, by the times at which a device plays them and the face that is shown has heard them."""
    clock, random = FakeClock(), np.random.default_rng(1)
    playback = Playback(lambda: clock.now_ns() * 1e-9, lambda: delay_s)
    clicks = np.zeros(16_000 * 8, np.float32)
    clicks[8_040::8_000] = 0.5  # in mid-block
    seen: list[tuple[float, float]] = []
    faced: list[np.ndarray] = []
    heard: list[tuple[float, np.ndarray]] = []
    begins_s, face_s = clock.now_ns() * 1e-9, 0.0
    block = np.zeros(480, np.float32)
    for i in range(1000):
        stumbled_s = stumble_s if i >= 400 else 0.0
        now_s = begins_s + i * 0.01 * (1 + 1e-6 * ppm) + stumbled_s
        clock.advance_s(now_s - clock.now_ns() * 1e-9)
        if i == 50:
            utterance = Utterance()
            utterance.add(clicks, 16_000)
            utterance.finish()
            playback.put(utterance)
        told_s = now_s + latency_s + trembles_s * random.uniform(-1, 1)
        playback.fill(block, told_s)
        heard.append((now_s + latency_s, block.copy()))
        if i % 3 == 0:
            face_s = max(face_s, playback.face_s(now_s + delay_s))
            faced.append(playback.hear(face_s))
            seen.append((now_s + delay_s, face_s))
    face, times = np.concatenate(faced), np.array(seen)
    face_clicks_s = np.flatnonzero(face > 0.2) / FACE_HZ
    ear_clicks_s = [
        starts_s + int(sound.argmax()) / PLAYED_HZ for starts_s, sound in heard if sound.max() > 0.2
    ]
    face_clicks_s = face_clicks_s[np.diff(face_clicks_s, prepend=-1.0) > 0.1]
    assert len(ear_clicks_s) == len(face_clicks_s) == 15
    shown_s = np.interp(face_clicks_s, times[:, 1], times[:, 0])
    errors_s = np.abs(shown_s - np.array(ear_clicks_s))
    assert np.median(errors_s) < 0.004
    assert np.sort(errors_s)[-2] < 0.012  # but for one where it stumbled
    # As soon as it can be heard and seen, and no later.
    soonest_s = heard[50][0] - latency_s + max(latency_s, delay_s + LEAD_S) + 0.5025
    assert abs(ear_clicks_s[0] - soonest_s) < 0.04


def test_lips_move_with_a_line_and_shut_after_it(tmp_path: Path) -> None:
    command = spoken(tmp_path, silence(0.2), vowel(0.5), silence(0.6), vowel(0.5), silence(0.2))
    with Show(command) as show:
        assert max(show.rest(1.0)) < OPEN / 4
        assert not show.sound.any()
        show.typed.put("Anything.")
        show.until(lambda jaw: jaw > OPEN)
        show.until_said()
        jaws, sound = np.array(show.jaws), show.sound
    starts_s = show.played[0][0]
    loud = np.abs(sound) > 0.02
    opened_s = jaws[jaws[:, 1] > OPEN, 0] + module.USUAL_DELAY_S + module.ALLOWANCE_S
    assert abs(opened_s[0] - starts_s - np.flatnonzero(loud)[0] / PLAYED_HZ) < 0.08
    assert abs(opened_s[-1] - starts_s - np.flatnonzero(loud)[-1] / PLAYED_HZ) < 0.12
    middle_s = opened_s[0] + 0.8
    pause = jaws[np.abs(jaws[:, 0] + module.USUAL_DELAY_S + module.ALLOWANCE_S - middle_s) < 0.1, 1]
    assert len(pause) and pause.max() < OPEN
    assert jaws[-5:, 1].max() < OPEN / 4
    assert np.allclose(sound[loud][:100].max(), sound[loud].max(), atol=0.5)


def test_an_hour_of_silence_leaves_nothing_behind(tmp_path: Path) -> None:
    with Show(spoken(tmp_path, vowel(0.2))) as show:
        show.rest(4.0)
        assert len(show.driver._face._frames) < 60
        playback = show.driver._playback
        assert playback is not None and not playback._stretches
        assert show.driver._face.until_s > show.driver._face_s  # each moment is known, and none is held


def test_sentences_follow_each_other_with_a_pause_and_lines_that_come_meanwhile_wait(tmp_path: Path) -> None:
    with Show(spoken(tmp_path, vowel(0.4))) as show:
        show.typed.put("One. Two.")
        show.until(lambda jaw: jaw > OPEN)
        show.typed.put("Three.")
        show.until_said()
    loud = np.flatnonzero(np.abs(show.sound) > 0.02)
    gaps_s = np.diff(loud)[np.diff(loud) > 0.1 * PLAYED_HZ] / PLAYED_HZ
    assert gaps_s == pytest.approx([PAUSE_S] * 2, abs=0.03)


@pytest.mark.parametrize(
    "word", ["/stop", pytest.param("", marks=thorough), pytest.param("  /STOP ", marks=thorough)]
)
def test_it_is_broken_off_softly_and_forgets_what_waits(tmp_path: Path, word: str) -> None:
    with Show(spoken(tmp_path, vowel(3.0))) as show:
        show.typed.put("One. Two. Three.")
        show.until(lambda jaw: jaw > OPEN)
        show.rest(0.3)
        n = len(show.played)
        show.typed.put(word)
        show.until_said()
        ended = np.concatenate([block for _, block in show.played[n:]])
        assert 0.8 * FADE_S < np.flatnonzero(np.abs(ended) > 1e-4)[-1] / PLAYED_HZ <= FADE_S
        envelope = np.abs(ended[: round(FADE_S * PLAYED_HZ)]).reshape(-1, 480).max(axis=1)
        assert (np.diff(envelope) < 0).all()
        assert max(show.rest(0.5)) < OPEN / 4
        show.typed.put("Four.")  # and it goes on
        show.until(lambda jaw: jaw > OPEN)


def test_commands_are_not_read_out_and_two_slashes_are_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "log"
    script = tmp_path / "speak"
    script.write_text(f"#!/bin/sh\ncat >> {log}\n{spoken(tmp_path, vowel(0.1))}\n")
    script.chmod(0o755)
    with Show(str(script)) as show:
        for line in ("/panic", "/what", "//etc/hosts is a file.", "First. Second!"):
            show.typed.put(line)
        show.until_said()
    assert log.read_text().splitlines() == ["/etc/hosts is a file.", "First.", "Second!"]
    assert caplog.text.count("Begin text with two slashes") == 1


# What goes wrong


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param("exit 3", "fails (exit status 3)", marks=thorough),
        ("echo garbage", "no WAV begins with"),
        pytest.param("sleep 60", "gives no sound", marks=thorough),
        ("head -c 20000 {wav}; sleep 60", "gives no sound"),  # stalls with its mouth open
        pytest.param("head -c 20000 {wav}; exit 1", "fails (exit status 1)", marks=pytest.mark.thorough),
    ],
)
def test_a_command_that_fails_is_told_once_and_the_mouth_is_shut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: str, told: str
) -> None:
    wav = spoken(tmp_path, vowel(2.0)).split()[1]
    script = tmp_path / "speak"
    script.write_text(f"#!/bin/sh\n{answer.format(wav=wav)}\n")
    script.chmod(0o755)
    with Show(str(script), patience_s=0.2 if "sleep" in answer else 20.0) as show:
        show.typed.put("One. Two.")
        show.until_said()
        assert max(show.rest(0.5)) < OPEN / 4
        assert caplog.text.count(told) == 1
        partly = "{wav}" in answer
        assert (max(jaw for _, jaw in show.jaws) > OPEN) == partly


def test_a_command_that_gives_its_sound_bit_by_bit_is_heard_with_gaps_and_the_mouth_shut_in_them() -> None:
    clock = FakeClock()
    playback, utterance = Playback(lambda: clock.now_ns() * 1e-9, lambda: 0.05), Utterance()
    playback.put(utterance)
    faced: list[np.ndarray] = []
    played: list[np.ndarray] = []
    for i in range(300):
        if i % 100 == 0:
            utterance.add(vowel(0.4), 16_000)
        clock.advance_s(0.01)
        block = np.zeros(480, np.float32)
        playback.fill(block, clock.now_ns() * 1e-9 + 0.04)
        played.append(block)
        faced.append(playback.hear(playback.face_s(clock.now_ns() * 1e-9 + 0.05)))
    for sound, hz in ((np.concatenate(played), PLAYED_HZ), (np.concatenate(faced), FACE_HZ)):
        loud = np.flatnonzero(np.abs(sound) > 0.01)
        gaps_s = np.diff(loud)[np.diff(loud) > 0.1 * hz] / hz
        assert gaps_s == pytest.approx([0.6, 0.6], abs=0.1)
        steps = np.abs(np.diff(sound)).max()
        assert steps < 1.3 * np.abs(np.diff(vowel(0.4, hz))).max()  # no click


def test_a_command_that_never_ends_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("facepuppet.drivers.voice.utterance.MOST_S", 1.0)
    header = tmp_path / "header"
    header.write_bytes(
        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data\0\0\0\0"
    )
    endless = f"cat {header} /dev/urandom"
    with Show(endless) as show:
        show.typed.put("Hello.")
        show.until_said()
    assert "sound for one sentence; the rest is left out" in caplog.text
    assert 0.9 < (np.abs(show.sound) > 0).sum() / PLAYED_HZ < 2.0


def test_what_is_asked_for_wrongly_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="not installed"):
        open_driver("say", voice=VoiceSetup(saying=Saying(command="no-such-speaker", to="none")))
    for word in ("say:no/such/file.txt", "say:host:99999", f"say:{tmp_path}"):
        with pytest.raises(DriverError):
            open_driver(word, voice=VoiceSetup(saying=Saying(command="cat", to="none"))).read()


def test_doctor_knows_whether_anything_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (found,) = doctor._told(doctor._speech)
    assert found.verdict == Verdict.WARN and "apt-get install espeak-ng" in found.mend
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    (found,) = doctor._told(doctor._speech)
    assert (found.verdict, found.detail) == (Verdict.OK, "espeak-ng speaks for --driver say")


# Sources


def test_a_file_is_read_out_to_its_end_and_blank_lines_in_it_mean_nothing(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("One.\n\n\nTwo.\n\nThree.")
    saying = Saying(command=spoken(tmp_path, vowel(0.2)), to="none")
    with open_driver(f"say:{text}", voice=VoiceSetup(saying=saying)) as driver:
        driver.start(FakeClock())
        jaws = []
        while (expression := driver.read()) is not None:
            jaws.append(jaw_of(expression))
            time.sleep(0.001)
    mouths = np.array(jaws) > OPEN
    assert np.count_nonzero(np.diff(mouths.astype(int)) == 1) == 3
    assert jaws[-1] < OPEN / 4


def test_a_chatbot_speaks_through_a_socket_of_this_machine(tmp_path: Path) -> None:
    saying = Saying(command=spoken(tmp_path, vowel(0.2)), to="none")
    path = tmp_path / "say.sock"
    with open_driver(f"say:{path}", voice=VoiceSetup(saying=saying)) as driver:
        driver.start(FakeClock())
        with socket.socket(socket.AF_UNIX) as chatbot:
            chatbot.connect(str(path))
            chatbot.sendall("Grüß Gott.\n".encode())
            assert opens(driver)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open_driver(f"say:{port}", voice=VoiceSetup(saying=saying)) as driver:
        assert f"127.0.0.1:{port}" in driver.description
        driver.start(FakeClock())
        with socket.create_connection(("127.0.0.1", port)) as chatbot:
            chatbot.sendall(b"\xff\xfe\n" + b"A" * 3_000_000 + b" hello.\n")
            assert opens(driver)


def opens(driver: Any) -> bool:
    for _ in range(MOST_READS):
        if jaw_of(driver.read()) > OPEN:
            return True
        time.sleep(0.001)
    return False


def test_typed_lines_are_text_and_letters_after_a_slash_are_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    person_fd, program_fd = pty.openpty()
    monkeypatch.setattr("facepuppet.cli.controls._terminal", lambda: program_fd)
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
    sent: SimpleQueue[Command] = SimpleQueue()
    typed: SimpleQueue[str] = SimpleQueue()
    with Controls(sent.put, window=False, typed=typed.put) as controls:
        assert "type / and a letter" in controls.hint and "breaks off" in controls.hint
        os.write(person_fd, b"p\nHello, you.\n/P\n\n/stop\n")
        assert [typed.get(timeout=20) for _ in range(4)] == ["p", "Hello, you.", "", "/stop"]
        assert sent.get(timeout=20) == Panic()
        assert sent.empty()
    os.close(person_fd)
    os.close(program_fd)


def test_what_is_typed_before_the_run_has_begun_is_read_out_too(tmp_path: Path) -> None:
    show = Show(spoken(tmp_path, vowel(0.2)))
    show.typed.put("Hello.")
    with show:
        show.until(lambda jaw: jaw > OPEN)


# Beside others


def test_beside_a_camera_it_shows_a_face_only_while_it_speaks(tmp_path: Path) -> None:
    with Show(spoken(tmp_path, vowel(0.3)), alone=False) as show:
        assert np.isnan(show.rest(0.2)).all()
        show.typed.put("Hello.")
        show.until(lambda jaw: jaw > OPEN)
        show.until_said()
        assert not np.isnan(show.jaws[-1][1])
        show.rest(module.LINGER_S)
        assert np.isnan(show.read())


def test_before_a_camera_it_takes_over_at_once_and_gives_back(tmp_path: Path) -> None:
    saying = Saying(command=spoken(tmp_path, vowel(0.3)), to="none")
    words = [f"say:{tmp_path}/say.sock", "script"]
    with open_drivers(words, voice=VoiceSetup(saying=saying)) as opened:
        assert isinstance(opened, FirstOf)
        say = opened._seats[0].driver
        assert isinstance(say, SayDriver) and say.certain

    class Hurried:
        """A clock that passes six times as fast."""

        def now_ns(self) -> int:
            return 6 * time.monotonic_ns()

        def sleep_s(self, duration_s: float) -> None:
            time.sleep(duration_s / 6)

    say = open_say(f"say:{tmp_path}/say.sock", setup=VoiceSetup(saying=saying, alone=False))
    with FirstOf([say, Somebody()]) as driver:
        driver.start(Hurried())
        for _ in range(10):
            assert whose(driver, 1).face is not None
        say.say("Hello.")
        assert whose(driver, 0).face is not None
        whose(driver, 1)


class Somebody(Driver):
    """Is there all the time."""

    n, closed = 0, False

    def close(self) -> None:
        self.closed = True
        super().close()

    def read(self) -> Expression | None:
        if self.closed:
            return None
        self.n += 1
        face = face_of_blendshapes(np.zeros(52, np.float32), HeadPose(np.zeros(3, np.float32)))
        return self.paced(Expression(face, None, self.n, self.n * 33_333_333))


def whose(driver: FirstOf, seat: int) -> Expression:
    """Read until somebody drives."""
    for _ in range(MOST_READS):
        expression = driver.read()
        assert expression is not None
        if expression.whose == seat:
            return expression
    raise AssertionError(f"{seat} never drove")


def test_other_programs_hear_what_its_face_does(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.bind(("127.0.0.1", 0))
        program.settimeout(20.0)
        sender = open_sender("vmc:127.0.0.1:{1}".format(*program.getsockname()))
        show = Show(spoken(tmp_path, vowel(0.3)))
        with SendingDriver(show.driver, [sender]) as sending, show:
            show.typed.put("Hello.")
            wait_until(lambda: jaw_of(sending.read()) > OPEN)
            wait_until(lambda: b"jawOpen" in program.recv(65_536) or sending.read() is None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--say-to", "none"), "need --driver say"),
        (("--driver", "say", "--driver", "say"), "--driver say twice"),
        pytest.param(
            ("--driver", "say:no.txt", "--say-command", "cat"), "names no file that is there", marks=thorough
        ),
        pytest.param(
            ("--driver", "say", "--say-command", "no-such-speaker"),
            "'no-such-speaker', which is not installed",
            marks=thorough,
        ),
    ],
)
def test_the_program_says_what_it_needs_to_read_out(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ("run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--no-ui", "--sink")
    status, _, err = run(capsys, *usual, "page.mkv", *words)
    assert status in (1, 2) and told in " ".join(err.replace("│", " ").split())


# The output


class Outputs:
    """A sound system with one output that plays in real time.

    Attributes:
        missing: what opening says; empty where it works.
        lost: what the open output says of itself.
        loudest: of what it was given.
        opened: how often.
    """

    def __init__(self, hz: float = 48_000) -> None:
        self.missing = self.lost = ""
        self.hz, self.loudest, self.opened = hz, 0.0, 0

    def open_output(self, sink: str, latency_s: float, connect: ConnectOutput) -> OneOutput:
        if self.missing:
            raise SoundError(self.missing, "one that is there", "Plug it in.")
        self.opened += 1
        return OneOutput(self, connect)


class OneOutput:
    sink = "Speakers"

    def __init__(self, outputs: Outputs, connect: ConnectOutput) -> None:
        self._outputs, self._fill = outputs, connect(outputs.hz)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> str:
        return self._outputs.lost

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        block = np.zeros(round(self._outputs.hz / 100), np.float32)
        while not self._stopping.wait(0.01):
            self._fill(block, time.monotonic() + 0.02)
            self._outputs.loudest = max(self._outputs.loudest, float(np.abs(block).max()))


def test_an_output_that_is_missing_or_lost_is_told_once_and_the_lips_go_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loudspeaker, "MOST_RETRY_S", 0.05)
    monkeypatch.setattr(loudspeaker, "LOOK_S", 0.02)
    outputs = Outputs()
    outputs.missing = "no output"
    with real_time(spoken(tmp_path, vowel(0.3)), outputs) as (driver, typed):
        wait_until(lambda: "no output" in caplog.text)
        typed.put("Hello.")
        assert opens(driver)
        time.sleep(0.2)
        assert caplog.text.count("no output") == 1 and outputs.loudest == 0.0
        outputs.missing = ""
        wait_until(lambda: "works again" in caplog.text)
        typed.put("Hello.")
        wait_until(lambda: jaw_of(driver.read()) > OPEN and outputs.loudest > 0.1)
        outputs.lost, outputs.missing = "'Speakers' has gone", "still gone"
        wait_until(lambda: "still gone" in caplog.text)
        typed.put("Hello.")
        assert opens(driver)


@contextmanager
def real_time(command: str, outputs: Outputs) -> Iterator[tuple[SayDriver, TypedLines]]:
    from facepuppet.core.clock import SystemClock

    typed = TypedLines()
    with SayDriver(TerminalLines(typed), SpeechCommand(command), system=outputs) as driver:
        driver.start(SystemClock())
        yield driver, typed


def test_an_output_with_a_rate_of_its_own_plays_the_same_pitch() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
    place, asked = 0, []

    def fill(out: np.ndarray, starts_s: float) -> None:
        nonlocal place
        out[:] = tone[place : place + len(out)]
        place += len(out)
        asked.append(starts_s)

    speaker = Loudspeaker("x", Outputs(), fill)
    filled = speaker._connect(44_100.0)
    blocks = [np.zeros(441, np.float32) for _ in range(90)]
    for i, block in enumerate(blocks):
        filled(block, 10.0 + 0.01 * i)
    crossings = np.flatnonzero(np.diff(np.signbit(np.concatenate(blocks)[4410:])))
    assert np.diff(crossings).mean() == pytest.approx(44_100 / 880, rel=1e-3)
    assert np.abs(np.diff(asked) - 0.01).max() < 0.011 and asked[-1] == pytest.approx(10.9, abs=0.02)


# The whole program


@espeak
def test_espeak_is_heard_and_moves_the_lips() -> None:
    with Show("espeak-ng -v de --stdin --stdout -z") as show:
        show.typed.put("Guten Morgen, Papa. Wie geht es?")
        show.until(lambda jaw: jaw > OPEN)
        show.until_said()
        assert max(show.rest(0.5)) < OPEN / 4
    assert 1.5 < (np.abs(show.sound) > 0).sum() / PLAYED_HZ < 4.0


RUN = "import sys; from facepuppet.cli import main; main(sys.argv[1:])"


def program(folder: Path, *words: str) -> list[str]:
    """The command line of a run that reads out."""
    usual = ["--avatar", str(sample_portrait_path()), "--right", "public-domain", "--no-ui", "--no-settings"]
    return [sys.executable, "-c", RUN, "run", *usual, "--sink", str(folder / "out.mkv"), *words]


@thorough
def test_the_program_reads_out_what_is_piped_into_it_and_ends(tmp_path: Path) -> None:
    speaks = ["--driver", "say", "--say-command", spoken(tmp_path, vowel(0.5)), "--say-to", "none"]
    done = subprocess.run(
        program(tmp_path, *speaks),
        input=b"One. Two.\n\nThree.\n",
        capture_output=True,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        cwd=ROOT,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert b"standard input, spoken by cat" in done.stderr and b"Traceback" not in done.stderr


@thorough
def test_ctrl_c_ends_a_command_that_hangs_too(tmp_path: Path) -> None:
    script = tmp_path / "speak"
    script.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\nwait\n")
    script.chmod(0o755)
    (tmp_path / "text.txt").write_text("Hello.\n")
    speaks = ["--driver", f"say:{tmp_path}/text.txt", "--say-command", str(script), "--say-to", "none"]
    with subprocess.Popen(
        program(tmp_path, *speaks),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        cwd=ROOT,
    ) as run:
        child = tmp_path / "child"
        wait_until(lambda: child.exists() and bool(child.read_text().strip()))
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=60)
    assert run.returncode == 0 and b"Traceback" not in told
    stat = Path(f"/proc/{int(child.read_text())}/stat")
    wait_until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")


@thorough
@pytest.mark.skipif(bool(missing()), reason=f"needs PulseAudio; missing: {missing()}")
def test_it_is_heard_at_an_output_of_a_real_sound_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facepuppet.core.clock import SystemClock
    from facepuppet.sound import PortAudio

    with PrivatePulse(("one",)) as pulse:
        for name, value in pulse.environment.items():
            monkeypatch.setenv(name, value)
        if "pulse" not in PortAudio().names("sink"):
            pytest.skip("needs ALSA's way to PulseAudio (libasound2-plugins)")
        typed = TypedLines()
        saying = Saying(command=spoken(tmp_path, vowel(0.5)), to="one", typed=typed)
        with open_driver("say", voice=VoiceSetup(saying=saying)) as driver:
            driver.start(SystemClock())
            for _ in range(60):
                driver.read()
            ear = pulse.listen("one.monitor")
            time.sleep(0.5)
            typed.put("Hello.")
            assert opens(driver)
            for _ in range(30):
                driver.read()
            heard = ear.stop()
    assert 0.3 < (np.abs(heard.sound) > 0.01).sum() / 48_000 < 0.6
