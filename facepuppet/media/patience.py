"""Waiting for a source that went away in the middle of a call, until it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from facepuppet.core.clock import Clock
from facepuppet.core.errors import CameraMissingError

PATIENCE_S = 120.0  # how long a source may be gone
# The last one repeats: cameras take up to a second to open, and shall be back two after they were plugged in.
BACK_OFF_S = (0.25, 0.5)
STEADY_S = 5.0  # one that is lost again sooner was never quite back
SLICE_S = 0.1  # whoever closes a source never waits longer than this for a pause to end

T = TypeVar("T")

log = logging.getLogger(__name__)


class Patience:
    """Asks for a lost source again and again, with growing pauses, until it is back or was gone too long.

    One that comes and goes in quick turns is asked no faster than one that stays away, and told once.

    Args:
        description: of the source.
        clock: of the pauses.
        closed: set when nobody wants the source any more.
        patience_s: how long it may be gone.

    Attributes:
        reconnecting: set while the source is gone.
        reconnects: how often it came back.
    """

    def __init__(self, description: str, clock: Clock, closed: threading.Event, patience_s: float) -> None:
        self.reconnecting = threading.Event()
        self.reconnects = 0
        self._description, self._clock, self._closed = description, clock, closed
        self._patience_s = patience_s
        self._attempts = 0
        self._back_ns: int | None = None

    def until_back(self, reopened: Callable[[], T | None], todo: Callable[[], str]) -> T | None:
        """Return what `reopened` gives once it gives something; None when the source was closed.

        Args:
            reopened: tries once.
            todo: what a person can do when it stays away.

        Raises:
            CameraMissingError: it was gone too long.
        """
        lost_ns = self._clock.now_ns()
        steady = self._back_ns is None or lost_ns - self._back_ns > STEADY_S * 1e9
        self._attempts = 0 if steady else self._attempts
        log.log(
            logging.WARNING if steady else logging.DEBUG, "%s: lost, trying to reconnect", self._description
        )
        self.reconnecting.set()
        while not self._closed.is_set():
            if self._attempts > 0:
                self._pause(BACK_OFF_S[min(self._attempts, len(BACK_OFF_S)) - 1])
            self._attempts += 1
            found = None if self._closed.is_set() else reopened()
            if found is not None:
                self._note_return(steady)
                return found
            if self._clock.now_ns() - lost_ns > self._patience_s * 1e9:
                raise CameraMissingError(
                    f"{self._description}, gone for {self._patience_s:.0f} s",
                    "the camera to come back",
                    todo(),
                )
        return None

    def _note_return(self, steady: bool) -> None:
        log.log(logging.WARNING if steady else logging.DEBUG, "%s: back", self._description)
        self.reconnecting.clear()
        self.reconnects += 1
        self._back_ns = self._clock.now_ns()

    def _pause(self, duration_s: float) -> None:
        end_ns = self._clock.now_ns() + round(duration_s * 1e9)
        while not self._closed.is_set() and (left_ns := end_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(SLICE_S, left_ns * 1e-9))
