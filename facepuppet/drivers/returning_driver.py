"""A camera among several drivers: it may be missing at the start, and be gone for as long as it likes."""

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
MEANWHILE = "Others drive until it is there."
MAY_COME = (CameraMissingError, CameraBusyError, CameraBlackError)  # plugged in, let go of, uncovered

log = logging.getLogger(__name__)


class ReturningDriver(Driver):
    """A driver that is opened again whenever it is not there; meanwhile nobody, and others drive.

    Args:
        name: of it, for people, while it is not there.
        opens: opens it.
        driver: the open one; None where it is not there yet.
    """

    live = True

    def __init__(self, name: str, opens: Callable[[], Driver], driver: Driver | None = None) -> None:
        self.description = name if driver is None else driver.description
        self._opens, self._driver = opens, driver
        self._clock: Clock = SystemClock()
        self._smoothing: float | None = None
        self._closed = threading.Event()
        self._opening = threading.Lock()

    def start(self, clock: Clock) -> None:
        """Let it go live, now or once it is there."""
        self._clock = clock
        if self._driver is not None:
            self._driver.start(clock)

    def read(self) -> Expression | None:
        """Wait until it is there, and return its next expression; None at its end and after close()."""
        while not self._closed.is_set():
            try:
                if self._driver is not None:
                    return self._driver.read()
                if not self._closed.wait(AGAIN_S):
                    self._come(self._opens())
            except MAY_COME as problem:
                self._go(problem)
        return None

    def recover(self) -> None:
        """Let it get ready to read again."""
        if (driver := self._driver) is not None:
            driver.recover()

    def recentre(self) -> None:
        """Re-centre it; it begins with that anyway."""
        if (driver := self._driver) is not None:
            driver.recentre()

    def set_smoothing(self, strength: float) -> None:
        """Take more or less tremble out, now or once it is there."""
        self._smoothing = strength
        if (driver := self._driver) is not None:
            driver.set_smoothing(strength)

    def look(self, width_px: int) -> bytes | None:
        """Return what it sees."""
        return None if (driver := self._driver) is None else driver.look(width_px)

    @property
    def light(self) -> float | None:
        """As it sees it."""
        return None if (driver := self._driver) is None else driver.light

    def close(self) -> None:
        """Close it, or wait for it no longer."""
        self._closed.set()
        with self._opening:
            if self._driver is not None:
                self._driver.close()

    @property
    def arrived(self) -> int | None:
        """As of it."""
        return None if (driver := self._driver) is None else driver.arrived

    @property
    def dropped(self) -> int:
        """As of it."""
        return 0 if (driver := self._driver) is None else driver.dropped

    @property
    def rejected(self) -> int:
        """As of it."""
        return 0 if (driver := self._driver) is None else driver.rejected

    def timings(self) -> Mapping[str, Spread]:
        """As of it."""
        return {} if (driver := self._driver) is None else driver.timings()

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

    def _go(self, problem: FacepuppetError) -> None:
        with self._opening:
            driver, self._driver = self._driver, None
        if driver is None:
            log.debug("still not there: %s", problem)
        else:
            log.warning("%s %s", problem, MEANWHILE)
            driver.close()
