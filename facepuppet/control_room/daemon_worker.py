"""One thread that does what it is given, in order, and that no ending program waits for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonWorker(Executor):
    """As ThreadPoolExecutor of one thread; but Python joins the threads of that one before it ends.

    A disk or a camera that hangs would then hold the program for ever.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._closed = False
        self._changing = threading.Lock()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let something be done after all that was given before.

        Raises:
            RuntimeError: it was shut down.
        """
        future: Future[T] = Future()
        with self._changing:
            if self._closed:
                raise RuntimeError("the worker was shut down")
            self._waiting.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more; what is being done goes on and is not waited for, what waits is left undone."""
        with self._changing:
            self._closed = True
            self._waiting.put(None)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            future, work = item
            if self._closed:
                future.cancel()
            elif future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # belongs to who waits for it
                    future.set_exception(error)
            del future, work, item  # else the last frame is kept until the next one comes
