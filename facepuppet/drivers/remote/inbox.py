"""Packets from the network, the newest at once: nothing of before waits behind them."""

from __future__ import annotations

import ipaddress
import os
import select
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple, Protocol

from facepuppet.core.clock import Clock
from facepuppet.core.errors import DriverError
from facepuppet.drivers.remote.greeter import Greeter, Greeting

MOST_BYTES = 65_535
MOST_AT_ONCE = 1000  # packets of one look: a flood must not keep us from speaking
LOOPBACK = "127.0.0.1"


class Packet(NamedTuple):
    """What came from where."""

    content: bytes
    sender: tuple[str, int]


class Inbox(Protocol):
    """Where packets come to, whatever carries them."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""

    @property
    def heard_by(self) -> str:
        """Who can send here, in words."""

    def take(self, timeout_s: float) -> list[Packet]:
        """Wait for packets, and return all there are, the oldest first; none after `close`."""

    def close(self) -> None:
        """Wake who waits, and free the ports; safe to call twice."""


class UdpInbox:
    """Packets to one port, or to several where senders do not agree on one.

    Linux keeps the oldest packets of a full buffer (212,992 bytes by default), so a reader that paused would
    see the past first: every look takes all that is there.

    Args:
        host: address of this machine to listen on; LOOPBACK hears this machine alone.
        port: 0 is any.
        clock: tells when a greeting is due.
        greeting: None where the sender needs none; it is sent from the first port.
        only_from: address that is heard; None: all.
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
        greeting: Greeting | None = None,
        *,
        only_from: str | None = None,
        also: Sequence[int] = (),
    ) -> None:
        self._greeter = Greeter(greeting, clock)
        self._only_from = None if only_from is None else resolved(only_from)
        self._sockets = bound(host, [port, *also], socket.SOCK_DGRAM)
        self.address: tuple[str, int] = self._sockets[0].getsockname()[:2]
        self._waking, self._woken = socket.socketpair()

    @property
    def heard_by(self) -> str:
        """Who can send here, in words."""
        return heard_by(self.address, self._only_from)

    def take(self, timeout_s: float) -> list[Packet]:
        """Wait for packets, and return all there are, the oldest first; none after `close`."""
        self._greeter.greet(self._sockets[0], self.address[1])
        try:
            ready, _, _ = select.select([*self._sockets, self._woken], [], [], timeout_s)
        except (OSError, ValueError):  # closed meanwhile
            return []
        return [packet for one in self._sockets if one in ready for packet in self._drained(one)]

    def close(self) -> None:
        """Wake who waits, and free the ports; safe to call twice."""
        self._waking.close()
        for one in self._sockets:
            one.close()

    def _drained(self, one: socket.socket) -> list[Packet]:
        packets: list[Packet] = []
        while len(packets) < MOST_AT_ONCE:
            try:
                content, sender = one.recvfrom(MOST_BYTES)
            except ConnectionError:  # Windows tells here that nobody heard a greeting
                continue
            except OSError:  # no more, or closed
                break
            if self._only_from in (None, sender[0]):
                packets.append(Packet(content, sender[:2]))
        return packets


def is_loopback(host: str) -> bool:
    """Whether an address is heard on this machine alone."""
    return ipaddress.ip_address(host).is_loopback


def heard_by(address: tuple[str, int], only_from: str | None) -> str:
    """Return who can send to an address, in words."""
    if only_from is not None:
        return f"{only_from} alone"
    return "this machine alone" if is_loopback(address[0]) else "anybody who reaches this address"


def resolved(host: str) -> str:
    """Return the number of a named machine.

    Raises:
        DriverError: there is none of that name.
    """
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
    except OSError as error:
        raise _unheard(host, 0, socket.SOCK_DGRAM, error) from error


def bound(host: str, ports: Sequence[int], kind: socket.SocketKind) -> list[socket.socket]:
    """Return sockets that wait for nothing, on each of the ports or on none.

    Raises:
        DriverError: the address is not this machine's, or another program has a port.
    """
    with ExitStack() as opened:
        sockets = [opened.enter_context(_bound(host, port, kind)) for port in ports]
        opened.pop_all()
    return sockets


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        made = socket.socket(family, kind)
    except OSError as error:
        raise _unheard(host, port, kind, error) from error
    try:
        if kind == socket.SOCK_STREAM and os.name == "posix":
            # Else a port is closed for a minute after its last connection. On Windows it would be shared.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise _unheard(host, port, kind, error) from error
    return made


def _unheard(host: str, port: int, kind: socket.SocketKind, error: OSError) -> DriverError:
    name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    return DriverError(
        f"{name} port {port} on {host}, which cannot be listened on ({error.strerror or error})",
        "an address of this machine and a port that no other program has",
        "Close the other receiver, or choose another port.",
    )
