"""Doing the first half of a job in a thread of its own, a few items ahead of the second half."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def prefetch(items: Iterable[T], depth: int = 8) -> Iterator[Iterator[T]]:
    """Iterate over items in another thread, at most `depth` ahead of whoever takes them.

        with prefetch(tracked_frames) as frames:
            for frame in frames: ...

    Order is kept. An error of the iteration is raised where its item would have come. On leaving
    the block early the thread ends after the item it is working on, and is waited for.
    """
    ready: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    room = threading.Semaphore(depth)
    leaving = threading.Event()

    def work() -> None:
        try:
            for item in items:
                room.acquire()
                if leaving.is_set():
                    return
                ready.put(("item", item))
            ready.put(("end", None))
        except BaseException as error:  # raised again where the items are taken
            ready.put(("error", error))

    def taken() -> Iterator[T]:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            room.release()
            yield value

    worker = threading.Thread(target=work, name="prefetch", daemon=True)
    worker.start()
    try:
        yield taken()
    finally:
        leaving.set()
        room.release()
        worker.join()
