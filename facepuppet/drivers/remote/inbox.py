"""Packets from the network, the newest at once: nothing of before waits behind them."""

from __future__ import annotations

import ipaddress
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from facepuppet.core.clock import Clock
from facepuppet.core.errors import DriverError

MOST_BYTES = 65_535
MOST_AT_ONCE = 1000  # packets of one look: a flood must not keep us from speaking
LOOPBACK = "127.0.0.1"


class Packet(NamedTuple):
    """What came from where."""

    content: bytes
    sender: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a sender must be told before it sends, again and again.

    Attributes:
        content: makes the packet, for a reply to this port.
        address: whom it goes to: host and port.
        every_s: how often.
    """

    content: Callable[[int], bytes]
    address: tuple[str, int]
    every_s: float


class UdpInbox:
    """One port that packets come to.

    Linux keeps the oldest packets of a full buffer (212,992 bytes by default), so a reader that paused would
    see the past first: every look takes all that is there.

    Args:
        host: address of this machine to listen on; LOOPBACK hears this machine alone.
        port: 0 is any.
        clock: tells when a greeting is due.
        greeting: None where the sender needs none.
        only_from: address that is heard; None: all.

    Attributes:
        address: host and port that it listens on.

    Raises:
        DriverError: the address is not this machine's, or another program has the port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        clock: Clock,
        greeting: Greeting | None = None,
        *,
        only_from: str | None = None,
    ) -> None:
        self._clock, self._greeting = clock, greeting
        self._only_from = None if only_from is None else _resolved(only_from)
        self._greeted_ns: int | None = None
        self._socket = _bound(host, port)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._waking, self._woken = socket.socketpair()

    @property
    def heard_by(self) -> str:
        """Who can send here, in words."""
        if self._only_from is not None:
            return f"{self._only_from} alone"
        return "this machine alone" if is_loopback(self.address[0]) else "anybody who reaches this address"

    def take(self, timeout_s: float) -> list[Packet]:
        """Wait for packets, and return all there are, the oldest first; none after `close`."""
        self._greet()
        if self._socket.fileno() < 0:
            return []
        try:
            ready, _, _ = select.select([self._socket, self._woken], [], [], timeout_s)
        except (OSError, ValueError):  # closed meanwhile
            return []
        return self._drained() if self._socket in ready else []

    def close(self) -> None:
        """Wake who waits, and free the port; safe to call twice."""
        self._waking.close()
        self._socket.close()

    def _drained(self) -> list[Packet]:
        packets: list[Packet] = []
        while len(packets) < MOST_AT_ONCE:
            try:
                content, sender = self._socket.recvfrom(MOST_BYTES)
            except ConnectionError:  # Windows tells here that nobody heard a greeting
                continue
            except OSError:  # no more, or closed
                break
            if self._only_from in (None, sender[0]):
                packets.append(Packet(content, sender[:2]))
        return packets

    def _greet(self) -> None:
        if self._greeting is None:
            return
        now_ns = self._clock.now_ns()
        if self._greeted_ns is not None and now_ns - self._greeted_ns < self._greeting.every_s * 1e9:
            return
        self._greeted_ns = now_ns
        with suppress(OSError):  # no network, no phone: the next greeting may be heard
            self._socket.sendto(self._greeting.content(self.address[1]), self._greeting.address)


def is_loopback(host: str) -> bool:
    """Whether an address is heard on this machine alone."""
    return ipaddress.ip_address(host).is_loopback


def _resolved(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
    except OSError as error:
        raise _unheard(host, 0, error) from error


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        bound = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise _unheard(host, port, error) from error
    try:
        bound.bind(address)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise _unheard(host, port, error) from error
    return bound


def _unheard(host: str, port: int, error: OSError) -> DriverError:
    return DriverError(
        f"UDP port {port} on {host}, which cannot be listened on ({error.strerror or error})",
        "an address of this machine and a port that no other program has",
        "Close the other receiver, or choose another port.",
    )
