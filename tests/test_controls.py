"""Commands to a live run: by a typed line, by a signal, by a key in the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from fakes import FakeClock, marked, wait_until

from facepuppet.cli.controls import Controls
from facepuppet.cli.errands import Errands
from facepuppet.core.errors import ControlError, OutputUnwritableError
from facepuppet.session.commands import (
    Away,
    Command,
    Freeze,
    Mute,
    Panic,
    Play,
    Recentre,
    Record,
    StopPlaying,
)
from facepuppet.session.verbs import VERBS
from facepuppet.sinks import preview_window as window

posix = pytest.mark.skipif(os.name != "posix", reason="terminals and signals of POSIX")


class Typist:
    """A terminal with a person at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import pty
        import tty

        self._person_fd, self.program_fd = pty.openpty()
        tty.setcbreak(self.program_fd)
        os.set_blocking(self.program_fd, False)
        monkeypatch.setattr("facepuppet.cli.controls._terminal", lambda: self.program_fd)
        # No test has a controlling terminal; what the system would say of one in the foreground:
        self.foreground = os.getpgrp()
        monkeypatch.setattr(os, "tcgetpgrp", lambda fd: self.foreground)

    def type(self, text: str) -> None:
        os.write(self._person_fd, text.encode())


@posix
def test_typed_letters_command_and_other_lines_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    typist, sent = Typist(monkeypatch), SimpleQueue()
    with Controls(sent.put, window=False) as controls:
        assert "r recentre" in controls.hint and "type a letter and Enter" in controls.hint
        for line in ("r\n", "recentre\n", "F\n", "a\n"):
            typist.type(line)
            time.sleep(0.05)
        assert [sent.get(timeout=20) for _ in range(3)] == [Recentre(), Freeze(), Away()]
        with pytest.raises(Empty):
            sent.get(timeout=0.3)
    typist.type("r\n")
    with pytest.raises(Empty):  # nothing listens after the run
        sent.get(timeout=0.5)


@posix
def test_digits_play_bits_in_their_order_and_nought_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    typist, sent = Typist(monkeypatch), SimpleQueue()
    with Controls(sent.put, window=False, bits=("nod", "laugh")) as controls:
        assert controls.hint.startswith("p panic") and ", 1 nod, 2 laugh: type" in controls.hint
        for line in ("2\n", "3\n", "0\n"):
            typist.type(line)
            time.sleep(0.05)
        assert [sent.get(timeout=20) for _ in range(2)] == [Play("laugh"), StopPlaying()]
    assert sent.empty()


@posix
def test_in_the_background_the_terminal_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    typist, sent = Typist(monkeypatch), SimpleQueue()
    typist.foreground = -1
    with Controls(sent.put, window=False):
        typist.type("r\n")
        with pytest.raises(Empty):
            sent.get(timeout=0.5)
        assert os.read(typist.program_fd, 9).strip() == b"r"  # still there, for whom it was meant


@posix
def test_the_signal_recentres_and_its_old_handler_comes_back() -> None:
    sent: list[Command] = []
    before = signal.getsignal(signal.SIGUSR1)
    with Controls(sent.append, window=False) as controls:
        assert f"kill -USR1 {os.getpid()}" in controls.hint
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: sent == [Recentre()])
    assert signal.getsignal(signal.SIGUSR1) is before


def test_piped_input_is_not_read() -> None:
    """A script that runs the program in a loop keeps its own lines."""
    code = (
        "from facepuppet.cli.controls import Controls; import time, sys\n"
        "with Controls(print, window=False) as c: time.sleep(0.5); print('type' in c.hint)\n"
        "print(sys.stdin.read().strip())"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], input="r\n", capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.split() == ["False", "r"]


def test_a_program_without_standard_input_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with Controls(lambda command: None, window=True) as controls:
        assert "preview window" in controls.hint
    with Controls(lambda command: None, window=False) as controls:
        assert "preview window" not in controls.hint


def test_a_key_in_the_preview_window_recentres(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = iter([-1, ord("x"), ord("r"), -1])
    sent: list[Command] = []
    monkeypatch.setattr(window, "display_reachable", lambda: True)
    monkeypatch.setattr(window.cv2, "waitKey", lambda ms: next(pressed, -1))
    for name in ("namedWindow", "resizeWindow", "imshow", "destroyWindow"):
        monkeypatch.setattr(window.cv2, name, lambda *args: None)
    monkeypatch.setattr(window.cv2, "getWindowProperty", lambda *args: 1.0)
    with (
        window.PreviewWindow((160, 128)) as sink,
        Controls(sent.append, window=True) as controls,
    ):
        sink.on_key = controls.press
        for i in range(4):
            sink.send(marked(frame_id=i))
    assert sent == [Recentre()]


def test_every_letter_of_a_verb_is_a_key_and_the_line_that_tells_them_names_all() -> None:
    sent: SimpleQueue[Command] = SimpleQueue()
    with Controls(sent.put, window=True) as controls:
        for letter in "pafrmvqx?":
            controls.press(letter)
        asked = {sent.get(timeout=20) for _ in range(6)}
    assert asked == {Panic(), Away(), Freeze(), Recentre(), Mute(), Record()} and sent.empty()
    for verb in VERBS.values():
        assert not verb.key or f"{verb.key} {verb.name}" in controls.hint


def test_what_cannot_be_done_is_told_in_one_line_and_the_keys_go_on(caplog: pytest.LogCaptureFixture) -> None:
    refusals = {
        Mute(): ControlError(
            "a command for a microphone", "a run with a microphone", "Start again with --mic."
        ),
        Record(): OutputUnwritableError("a full disk", "room", "Make some."),
        Freeze(): RuntimeError("nobody foresaw this"),
    }
    sent: list[Command] = []

    def send(command: Command) -> None:
        if command in refusals:
            raise refusals[command]
        sent.append(command)

    with Controls(send, window=True) as controls:
        for letter in "mvfa":
            controls.press(letter)
        wait_until(lambda: len(caplog.messages) == 3)
        controls.press("p")
    assert sent == [Away(), Panic()]
    assert all("\n" not in line for line in caplog.messages)
    for said in ("Start again with --mic.", "Make some.", "nobody foresaw this"):
        assert said in caplog.text


def test_no_key_waits_for_a_recording_that_a_slow_disk_opens() -> None:
    opened, sent = threading.Event(), list[Command]()

    def send(command: Command) -> None:
        if isinstance(command, Record):
            opened.wait(20.0)
        sent.append(command)

    with Controls(send, window=True) as controls:
        controls.press("v")
        controls.press("p")
        controls.press("a")
        assert sent == [Panic(), Away()]
        opened.set()
    assert sent == [Panic(), Away(), Record()]


def test_a_hurried_hand_does_not_take_the_card_away_again() -> None:
    clock, sent = FakeClock(), list[Command]()
    with Errands(sent.append, clock) as errands:
        for pause_s in (0.0, 0.2, 0.5, 0.7, 0.1):
            clock.advance_s(pause_s)
            errands.ask(Panic())
        assert sent == [Panic(), Panic()], "at once, and 1.4 s later"
        errands.ask(Panic(False))
    assert sent[2:] == [Panic(False)], "what is said in full is done"
