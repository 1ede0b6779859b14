"""What goes between the reception, which speaks HTTP, and hosts, in which puppets perform.

    page ─HTTP→ Reception ─Join→ Host ─Answered, then Over→ Reception ─HTTP→ page
    page ←────────── pictures, sound and a data channel ──────────→ Host

All are frozen, small and can be pickled. Pictures and sound of people never travel here: they go between
the page and its host directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class DrivenBy(Enum):
    """Who moves a puppet."""

    CAMERA = "camera"
    VOICE = "voice"  # a voice on the page's sound track or data channel; no camera
    TEXT = "text"  # lines on the data channel are read out; no camera, no microphone


class Why(Enum):
    """Why something was refused, or is over."""

    LEFT = "left"  # the person went, or asked to end it
    SILENT = "silent"  # connected, but nothing came
    LOST = "lost"  # the connection, or the host, was lost
    REVOKED = "revoked"  # the right to show the portrait was taken back
    CLOSING = "closing"  # the server is about to stop
    REFUSED = "refused"  # an offer or portrait that will not do; the sentence says what
    FULL = "full"  # no place, and the line is full too
    OCCUPIED = "occupied"  # this host has no place after all; ask again
    FAILED = "failed"  # something of ours failed


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that peers and hosts are told of.

    Attributes:
        url: as "stun:HOST:PORT" or "turn:HOST:PORT?transport=udp".
    """

    url: str
    username: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a session begins with; it steps down from there under load.

    Attributes:
        size_px: width and height of the canvas; even.
        fps: rate.
    """

    size_px: tuple[int, int] = (640, 360)
    fps: float = 30.0


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody comes in.

    Attributes:
        session: its id, 22 letters or so; whoever knows it knows a session, but may not watch it by that.
        offer: SDP, checked by `signalling.checked_offer`.
        avatar: SHA-256 (hex) of the portrait's or pack's file; a host fetches it by `Desk.avatar`.
        avatar_name: its file's name, with the suffix that tells what it is.
        consent: the signed record, JSON; cleared by the reception, which the host checks again.
        driven_by: who moves the puppet.
        picture: to begin with.
        number: counter that the watermark carries.
        ice_servers: what to find a way through NAT by; none means this machine's own addresses.
        sound: whether to pass the peer's sound on.
    """

    session: str
    offer: str
    avatar: str
    avatar_name: str
    consent: bytes
    driven_by: DrivenBy = DrivenBy.CAMERA
    picture: Picture = Picture()
    number: int = 0
    ice_servers: tuple[IceServer, ...] = ()
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """The host's answer: from now on media flows."""

    sdp: str


@dataclass(frozen=True, slots=True)
class Over:
    """The session is over, or never began.

    Attributes:
        why: kind.
        sentence: for the person, one clear line; the log has the same.
        again: whether coming again at once makes sense.
    """

    why: Why
    sentence: str
    again: bool = False


Told: TypeAlias = Answered | Over  # what a host tells of a session: at most one Answered, at last one Over


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody wants to watch a session: an errand that its host fetches.

    Attributes:
        errand: id of the errand; the answer goes by it.
        offer: SDP of the watcher, checked.
    """

    errand: str
    offer: str


@dataclass(frozen=True, slots=True)
class Unwatch:
    """A watcher is gone."""

    errand: str


@dataclass(frozen=True, slots=True)
class Leave:
    """End the session."""

    over: Over


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the person a line."""

    sentence: str


Errand: TypeAlias = Watch | Unwatch | Leave | Announce
