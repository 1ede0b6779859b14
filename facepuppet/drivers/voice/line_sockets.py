"""Lines from programs that connect to a socket of this machine."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from facepuppet.core.errors import DriverError
from facepuppet.drivers.voice.line_sources import LineSource
from facepuppet.drivers.voice.typed_lines import Hear, LineAssembler

MOST_PEERS = 8
_BYTES = 16_384  # of one look: a flood does not keep others from being heard
_POLL_S = 0.1
_REST_S = 0.01  # after each look, so that a flood leaves time to everybody else: 1.6 MB a second are enough
_JOIN_S = 1.0

log = logging.getLogger(__name__)


class SocketLines(LineSource):
    """A socket that programs connect to, several at a time.

    Args:
        listening: bound, not yet listening; closed with this.
        description: for people.
        path: of a Unix socket; removed with this.
    """

    def __init__(self, listening: socket.socket, description: str, path: Path | None = None) -> None:
        self.description = description
        self._listening, self._path = listening, path
        self._peers: dict[socket.socket, LineAssembler] = {}
        self._crowded = False
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        listening.listen(2 * MOST_PEERS)  # who is turned away must be taken first
        listening.setblocking(False)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on, of TCP."""
        name: tuple[str, int] = self._listening.getsockname()[:2]
        return name

    def start(self, hear: Hear, ended: Callable[[], None]) -> None:
        """Listen from now on; it never ends."""
        self._thread = threading.Thread(target=self._follow, args=(hear,), name="lines to say", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up on everybody, and free the address."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        for peer in list(self._peers):
            peer.close()
        self._listening.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _follow(self, hear: Hear) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in selector.select(_POLL_S):
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    if ready is self._listening:
                        self._accept(selector)
                    else:
                        self._read(ready, selector, hear)
                        self._closed.wait(_REST_S)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        with suppress(OSError):
            peer, _ = self._listening.accept()
            if len(self._peers) >= MOST_PEERS:
                peer.close()
                if not self._crowded:
                    self._crowded = True
                    log.warning(
                        "Got more than %d programs at once on %s; the others are turned away.",
                        MOST_PEERS,
                        self.description,
                    )
                return
            peer.setblocking(False)
            self._peers[peer] = LineAssembler(self.description)
            selector.register(peer, selectors.EVENT_READ)

    def _read(self, peer: socket.socket, selector: selectors.BaseSelector, hear: Hear) -> None:
        try:
            content = peer.recv(_BYTES)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        for line in self._peers[peer].feed(content) if content else self._peers[peer].rest():
            hear(line)
        if not content:
            selector.unregister(peer)
            peer.close()
            del self._peers[peer]


def unix_socket(path: Path) -> SocketLines:
    """Listen on a path of this machine, for its owner alone.

    Raises:
        DriverError: it cannot be listened on, or another program does.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise DriverError(
            f"'{path}', a Unix socket", "an address that this system has", "Use say:PORT instead."
        )
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and _is_left_over(path):
            path.unlink()
        listening.bind(str(path))
        path.chmod(0o600)  # before it listens: nobody else can have connected
    except OSError as error:
        listening.close()
        raise DriverError(
            f"'{path}', which cannot be listened on ({error.strerror or error})",
            "a path for a socket that no other program has",
            "Choose another.",
        ) from error
    return SocketLines(listening, f"lines on '{path}'", path)


def tcp_socket(host: str, port: int) -> SocketLines:
    """Listen on an address of this machine.

    Raises:
        DriverError: it is not this machine's, or another program has the port.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise _unheard(host, port, error) from error
    try:
        if os.name == "posix":  # on Windows it would let two programs have one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        name = "{}:{}".format(*listening.getsockname()[:2])
        return SocketLines(listening, f"lines on {name}")
    except OSError as error:
        listening.close()
        raise _unheard(host, port, error) from error


def _is_left_over(path: Path) -> bool:
    """Whether nobody listens on a socket's path any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False


def _unheard(host: str, port: int, error: OSError) -> DriverError:
    return DriverError(
        f"TCP port {port} on {host}, which cannot be listened on ({error.strerror or error})",
        "an address of this machine and a port that no other program has",
        "Close the other program, or choose another port.",
    )
