"""What a sender must be told before it sends, again and again."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from facepuppet.core.clock import Clock


@dataclass(frozen=True, slots=True)
class Greeting:
    """One that a sender waits for.

    Attributes:
        content: makes the packet, for a reply to this port.
        address: whom it goes to: host and port.
        every_s: how often.
    """

    content: Callable[[int], bytes]
    address: tuple[str, int]
    every_s: float


class Greeter:
    """Tells a sender what it must be told, when that is due.

    Args:
        greeting: None where the sender needs none.
        clock: tells when.
    """

    def __init__(self, greeting: Greeting | None, clock: Clock) -> None:
        self._greeting, self._clock = greeting, clock
        self._last_ns: int | None = None

    def is_over(self, since_ns: int) -> bool:
        """Whether a moment is further away than greetings from each other."""
        every_s = 0.0 if self._greeting is None else self._greeting.every_s
        return self._clock.now_ns() - since_ns >= every_s * 1e9

    def greet(self, by: socket.socket, port: int) -> None:
        """Greet by a socket if it is time, for answers to a port."""
        if self._greeting is None or (self._last_ns is not None and not self.is_over(self._last_ns)):
            return
        self._last_ns = self._clock.now_ns()
        with suppress(OSError):  # no network, no phone: the next greeting may be heard
            by.sendto(self._greeting.content(port), self._greeting.address)
