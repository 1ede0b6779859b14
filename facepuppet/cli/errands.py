"""Passing on what keys ask for, so that whoever hears a key waits for nothing."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from types import TracebackType

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError
from facepuppet.session.commands import Command, Panic, Record

_AGAIN_S = 1.0
_JOIN_S = 2.0

log = logging.getLogger(__name__)


class Errands:
    """Passes commands on while it is entered; what cannot be done is told in one line.

    All go at once but those for a recording, which opens a file on a disk that may be slow: they go in their
    order, on a thread of ours, and no panic waits for them. A second panic within a second is left out: it
    is a hurried hand's, and would take the card away again.

    Args:
        send: takes a command; may raise.
        clock: tells how long ago panic was.
    """

    def __init__(self, send: Callable[[Command], None], clock: Clock | None = None) -> None:
        self._send, self._clock = send, clock or SystemClock()
        self._panicked_ns: int | None = None
        self._waiting: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, name="errands", daemon=True)
        self._over = True

    def ask(self, command: Command) -> None:
        """Pass a command on, if this is entered; from any thread, and from a signal handler."""
        if self._over:
            return
        if command == Panic() and self._is_hurried():
            return
        if isinstance(command, Record):
            self._waiting.put(command)
        else:
            self._do(command)

    def _is_hurried(self) -> bool:
        now_ns, before_ns = self._clock.now_ns(), self._panicked_ns
        hurried = before_ns is not None and now_ns - before_ns < _AGAIN_S * 1e9
        self._panicked_ns = before_ns if hurried else now_ns
        return hurried

    def __enter__(self) -> Errands:
        self._over = False
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._waiting.put(None)
        self._thread.join(_JOIN_S)

    def _follow(self) -> None:
        while (command := self._waiting.get()) is not None:
            self._do(command)

    def _do(self, command: Command) -> None:
        try:
            self._send(command)
        except FacepuppetError as problem:
            log.warning("%s", problem)
        except Exception as error:  # a key must not end what hears keys
            log.warning("%s failed: unexpected %s (%s)", type(command).__name__, type(error).__name__, error)
