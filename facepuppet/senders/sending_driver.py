"""A driver whose face others hear of, too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Expression
from facepuppet.drivers import Driver, TappedDriver
from facepuppet.senders.sender import Sender
from facepuppet.wires import WireSample, sample_of_expression

_JOIN_S = 2.0

log = logging.getLogger(__name__)


class SendingDriver(TappedDriver):
    """Does what another driver does, and tells of it on a thread of its own: the newest, at once.

    A sender that fails is told of once in the log, and tried again with the next moment.

    Args:
        driver: closed with this.
        senders: closed with this.
    """

    def __init__(self, driver: Driver, senders: Sequence[Sender]) -> None:
        super().__init__(driver)
        self._senders = tuple(senders)
        self._failing: set[Sender] = set()
        self._newest: LatestSlot[Expression] = LatestSlot()
        self._thread = threading.Thread(target=self._run, name="senders", daemon=True)
        self._thread.start()

    def heard(self, expression: Expression) -> None:
        """Let the thread tell of it."""
        self._newest.put(expression)

    def ended(self) -> None:
        """Tell what is left, and close the senders."""
        self._newest.close()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (expression := self._newest.take()) is not None:
            sample = sample_of_expression(expression)
            for sender in self._senders:
                self._send(sender, sample)
        for sender in self._senders:
            sender.close()

    def _send(self, sender: Sender, sample: WireSample) -> None:
        try:
            sender.send(sample)
            self._failing.discard(sender)
        except OSError as error:
            if sender not in self._failing:
                log.warning("%s: not sent (%s)", sender.description, error.strerror or error)
            self._failing.add(sender)
