"""The parts of the real server: hosts that show puppets, and the reception."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from facepuppet.server.reception_settings import ReceptionSettings
from facepuppet.server.seams import Desk, Hosts
from facepuppet.server.server_parts import Front, Parts, Performer
from facepuppet.server.sizes import Sizes


def server_parts(
    settings: ReceptionSettings,
    sizes: Sizes,
    engine: str = "auto",
    speaks: str | None = None,
    logs: Path | None = None,
) -> Parts:
    """Return what the server is made of; nothing heavy is loaded before a process makes its part.

    Args:
        settings: of the reception.
        sizes: of the hosts.
        engine: of the hosts' networks.
        speaks: command that reads out what people write; None for espeak-ng, where a host has it.
        logs: folder for JSON logs.
    """
    return Parts(partial(_make_host, engine, speaks), partial(reception_front, settings), sizes, logs)


def _make_host(engine: str, speaks: str | None, desk: Desk, places: int) -> Performer:
    from facepuppet.server.peer_voices import speech_command
    from facepuppet.server.session_host import SessionHost

    return SessionHost(desk, places, engine, speech_command(speaks))


def reception_front(settings: ReceptionSettings, hosts: Hosts) -> Front:
    """Make a reception before some hosts."""
    from facepuppet.server.reception import Reception
    from facepuppet.server.reception_app import reception_app

    reception = Reception(hosts, settings)
    return Front(reception, reception_app(reception), reception.drain)
