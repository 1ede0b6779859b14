"""A reception on a real port of this machine, and how tests speak to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from aiortc import RTCPeerConnection, VideoStreamTrack
from host_stands import NOWHERE, AnsweringHosts
from websockets.sync.client import ClientConnection, connect

from facepuppet.server.reception import Reception
from facepuppet.server.reception_app import reception_app
from facepuppet.server.reception_settings import ReceptionSettings
from facepuppet.server.token_file import Token, Tokens, secret_sha256

T = TypeVar("T")
SECRET, NARROW = "a secret that lets in", "a secret for one only"
TOKENS = Tokens(
    (
        Token("all", secret_sha256(SECRET), joins_per_minute=1000),
        Token("one", secret_sha256(NARROW), 1, 3, frozenset({"grace_hopper"})),
    )
)


@dataclass
class Open:
    """An open reception.

    Attributes:
        port: of this machine.
        reception, hosts: what stands behind it.
        loop: where all of it runs.
    """

    port: int
    reception: Reception
    hosts: Any
    loop: asyncio.AbstractEventLoop

    @property
    def address(self) -> str:
        """Where the page is, with a token."""
        return f"http://localhost:{self.port}/#token={SECRET.replace(' ', '%20')}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in its loop."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(30)

    def lose(self, session: str) -> None:
        """End a session as a host does that dies."""
        self.loop.call_soon_threadsafe(self.hosts.lose, session)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        *,
        secret: str | None = SECRET,
        **said: str,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send one request; returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in said.items()}
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def dial(self, **options: Any) -> ClientConnection:
        """Open a WebSocket to join by."""
        return connect(f"ws://127.0.0.1:{self.port}/api/join", **options)

    def join(self, **changes: Any) -> Joined:
        """Ask to come in."""
        line = self.dial()
        message = {"token": SECRET, "avatar": "grace_hopper", "offer": offer_of(), **changes}
        line.send(json.dumps({key: value for key, value in message.items() if value is not None}))
        return Joined(line)


@dataclass
class Joined:
    """Somebody who asked to come in."""

    line: ClientConnection

    def hear(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """Return what is told next."""
        told: dict[str, Any] = json.loads(self.line.recv(timeout_s))
        return told

    def go(self) -> None:
        """Hang up."""
        self.line.close()


@cache
def offer_of(*kinds: str) -> str:
    """Return a real offer: aiortc's, of a peer that sends a picture ("camera"), or as told.

    Args:
        kinds: among "camera", "watch", "sound", "data"; a camera and data if none.
    """

    async def made() -> str:
        peer = RTCPeerConnection(NOWHERE)
        for kind in kinds or ("camera", "data"):
            if kind == "camera":
                peer.addTrack(VideoStreamTrack())
            elif kind == "data":
                peer.createDataChannel("puppet")
            else:
                way = {"watch": ("video", "recvonly"), "sound": ("audio", "sendrecv")}[kind]
                peer.addTransceiver(way[0], direction=way[1])
        await peer.setLocalDescription(await peer.createOffer())
        sdp = str(peer.localDescription.sdp)
        await peer.close()
        return sdp

    return asyncio.run(made())


@contextmanager
def open_reception(hosts: AnsweringHosts, folder: Path, port: int = 0, **settings: Any) -> Iterator[Open]:
    """Open one in a thread of its own."""
    usual = {"tokens": TOKENS, "consent_folder": folder / "consent"}
    loop, opened = asyncio.new_event_loop(), threading.Event()
    found: list[tuple[Reception, uvicorn.Server]] = []
    listening = socket.create_server(("127.0.0.1", port))

    async def serve() -> None:
        reception = Reception(hosts, ReceptionSettings(**{**usual, **settings}))
        hosts.desk = reception
        await reception.start()
        config = uvicorn.Config(
            reception_app(reception), log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        found.append((reception, uvicorn.Server(config)))
        opened.set()
        await found[0][1].serve(sockets=[listening])
        if hasattr(hosts, "close"):
            await hosts.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert opened.wait(60)
    try:
        yield Open(listening.getsockname()[1], found[0][0], hosts, loop)
    finally:
        loop.call_soon_threadsafe(setattr, found[0][1], "should_exit", True)
        thread.join(15)
        assert not thread.is_alive()
