"""A port of this machine that nobody outside of it reaches."""

from __future__ import annotations

import os
import socket

from facepuppet.core.errors import ControlRoomError

HOST = "127.0.0.1"
FIRST_PORT = 8765
_TRIES = 50
BACKLOG = 128  # of connections that nobody has accepted yet; others are put off by the system


def bind(port: int | None) -> socket.socket:
    """Return a listening socket on loopback: who connects waits until somebody serves it.

    Args:
        port: the one to take, 0 for any; None for the first free one from FIRST_PORT on.

    Raises:
        ControlRoomError: it is taken, or not ours to take.
    """
    ports = range(FIRST_PORT, FIRST_PORT + _TRIES) if port is None else [port]
    problem: OSError | None = None
    for one in ports:
        try:
            return _listening(one)
        except (OSError, OverflowError) as error:
            problem = error if isinstance(error, OSError) else OSError(str(error))
    wanted = f"port {port}" if port is not None else f"ports {ports[0]} to {ports[-1]}"
    raise ControlRoomError(
        f"{wanted}, where nothing can listen ({problem.strerror or problem if problem else 'none'})",
        "a free port for the control room",
        "Choose another one with --ui-port, or do without the page with --no-ui.",
    ) from problem


def _listening(port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # else a run that ended a moment ago would still hold its port
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:  # there, reuse would let another program take over what is ours
            one.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", ~4), 1)
        one.bind((HOST, port))
        one.listen(BACKLOG)
        one.setblocking(False)
    except BaseException:
        one.close()
        raise
    return one
