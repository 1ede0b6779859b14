"""Packets that come as one stream, told apart by a mark at the end of each."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Sequence

from facepuppet.core.clock import Clock
from facepuppet.drivers.remote.greeter import Greeter, Greeting
from facepuppet.drivers.remote.inbox import MOST_BYTES, Packet, bound, heard_by, resolved

MOST_AT_ONCE = 262_144  # bytes of one look: more than a phone sends in four seconds
_PIECE = 65_536

log = logging.getLogger(__name__)


class TcpInbox:
    """A port that one sender connects to; when it connects anew, that counts.

    Args:
        host: address of this machine to listen on.
        port: 0 is any.
        clock: tells when a greeting is due.
        end_mark: after each packet.
        greeting: sent by UDP, as long as nothing comes.
        only_from: address whose connections are taken; None: all.
        also: further ports.

    Attributes:
        address: host and first port that it listens on.

    Raises:
        DriverError: the address is not this machine's, or another program has a port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        clock: Clock,
        end_mark: bytes,
        greeting: Greeting | None = None,
        *,
        only_from: str | None = None,
        also: Sequence[int] = (),
    ) -> None:
        self._clock, self._end_mark = clock, end_mark
        self._greeter = Greeter(greeting, clock)
        self._only_from = None if only_from is None else resolved(only_from)
        self._listening = bound(host, [port, *also], socket.SOCK_STREAM)
        self.address: tuple[str, int] = self._listening[0].getsockname()[:2]
        for one in self._listening:
            one.listen(4)
        self._greeting_by = socket.socket(self._listening[0].family, socket.SOCK_DGRAM)
        self._waking, self._woken = socket.socketpair()
        self._speaking: socket.socket | None = None
        self._speaker = ("", 0)
        self._heard_ns: int | None = None
        self._begun = b""  # of a packet whose end has not come

    @property
    def heard_by(self) -> str:
        """Who can send here, in words."""
        return heard_by(self.address, self._only_from)

    def take(self, timeout_s: float) -> list[Packet]:
        """Wait for packets, and return all there are, the oldest first; none after `close`."""
        if self._heard_ns is None or self._greeter.is_over(self._heard_ns):
            self._greeter.greet(self._greeting_by, self.address[1])
        speaking = self._speaking
        waited = [*self._listening, self._woken, *([] if speaking is None else [speaking])]
        try:
            ready, _, _ = select.select(waited, [], [], timeout_s)
        except (OSError, ValueError):  # closed meanwhile
            return []
        packets = [] if speaking is None or speaking not in ready else self._read(speaking)
        for one in self._listening:
            if one in ready:
                self._accept(one)
        return packets

    def close(self) -> None:
        """Wake who waits, and free the ports; safe to call twice."""
        self._waking.close()
        self._greeting_by.close()
        for one in self._listening:
            one.close()
        self._hang_up()

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, sender = listening.accept()
        except OSError:  # gone again, or closed
            return
        if self._only_from not in (None, sender[0]):
            connection.close()
            return
        connection.setblocking(False)
        self._hang_up()
        # By its address alone: who comes back on another port is the one who was heard before.
        self._speaking, self._speaker = connection, (sender[0], 0)
        log.info("%s:%d is connected", *sender[:2])

    def _read(self, speaking: socket.socket) -> list[Packet]:
        came = bytearray(self._begun)
        ended = False
        while len(came) < MOST_AT_ONCE:
            try:
                piece = speaking.recv(_PIECE)
            except BlockingIOError:
                break
            except OSError:  # reset, or closed
                piece = b""
            if not piece:
                ended = True
                break
            self._heard_ns = self._clock.now_ns()
            came += piece
        *whole, self._begun = bytes(came).split(self._end_mark)
        if len(self._begun) > MOST_BYTES:  # that end never comes: told, to be counted as no packet
            whole.append(self._begun)
            self._begun = b""
        if ended:
            self._hang_up()
            self._heard_ns = None  # to be asked at once
        return [Packet(content, self._speaker) for content in whole if content]

    def _hang_up(self) -> None:
        """Forget the connection, and what it has not said to its end."""
        if self._speaking is not None:
            self._speaking.close()
        self._speaking, self._begun = None, b""
