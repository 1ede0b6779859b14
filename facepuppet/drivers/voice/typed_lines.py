"""From bytes to lines of text, whoever sends them and however many at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

MOST_BYTES = 16_384  # of a line; what is longer is handed on in parts
MOST_EARLY = 100  # lines of a terminal that wait until a run has begun

Hear = Callable[[str], None]

log = logging.getLogger(__name__)


class LineAssembler:
    """Puts lines together.

    Args:
        sender: for people.
    """

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self._rest = b""
        self._told = False

    def feed(self, content: bytes) -> Iterator[str]:
        """Give the lines, without their ends, that some more bytes complete."""
        self._rest += content
        while True:
            line, newline, after = self._rest.partition(b"\n")
            if not newline:
                break
            self._rest = after
            yield from self._parts(line)
        if len(self._rest) > MOST_BYTES:
            # Up to the last space: a word is not cut if it can be helped, nor a character.
            cut = self._rest.rfind(b" ", 0, MOST_BYTES) + 1 or _whole(self._rest, MOST_BYTES)
            part, self._rest = self._rest[:cut], self._rest[cut:]
            yield self._text(part)

    def rest(self) -> Iterator[str]:
        """Give the last line, which has no end."""
        line, self._rest = self._rest, b""
        if line:
            yield from self._parts(line)

    def _parts(self, line: bytes) -> Iterator[str]:
        while len(line) > MOST_BYTES:
            cut = line.rfind(b" ", 0, MOST_BYTES) + 1 or _whole(line, MOST_BYTES)
            yield self._text(line[:cut])
            line = line[cut:]
        yield self._text(line)

    def _text(self, line: bytes) -> str:
        try:
            return line.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            if not self._told:
                self._told = True
                log.warning(
                    "Got bytes from %s that are no UTF-8 (%s); expected text. They are left out.",
                    self._sender,
                    error.reason,
                )
            return line.decode(errors="replace").rstrip("\r")


def _whole(content: bytes, n: int) -> int:
    """The largest number of bytes up to n with which no character of UTF-8 is cut."""
    at = n
    while at > n - 4 and content[at] & 0xC0 == 0x80:
        at -= 1
    return at


class TypedLines:
    """Lines of a terminal that somebody else reads, who has commands to look for.

    typed = TypedLines()
    Controls(send, window=False, typed=typed.put)
    open_driver("say", saying=Saying(typed=typed))
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hear: Hear | None = None
        self._early: deque[str] = deque(maxlen=MOST_EARLY)

    def put(self, line: str) -> None:
        """Pass a line on; what is typed before somebody follows waits for that."""
        with self._lock:
            hear = self._hear
            if hear is None:
                self._early.append(line)
        if hear is not None:
            hear(line)

    def follow(self, hear: Hear | None) -> None:
        """Let lines go to `hear` from now on; to nobody if None."""
        with self._lock:
            self._hear = hear
            early, self._early = self._early, deque(maxlen=MOST_EARLY)
        if hear is not None:
            for line in early:
                hear(line)
