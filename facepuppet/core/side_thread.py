"""Slow work on a thread of its own: whoever hands it over never waits for a disk or an encoder."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
GIVE_UP_S = 2.0  # throw_away() waits so long for what the thread is in the middle of
TELL_S = 5.0  # finish() says what it waits for when that takes longer
_POLL_S = 0.5  # Ctrl-C must get through everywhere

log = logging.getLogger(__name__)


class SideThread(Generic[T]):
    """Works on items one by one, in order; an item that finds no room is left out, counted, and told.

    Args:
        description: what it writes, in words for a person.
        room: how many items may wait.
        work: done with each item.
        ended: called in the end, on the same thread: with True when all items were worked on, with False
            when they were thrown away or the work failed.

    Attributes:
        left_out: how many items found no room.
        error: what the work met; there is no more of it then.
    """

    def __init__(
        self, description: str, room: int, work: Callable[[T], None], ended: Callable[[bool], None]
    ) -> None:
        self.left_out = 0
        self.error: Exception | None = None
        self._description, self._room, self._work, self._ended = description, room, work, ended
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._finishing = self._throwing_away = False
        self._thread = threading.Thread(target=self._run, name="side", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether no more items are taken."""
        return self._finishing

    def put(self, item: T) -> None:
        """Hand an item over; never waits."""
        with self._changed:
            if len(self._waiting) < self._room:
                self._waiting.append(item)
                self._changed.notify()
                return
        self.left_out += 1
        if self.left_out == 1:
            log.warning("%s cannot be written fast enough: parts are left out of it.", self._description)

    def finish(self) -> None:
        """Let it work on what waits, and wait for that; for a stalled disk until Ctrl-C."""
        self._end(throw_away=False)
        try:
            if not self._is_over(TELL_S):
                log.warning("%s is still being finished; Ctrl-C gives it up.", self._description)
            while not self._is_over(_POLL_S):
                pass
        except KeyboardInterrupt:
            self.throw_away()
            raise

    def throw_away(self) -> None:
        """Forget what waits; work that is stalled ends when it wakes."""
        self._end(throw_away=True)
        self._is_over(GIVE_UP_S)

    def _end(self, *, throw_away: bool) -> None:
        with self._changed:
            self._finishing, self._throwing_away = True, self._throwing_away or throw_away
            self._changed.notify()

    def _is_over(self, patience_s: float) -> bool:
        end_s = time.monotonic() + patience_s
        while self._thread.is_alive() and (left_s := end_s - time.monotonic()) > 0:
            self._thread.join(min(_POLL_S, left_s))
        return not self._thread.is_alive()

    def _take(self) -> T | None:
        """Wait for an item; None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finishing)
            return self._waiting.popleft() if self._waiting and not self._throwing_away else None

    def _run(self) -> None:
        try:
            while (item := self._take()) is not None:
                self._work(item)
            if not self._throwing_away:
                self._ended(True)
        except Exception as error:  # belongs to who hands over, not to this thread
            self.error = error
        if self._throwing_away or self.error is not None:
            self._ended(False)
        self._waiting.clear()
