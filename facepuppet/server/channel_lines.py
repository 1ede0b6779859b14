"""Lines to be read out that a peer sends on its data channel."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from facepuppet.core.errors import ServerError
from facepuppet.drivers.voice.line_sources import LineSource
from facepuppet.drivers.voice.say_driver import STOP
from facepuppet.drivers.voice.typed_lines import MOST_BYTES, Hear

MOST_WAITING = 64  # lines that nobody has taken yet
_JOIN_S = 1.0


class ChannelLines(LineSource):
    """Takes lines from an event loop, which never waits, to whoever reads them out.

    Attributes:
        room: asked how many letters may still wait to be said; as many as wanted before somebody sets it.
    """

    description = "lines of a peer"

    def __init__(self) -> None:
        self.room: Callable[[], int] | None = None
        self._waiting: deque[str] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, text: str) -> None:
        """Let a text be read out after those before; "/stop" breaks off, and forgets what waits.

        Raises:
            ServerError: a text that is empty, too long or another command, or too much of it.
        """
        stripped = " ".join(text.split())
        if not stripped:
            raise ServerError("nothing to say", f"a text, or {STOP}", "Send some.")
        size = len(stripped.encode(errors="replace"))
        if size > MOST_BYTES:
            raise ServerError(f"{size:,} bytes to say", f"at most {MOST_BYTES:,}", "Send it in parts.")
        stops = stripped.lower() == STOP
        if stripped.startswith("/") and not stripped.startswith("//") and not stops:
            raise ServerError(
                "a command that is none", STOP, "Begin a text with two slashes to have one of them read."
            )
        with self._changed:
            if stops:
                self._waiting.clear()
            elif len(self._waiting) >= MOST_WAITING or not self._has_room(stripped):
                raise ServerError(
                    "more to say than can wait", "text that is said before more comes", "Wait, or send /stop."
                )
            self._waiting.append(stripped)
            self._changed.notify()

    def start(self, hear: Hear, ended: Callable[[], None]) -> None:
        """Hand lines over from now on; they end when the driver is closed."""
        self._thread = threading.Thread(target=self._follow, args=(hear,), name="lines to say", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hand no more over."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _has_room(self, line: str) -> bool:
        taken = sum(map(len, self._waiting))
        return self.room is None or taken + len(line) <= self.room()

    def _follow(self, hear: Hear) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                line = self._waiting.popleft()
            hear(line)
