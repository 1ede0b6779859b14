"""A camera that may come late, go, and come back, while the show goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from facepuppet.core.errors import SinkError
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Pixels
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

RETRY_S = 1.0  # between two looks for a camera that is not there
PATIENCE_S = 0.01  # whoever sends waits so long for the driver, and then for no frame until it has answered
MOST_TOLD = 20  # changes; a camera that comes and goes all the time is told of no longer
GIVE_UP_S = 2.0  # close() waits so long for a driver that does not answer

log = logging.getLogger(__name__)


class Reopening(Sink):
    """Hands frames to a camera on a thread of its own, and opens it again when it has gone.

    Whoever sends is never held up: while the camera is away frames are left out, and of those that a slow
    driver has no time for only the newest is kept. Every change is told once.

    Args:
        opens: opens the camera; takes its time, as the thread alone calls it after the first time.
        size_px: width and height of the frames that will come.
        waits: go on without it, and let it join later, where it cannot be opened now.

    Raises:
        SinkError: it cannot be opened, and `waits` is not set.
    """

    def __init__(self, opens: Callable[[], Sink], size_px: tuple[int, int], *, waits: bool = False) -> None:
        self.size_px, self.description = size_px, "virtual camera"
        self.pixels = Pixels.I420  # what most take; the others convert it
        self._opens = opens
        self._told, self._n_told = "", 0
        self._sink: Sink | None = None
        try:
            self._take(opens())
        except SinkError as error:
            if not waits:
                raise
            self._note(error)
        self._slot: LatestSlot[Marked] = LatestSlot()
        self._taken = threading.Event()  # what was sent last
        self._taken.set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def seen_by(self) -> tuple[str, ...]:
        """Return the names of programs that show it; nobody's while it is away."""
        sink = self._sink
        return () if sink is None else sink.seen_by()

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._closing.is_set():
            raise ValueError(f"{self.description} is closed")
        keeps_up = self._taken.is_set()
        self._taken.clear()
        self._slot.put(frame)
        if keeps_up:  # then what a frame takes is what the driver takes, for whoever measures it
            self._taken.wait(PATIENCE_S)

    def close(self) -> None:
        """Release the camera; one whose driver does not answer is left to itself, and told."""
        self._closing.set()
        self._slot.close()
        self._thread.join(GIVE_UP_S)
        if self._thread.is_alive():
            log.error("%s does not answer, and is left.", self.description)

    def _run(self) -> None:
        while not self._closing.is_set():
            if self._sink is None and not self._reopened():
                self._closing.wait(RETRY_S)
            elif (frame := self._slot.take()) is not None:
                self._deliver(frame)
        if self._sink is not None:
            with suppress(Exception):  # nobody waits for it any more
                self._sink.close()

    def _reopened(self) -> bool:
        try:
            self._take(self._opens())
        except Exception as error:  # whatever a driver raises: the next look may find it well
            self._note(error)
            return False
        self._tell(f"{self.description} is there: choose it in your call.")
        return True

    def _take(self, sink: Sink) -> None:
        self._sink, self.away, self._told = sink, None, ""
        self.description, self.pixels = sink.description, sink.pixels

    def _deliver(self, frame: Marked) -> None:
        assert self._sink is not None
        try:
            self._sink.send(frame)
        except Exception as error:  # belongs to the camera, not to the show
            gone, self._sink = self._sink, None
            self._note(error)
            with suppress(Exception):
                gone.abort()
        finally:
            self._taken.set()

    def _note(self, error: Exception) -> None:
        self.away = error
        if str(error) != self._told:
            self._told = str(error)
            self._tell(f"{error} The show goes on, and the camera joins it when it can be opened.")

    def _tell(self, line: str) -> None:
        self._n_told += 1
        if self._n_told <= MOST_TOLD:
            last = " Its coming and going is not told any more." if self._n_told == MOST_TOLD else ""
            log.warning("%s%s", line, last)
