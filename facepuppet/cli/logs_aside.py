"""Logging that nobody waits for: a terminal that is held, or a log on a stalled disk, stops no call."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler
from queue import SimpleQueue

from facepuppet.core.side_thread import SideThread

ROOM = 1000  # lines that wait
PATIENCE_S = 2.0  # for the last lines, in the end


@contextmanager
def logs_aside() -> Iterator[None]:
    """Let a thread of its own hand what is logged to the handlers that are there now."""
    root = logging.getLogger()
    handlers = list(root.handlers)

    def write(record: logging.LogRecord) -> None:
        for handler in handlers:
            if record.levelno >= handler.level:
                with suppress(Exception):  # one bad handler shall not silence the others
                    handler.handle(record)

    thread: SideThread[logging.LogRecord] = SideThread("the log", ROOM, write, lambda whole: None)
    root.handlers[:] = [_Handing(thread)]
    try:
        yield
    finally:
        root.handlers[:] = handlers
        thread.finish_within(PATIENCE_S)


class _Handing(QueueHandler):
    """Hands records over, set as text: what their arguments are may have changed when they are written."""

    def __init__(self, thread: SideThread[logging.LogRecord]) -> None:
        super().__init__(SimpleQueue())  # stays empty
        self._thread = thread

    def enqueue(self, record: logging.LogRecord) -> None:
        self._thread.put(record)
