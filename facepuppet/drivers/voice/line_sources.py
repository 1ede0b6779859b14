"""Where lines to be read out come from: a terminal, a pipe, a file; `line_sockets` has sockets."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from facepuppet.core.errors import DriverError
from facepuppet.drivers.voice.typed_lines import Hear, LineAssembler, TypedLines

_BYTES = 16_384  # of one look
_POLL_S = 0.1
_JOIN_S = 1.0


class LineSource(ABC):
    """Hands lines over, from a thread of its own, between `start` and `close`.

    Attributes:
        description: where they come from, in words for a person.
        waits: it is read no faster than lines are spoken, and an empty line in it means nothing: a text that
            was written before, and nobody who is there.
    """

    description: str
    waits: bool = False

    @abstractmethod
    def start(self, hear: Hear, ended: Callable[[], None]) -> None:
        """Begin; `hear` is given each line without its end, `ended` is called when there will be no more."""

    @abstractmethod
    def close(self) -> None:
        """Release what is held."""


class TerminalLines(LineSource):
    """A terminal, or nobody: what is typed is handed to `typed` by who reads it."""

    def __init__(self, typed: TypedLines) -> None:
        self.description = "lines typed here"
        self._typed = typed

    def start(self, hear: Hear, ended: Callable[[], None]) -> None:
        """Hear what is typed from now on; a terminal never ends."""
        self._typed.follow(hear)

    def close(self) -> None:
        """Hear no more."""
        self._typed.follow(None)


class StreamLines(LineSource):
    """A file, a pipe or standard input, to its end; a named pipe has none.

    Args:
        fd: closed with this, if it is not standard input.
        name: for people.
    """

    waits = True

    def __init__(self, fd: int, name: str) -> None:
        self.description = name
        self._fd = fd
        # Where its end can be waited for; on Windows, and for files, a read is waited for.
        self._selectable = os.name == "posix" and not stat.S_ISREG(os.fstat(fd).st_mode)
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def of_path(cls, path: Path) -> StreamLines:
        """Open a text file or a named pipe.

        Raises:
            DriverError: it cannot be read.
        """
        try:
            piped = stat.S_ISFIFO(path.stat().st_mode)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            # Who holds a pipe's other end, too, never sees its end: writers may come and go.
            flags = os.O_RDWR | os.O_NONBLOCK if piped else os.O_RDONLY | getattr(os, "O_BINARY", 0)
            return cls(os.open(path, flags), f"'{path}'")
        except OSError as error:
            raise DriverError(
                f"'{path}', which cannot be read ({error.strerror})",
                "a text file, a pipe or a socket to read lines from",
                "Check its name.",
            ) from error

    def start(self, hear: Hear, ended: Callable[[], None]) -> None:
        """Read from now on; `hear` may wait."""
        self._thread = threading.Thread(
            target=self._follow, args=(hear, ended), name="lines to say", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Read no more."""
        self._closed.set()
        if self._thread is not None and os.name != "nt":  # there nothing wakes it from its read
            self._thread.join(_JOIN_S)
        if self._fd > 2:
            with suppress(OSError):
                os.close(self._fd)

    def _follow(self, hear: Hear, ended: Callable[[], None]) -> None:
        lines = LineAssembler(self.description)
        with suppress(OSError, ValueError):  # closed meanwhile
            while not self._closed.is_set():
                if self._selectable and not select.select([self._fd], [], [], _POLL_S)[0]:
                    continue
                content = os.read(self._fd, _BYTES)
                if not content:
                    break
                for line in lines.feed(content):
                    hear(line)
        for line in lines.rest():
            hear(line)
        ended()


def standard_input(typed: TypedLines | None) -> LineSource:
    """Return a source of what is typed or piped into this program.

    Args:
        typed: given what is typed, where standard input is a terminal that somebody else reads.
    """
    if typed is not None:
        return TerminalLines(typed)
    try:
        return StreamLines(sys.stdin.fileno(), "standard input")
    except (AttributeError, OSError, ValueError) as error:
        raise DriverError(
            "no standard input", "lines to say", "Name a socket or a file: say:/tmp/say.sock, say:text.txt."
        ) from error
