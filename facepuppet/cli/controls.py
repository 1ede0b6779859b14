"""What can be asked of a run while it is live: re-centre, by a typed line or a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

RECENTRE_KEY = "r"  # in the preview window, and as a line in the terminal
_POLL_S = 0.2


class Controls:
    """Listens to the terminal, and to SIGUSR1 where that exists, for as long as it is entered.

        with Controls(puppet.recentre, window=False) as controls:
            print(controls.hint)

    Standard input is read only when it is a terminal with this program in its foreground: what a script
    pipes in is not ours, and a reading background job would be stopped.

    Args:
        recentre: called from a thread or a signal handler.
        window: whether there is a preview window, whose keys are its own.

    Attributes:
        hint: the ways that work here, in one line for a person; empty if there is none.
    """

    def __init__(self, recentre: Callable[[], None], *, window: bool) -> None:
        self._recentre = recentre
        self._stopping = threading.Event()
        self._terminal_fd = _terminal()
        self._signalled = hasattr(signal, "SIGUSR1") and (
            threading.current_thread() is threading.main_thread()
        )
        ways = [f"type {RECENTRE_KEY} and Enter"] if self._terminal_fd is not None else []
        ways += [f"press {RECENTRE_KEY} in the preview window"] if window else []
        ways += [f"kill -USR1 {os.getpid()}"] if self._signalled else []
        self.hint = f"Re-centre on how you sit and look now: {', or '.join(ways)}." if ways else ""

    def __enter__(self) -> Controls:
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

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._recentre()

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

    def _obey(self, line: bytes) -> None:
        if line.strip().lower() == RECENTRE_KEY.encode() and not self._stopping.is_set():
            self._recentre()


def _terminal() -> int | None:
    """File descriptor of standard input when that is a terminal."""
    try:
        fd = sys.stdin.fileno()
        return fd if os.isatty(fd) else None
    except (AttributeError, OSError, ValueError):  # no standard input at all, or a closed one
        return None
