"""Clients of a live run's control: typed lines, keys in the preview window, and SIGUSR1."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType

from facepuppet.cli.errands import Errands
from facepuppet.drivers.voice.typed_lines import LineAssembler
from facepuppet.session.commands import Command, Play, Recentre, StopPlaying
from facepuppet.session.verbs import VERBS

_POLL_S = 0.2


class Controls:
    """Listens to the terminal, and to SIGUSR1 (re-centre) where that exists, for as long as it is entered.

        with Controls(show.send, window=False) as controls:
            print(controls.hint)

    What a letter stands for is told by the verbs (`session.verbs`). Standard input is read only when it is a
    terminal with this program in its foreground: what a script pipes in is not ours, and a reading background
    job would be stopped. Where lines are text for somebody, letters are typed after a slash.

    Args:
        send: given the commands, from a thread or a signal handler; what it raises is told in one line.
        window: whether there is a preview window; its keys come to `press`.
        typed: given every line that is no command, without its end; None where all lines are commands.
        bits: what can be played, in the order of the digits from 1 on; 0 stops.

    Attributes:
        hint: the ways that work here, in one line for a person; empty if there is none.
    """

    def __init__(
        self,
        send: Callable[[Command], None],
        *,
        window: bool,
        typed: Callable[[str], None] | None = None,
        bits: Sequence[str] = (),
    ) -> None:
        self._errands = Errands(send)
        self._keys: dict[str, Command] = {verb.key: verb.command({}) for verb in VERBS.values() if verb.key}
        self._keys |= {str(digit): Play(name) for digit, name in enumerate(bits[:9], 1)}
        self._keys |= {"0": StopPlaying()} if bits else {}
        self._stopping = threading.Event()
        self._typed, self._lines = typed, LineAssembler("the terminal")
        self._terminal_fd = _terminal()
        self._signalled = hasattr(signal, "SIGUSR1") and (
            threading.current_thread() is threading.main_thread()
        )
        way = "type a letter and Enter" if typed is None else "type / and a letter and Enter"
        ways = [way] if self._terminal_fd is not None else []
        ways += ["press it in the preview window"] if window else []
        letters = ", ".join(f"{verb.key} {name}" for name, verb in VERBS.items() if verb.key)
        letters += "".join(f", {digit} {name}" for digit, name in enumerate(bits[:9], 1))
        hints = [f"{letters}: {', or '.join(ways)}."] if ways else []
        if typed is not None and self._terminal_fd is not None:
            hints.append("Every other line is read out; an empty line, or /stop, breaks off.")
        hints += [f"Re-centre from outside: kill -USR1 {os.getpid()}."] if self._signalled else []
        self.hint = " ".join(hints)

    def press(self, key: str) -> None:
        """Send what a key or a typed letter stands for, if it stands for anything; returns at once."""
        if key in self._keys:
            self._errands.ask(self._keys[key])

    def __enter__(self) -> Controls:
        self._errands.__enter__()
        if self._signalled:
            self._before = signal.signal(signal.SIGUSR1, self._on_signal)
        if self._terminal_fd is not None:
            listen = self._follow_terminal if os.name == "posix" else self._follow_console
            threading.Thread(target=listen, args=(self._terminal_fd,), name="controls", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._signalled:
            signal.signal(signal.SIGUSR1, self._before)
        self._errands.__exit__(kind, error, trace)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._errands.ask(Recentre())

    def _follow_terminal(self, terminal_fd: int) -> None:
        """Read lines without ever blocking in a read, so that the thread ends with the run."""
        import select

        while not self._stopping.is_set():
            try:
                ready, _, _ = select.select([terminal_fd], [], [], _POLL_S)
                if not ready:
                    continue
                if os.tcgetpgrp(terminal_fd) != os.getpgrp():
                    self._stopping.wait(_POLL_S)  # the line is for another program
                    continue
                line = os.read(terminal_fd, 1024)
            except (OSError, ValueError):  # the terminal has gone
                return
            if not line:  # end of input
                return
            self._obey(line)

    def _follow_console(self, terminal_fd: int) -> None:
        """Windows has no select for consoles: wait in the read, in a thread that nobody waits for."""
        while not self._stopping.is_set():
            try:
                line = os.read(terminal_fd, 1024)
            except OSError:
                return
            if not line:
                return
            self._obey(line)

    def _obey(self, content: bytes) -> None:
        if self._typed is None:
            self.press(content.strip().lower().decode("ascii", "replace"))
            return
        for line in self._lines.feed(content):
            command = line.strip().lower()
            if command[:1] == "/" and command[1:] in self._keys:
                self.press(command[1:])
            else:
                self._typed(line)


def on_terminal() -> bool:
    """Whether there is a terminal to read lines from."""
    return _terminal() is not None


def _terminal() -> int | None:
    """File descriptor of standard input when that is a terminal."""
    try:
        fd = sys.stdin.fileno()
        return fd if os.isatty(fd) else None
    except (AttributeError, OSError, ValueError):  # no standard input at all, or a closed one
        return None
