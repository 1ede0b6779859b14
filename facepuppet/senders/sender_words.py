"""From what the user typed to the sender it means: NAME, NAME:PORT, NAME:HOST or NAME:HOST:PORT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facepuppet.core.addresses import parted_address
from facepuppet.core.errors import SenderError
from facepuppet.senders.sender import Sender
from facepuppet.senders.udp_sender import UdpSender
from facepuppet.wires import Encoder
from facepuppet.wires.ifacialmocap import PORT as IFACIALMOCAP_PORT
from facepuppet.wires.ifacialmocap import IFacialMocapEncoder
from facepuppet.wires.livelink import PORT as LIVELINK_PORT
from facepuppet.wires.livelink import LiveLinkEncoder
from facepuppet.wires.vmc import MARIONETTE_PORT, VmcEncoder

VTUBE_STUDIO = "vts"
_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class _Receiver:
    """How to tell one kind of receiver: its name for people, its usual port, what speaks to it."""

    title: str
    port: int
    encoder: Callable[[], Encoder]


_RECEIVERS: Mapping[str, _Receiver] = {
    "vmc": _Receiver("VMC", MARIONETTE_PORT, VmcEncoder),
    "ifacialmocap": _Receiver("iFacialMocap", IFACIALMOCAP_PORT, IFacialMocapEncoder),
    "livelink": _Receiver("Live Link Face", LIVELINK_PORT, LiveLinkEncoder),
}


def open_sender(word: str) -> Sender:
    """Open what a word means; without a host it speaks to this machine.

    Raises:
        SenderError: a word that means nothing, or an address that is none.
    """
    name, _, rest = word.partition(":")
    receiver = _RECEIVERS.get(name)
    if receiver is None and name != VTUBE_STUDIO:
        raise SenderError(
            f"--send {word!r}",
            f"one of {', '.join([*_RECEIVERS, VTUBE_STUDIO])}",
            f"Type for instance {next(iter(_RECEIVERS))}.",
        )
    try:
        host, port = parted_address(rest)
    except ValueError as error:
        raise SenderError(
            f"--send {word!r} ({error})", f"{name}, {name}:PORT or {name}:HOST:PORT", "Give such an address."
        ) from error
    if receiver is None:
        from facepuppet.senders.vtube_sender import PORT as VTUBE_STUDIO_PORT
        from facepuppet.senders.vtube_sender import VtubeSender

        return VtubeSender(host or _HERE, port or VTUBE_STUDIO_PORT)
    return UdpSender(receiver.title, receiver.encoder(), host or _HERE, port or receiver.port)
