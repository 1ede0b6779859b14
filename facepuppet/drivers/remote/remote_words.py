"""From what the user typed to a driver on the network: NAME, NAME:PORT, NAME:HOST or NAME:HOST:PORT."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facepuppet.core.addresses import parted_address
from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import DriverError
from facepuppet.drivers.remote.greeter import Greeting
from facepuppet.drivers.remote.inbox import LOOPBACK, Inbox, UdpInbox
from facepuppet.drivers.remote.remote_driver import RemoteDriver
from facepuppet.drivers.remote.tcp_inbox import TcpInbox
from facepuppet.wires import Decoder
from facepuppet.wires.ifacialmocap import APPS, GREET_EVERY_S, IFacialMocapDecoder, PhoneApp
from facepuppet.wires.livelink import PORT as LIVELINK_PORT
from facepuppet.wires.livelink import LiveLinkDecoder
from facepuppet.wires.openseeface import PORT as OPENSEEFACE_PORT
from facepuppet.wires.openseeface import OpenSeeFaceDecoder
from facepuppet.wires.vmc import MARIONETTE_PORT, VmcDecoder
from facepuppet.wires.vtube_phone import ASK_EVERY_S, VtubePhoneDecoder, request
from facepuppet.wires.vtube_phone import PORT as VTUBE_PHONE_PORT


@dataclass(frozen=True, slots=True)
class Protocol:
    """How to hear one kind of sender.

    Attributes:
        title: for people.
        port: that it sends to; 0 where the greeting says, so that PORT is the phone's.
        decoder: makes what understands it.
        greeting: makes what must be sent to it, of the port that it shall answer to; None where it
            sends unasked.
        asked_port: where that goes to.
        greet_every_s: how often.
        also: further ports that it may send to, listened on unless a port was chosen.
        end_mark: of each packet where they come as a TCP stream; None: by UDP.
    """

    title: str
    port: int
    decoder: Callable[[], Decoder]
    greeting: Callable[[int], bytes] | None = None
    asked_port: int = 0
    greet_every_s: float = 1.0
    also: tuple[int, ...] = ()
    end_mark: bytes | None = None


def _of_app(app: PhoneApp) -> Protocol:
    return Protocol(
        app.title,
        app.ports[0],
        IFacialMocapDecoder,
        greeting=lambda port: app.greeting,
        asked_port=app.asked_port,
        greet_every_s=GREET_EVERY_S,
        also=app.ports[1:],
        end_mark=app.end_mark,
    )


PROTOCOLS: Mapping[str, Protocol] = {
    "livelink": Protocol("Live Link Face", LIVELINK_PORT, LiveLinkDecoder),
    "vmc": Protocol("VMC", MARIONETTE_PORT, VmcDecoder),
    "openseeface": Protocol("OpenSeeFace", OPENSEEFACE_PORT, OpenSeeFaceDecoder),
    **{word: _of_app(app) for word, app in APPS.items()},
    "vts": Protocol(
        "VTube Studio's phone app",
        0,
        VtubePhoneDecoder,
        greeting=request,
        asked_port=VTUBE_PHONE_PORT,
        greet_every_s=ASK_EVERY_S,
    ),
}


def open_remote(word: str, *, recentre_s: float | None = None, clock: Clock | None = None) -> RemoteDriver:
    """Listen for what a word names.

    A sender that has to be asked is named by its HOST, and nobody else is heard; of others HOST is the
    address of this machine to listen on, and without one this machine alone is heard.

    Raises:
        DriverError: a word that says nothing, a port that is taken, or an address that is not there.
    """
    name, host, port = _parted(word)
    protocol, clock = PROTOCOLS[name], clock or SystemClock()
    if protocol.greeting is None:
        inbox: Inbox = UdpInbox(host or LOOPBACK, port or protocol.port, clock)
    else:
        if host is None:
            raise DriverError(
                f"driver {word!r}, which does not say where the phone is",
                f"{name}:ADDRESS, as the app shows it",
                f"Type for instance {name}:192.168.1.20.",
            )
        told = protocol.port == 0
        asked_port = port if told and port else protocol.asked_port
        greeting = Greeting(protocol.greeting, (host, asked_port), protocol.greet_every_s)
        ours = 0 if told else port or protocol.port
        also = () if told or port else protocol.also
        if protocol.end_mark is None:
            inbox = UdpInbox(_towards(host), ours, clock, greeting, only_from=host, also=also)
        else:
            inbox = TcpInbox(
                _towards(host), ours, clock, protocol.end_mark, greeting, only_from=host, also=also
            )
    return RemoteDriver(protocol.title, inbox, protocol.decoder, recentre_s=recentre_s)


def _parted(word: str) -> tuple[str, str | None, int | None]:
    name, _, rest = word.partition(":")
    try:
        return name, *parted_address(rest)
    except ValueError as error:
        raise DriverError(
            f"driver {word!r} ({error})",
            f"{name}, {name}:PORT, {name}:HOST or {name}:HOST:PORT",
            "Give such an address.",
        ) from error


def _towards(host: str) -> str:
    """This machine's own address on the way to another; nothing is sent."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)
            return str(ipaddress.ip_address(probe.getsockname()[0]))
    except OSError as error:
        raise DriverError(
            f"{host!r}, which cannot be reached ({error.strerror or error})",
            "the address of the phone, as its app shows it",
            "Check that both are in the same network.",
        ) from error
