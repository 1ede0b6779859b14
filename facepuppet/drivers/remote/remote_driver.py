"""A driver whose face another program tracks, and tells of on the network."""

from __future__ import annotations

import threading
from collections.abc import Callable

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver
from facepuppet.drivers.remote.inbox import Inbox
from facepuppet.drivers.remote.remote_rest import RemoteRest
from facepuppet.drivers.remote.sender_clock import SenderClock
from facepuppet.drivers.remote.senders_heard import SendersHeard
from facepuppet.wires import Decoder, WireSample, face_of_wire

_SLICE_S = 0.25  # greetings are looked after so often


class RemoteDriver(Driver):
    """Gives what a sender tells, the newest first.

    Args:
        protocol: its name, for people.
        inbox: closed with this.
        make_decoder: of the protocol, one a sender.
        recentre_s: see RemoteRest.

    Attributes:
        heard: who is listened to, and what was not understood.
    """

    live = True

    def __init__(
        self,
        protocol: str,
        inbox: Inbox,
        make_decoder: Callable[[], Decoder],
        *,
        recentre_s: float | None = None,
    ) -> None:
        self.description = "{} on {}:{} ({})".format(protocol, *inbox.address, inbox.heard_by)
        self.heard = SendersHeard(make_decoder)
        self._inbox = inbox
        self._rest = RemoteRest(recentre_s)
        self._times = SenderClock()
        self._clock: Clock = SystemClock()
        self._closed = threading.Event()
        self._asked = threading.Event()  # to re-centre
        self._n_packets = self._n_samples = 0

    def start(self, clock: Clock) -> None:
        """Stamp expressions by this clock from now on."""
        self._clock = clock

    def read(self) -> Expression | None:
        """Block for something new; None after close()."""
        while not self._closed.is_set():
            packets = self._inbox.take(_SLICE_S)
            if self._asked.is_set():
                self._asked.clear()
                self.heard.recentre()
            now_ns = self._clock.now_ns()
            self._n_packets += len(packets)
            sample = self.heard.listen(packets, now_ns)
            if sample is not None:
                return self._expression(sample, now_ns)
        return None

    def recentre(self) -> None:
        """Take the next moments for rest: where the head is, and of an uncalibrated sender the face."""
        self._rest.recentre()
        self._asked.set()

    def close(self) -> None:
        """Free the port and wake a blocked read()."""
        self._closed.set()
        self._inbox.close()
        super().close()

    @property
    def arrived(self) -> int | None:
        """How many packets came."""
        return self._n_packets

    @property
    def dropped(self) -> int:
        """How many samples newer ones came with."""
        return self.heard.replaced

    @property
    def rejected(self) -> int:
        """How many of them were none of the protocol, or somebody else's."""
        return self.heard.malformed + self.heard.ignored

    def _expression(self, sample: WireSample, now_ns: int) -> Expression:
        captured_ns = self._times.captured_ns(sample.sent_s, now_ns)
        self._n_samples += 1
        rest = None if sample.face is None else self._rest.at(sample.face, captured_ns)
        if sample.face is None or rest is None:
            return Expression.absent(self._n_samples, captured_ns)
        return Expression(face_of_wire(sample.face, rest), None, self._n_samples, captured_ns)
