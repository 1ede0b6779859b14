"""What a server is made of, before Ray comes in: importing this imports nothing heavy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from facepuppet.server.messages import Join, Told
from facepuppet.server.seams import Desk, Hosts
from facepuppet.server.sizes import Sizes


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """How a session goes.

    Attributes:
        status: what its peer was told last.
        received: bytes of media that came, since it began.
        sent: bytes that went, to watchers too.
    """

    status: Mapping[str, Any]
    received: int
    sent: int


class Performer(Protocol):
    """What performs sessions in a host's process (`session_host.SessionHost`)."""

    @property
    def taken(self) -> int:
        """How many are here."""

    async def figures(self) -> Mapping[str, SessionFigures]:
        """Return how the sessions go, by their ids."""

    def perform(self, join: Join) -> AsyncIterator[Told]:
        """Perform one session; see `seams.Hosts.perform`. It answers OCCUPIED where there is no place."""


@dataclass(frozen=True, slots=True)
class Front:
    """What a reception's process offers.

    Attributes:
        desk: to hosts.
        app: to HTTP, ASGI.
        close: lets nobody in any more, tells everybody that it is over in so many seconds, and sees to it.
    """

    desk: Desk
    app: Any
    close: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the deployments are made of; both functions travel to their processes, and are called there.

    Attributes:
        make_host: makes what performs, once in each host's process, of its desk and how many places it has.
        make_front: makes the reception, of the hosts that it may send people to.
        sizes: of the hosts.
        logs: folder for JSON logs, on each node; None for standard error, which Ray keeps.
    """

    make_host: Callable[[Desk, int], Performer]
    make_front: Callable[[Hosts], Front]
    sizes: Sizes
    logs: Path | None = None
