"""A driver that is not there yet: tried again until it can be opened."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import CameraBlackError, CameraBusyError, CameraMissingError, FacepuppetError
from facepuppet.core.metrics import Spread
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver

AGAIN_S = 3.0
MAY_COME = (CameraMissingError, CameraBusyError, CameraBlackError)  # plugged in, let go of, uncovered

log = logging.getLogger(__name__)


class LateDriver(Driver):
    """Nobody, until a driver can be opened; then that one. For one of several drivers, with others there.

    Args:
        name: of what is not there, for people.
        problem: why it could not be opened; told once.
        opens: opens it.
    """

    live = True

    def __init__(self, name: str, problem: FacepuppetError, opens: Callable[[], Driver]) -> None:
        log.warning("%s Others drive until it is there.", problem)
        self.description = name
        self._opens = opens
        self._driver: Driver | None = None
        self._clock: Clock = SystemClock()
        self._smoothing: float | None = None
        self._closed = threading.Event()
        self._opening = threading.Lock()

    def start(self, clock: Clock) -> None:
        """Go by a clock, once it is there."""
        self._clock = clock

    def read(self) -> Expression | None:
        """Wait until it is there, and return its next expression; None at its end and after close()."""
        while self._driver is None and not self._closed.wait(AGAIN_S):
            try:
                self._come(self._opens())
            except MAY_COME as problem:
                log.debug("still not there: %s", problem)
        return None if self._driver is None else self._driver.read()

    def recover(self) -> None:
        """Let it get ready to read again."""
        if self._driver is not None:
            self._driver.recover()

    def recentre(self) -> None:
        """Re-centre it; it begins with that anyway."""
        if self._driver is not None:
            self._driver.recentre()

    def set_smoothing(self, strength: float) -> None:
        """Take more or less tremble out, now or once it is there."""
        self._smoothing = strength
        if self._driver is not None:
            self._driver.set_smoothing(strength)

    def look(self, width_px: int) -> bytes | None:
        """Return what it sees."""
        return None if self._driver is None else self._driver.look(width_px)

    @property
    def light(self) -> float | None:
        """As it sees it."""
        return None if self._driver is None else self._driver.light

    def close(self) -> None:
        """Close it, or wait for it no longer."""
        self._closed.set()
        with self._opening:
            if self._driver is not None:
                self._driver.close()

    @property
    def arrived(self) -> int | None:
        """As of it."""
        return None if self._driver is None else self._driver.arrived

    @property
    def dropped(self) -> int:
        """As of it."""
        return 0 if self._driver is None else self._driver.dropped

    @property
    def rejected(self) -> int:
        """As of it."""
        return 0 if self._driver is None else self._driver.rejected

    def timings(self) -> Mapping[str, Spread]:
        """As of it."""
        return {} if self._driver is None else self._driver.timings()

    def _come(self, driver: Driver) -> None:
        with self._opening:
            if self._closed.is_set():  # meanwhile
                driver.close()
                return
            log.warning("%s is there now", driver.description)
            if self._smoothing is not None:
                driver.set_smoothing(self._smoothing)
            driver.start(self._clock)
            self.description, self._driver = driver.description, driver
