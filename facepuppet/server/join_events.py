"""What somebody who joins is told, and how a reception stands."""

from __future__ import annotations

from dataclasses import dataclass

from facepuppet.server.seat import WatchAddress


@dataclass(frozen=True, slots=True)
class InLine:
    """All places are taken.

    Attributes:
        place: in line, from 1.
    """

    place: int


@dataclass(frozen=True, slots=True)
class Seated:
    """There is a host.

    Attributes:
        answer: its SDP.
        session: id.
        address: where it is watched, and the ticket to come back with.
    """

    answer: str
    session: str
    address: WatchAddress


@dataclass(frozen=True, slots=True)
class Standing:
    """How a reception stands, for metrics.

    Attributes:
        sessions: that perform now.
        waiting: people in line, or being seated.
        joined, refused, watches: since its start: sessions, those turned away, watchers that were answered.
        avatars: that are offered.
        draining: whether nobody new may come in.
    """

    sessions: int
    waiting: int
    joined: int
    refused: int
    watches: int
    avatars: int
    draining: bool
