"""The latest-frame-wins slot between two threads of the live loop."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds at most one item: a newer item replaces an older one that nobody took.

    Dropping is the design, not an accident, so it is counted: `dropped` is the number of
    items replaced before they were taken. All methods are thread-safe.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, item: T) -> None:
        """Offer an item; never blocks. Ignored after close()."""
        with self._changed:
            if self._closed:
                return
            if self._item is not None:
                self._dropped += 1
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Block for the newest item and remove it; None on time-out or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake every waiter; items already in the slot can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def full(self) -> bool:
        """True while an item waits to be taken."""
        with self._changed:
            return self._item is not None

    @property
    def closed(self) -> bool:
        """True once close() was called."""
        with self._changed:
            return self._closed

    @property
    def dropped(self) -> int:
        """How many items were replaced before anybody took them."""
        with self._changed:
            return self._dropped
