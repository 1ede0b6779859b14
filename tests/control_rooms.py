"""A control room over a run, real but for its puppet's stages, and how tests speak to it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fakes import VoicedDriver, marked
from test_control import CANVAS, endless, puppet

from facepuppet import LivePipeline, Puppet
from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.session import Show


@dataclass
class Room:
    """An open control room and all that belongs to it.

    Attributes:
        frames: how many frames were sent into the preview so far.
    """

    room: ControlRoom
    preview: PagePreview
    show: Show
    live: LivePipeline
    frames: int = field(default=0)

    @property
    def token(self) -> str:
        return self.room.address.partition("=")[2]

    def send_frame(self) -> None:
        """Let one frame go out, as the loop does."""
        self.frames += 1
        self.preview.send(marked(frame_id=self.frames, size_px=CANVAS))

    def obey(self) -> None:
        """Do what was asked for, as the loop does between two frames."""
        self.live.control.obey()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request with the token, or another; returns status, headers (lower case), and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.room.port, timeout=20)
        said = {"Authorization": f"Bearer {self.token if token is None else token}"}
        if isinstance(body, dict):
            body, said["Content-Type"] = json.dumps(body).encode(), "application/json"
        said.update({name.replace("_", "-"): value for name, value in headers.items()})
        try:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are; returns all that is answered until the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.room.port), timeout=20) as one:
            one.sendall(data)
            answered = b""
            with suppress(ConnectionResetError):  # it was closed with something of ours unread
                while part := one.recv(65536):
                    answered += part
            return answered


@cache
def puppets() -> dict[str, Puppet]:
    """Two, made once for all rooms of a process, which leave them as they have set them."""
    return {"one": puppet(), "two": puppet()}


@contextmanager
def open_room(folder: Path, port: int | None = 0) -> Iterator[Room]:
    """Open one over a run whose loop does not turn: tests send its frames, and obey."""
    preview = PagePreview(CANVAS)
    live = LivePipeline(VoicedDriver(endless()), puppets(), [preview])
    show = Show(live)
    preview.begun.set()
    with ControlRoom(show, preview, port, folder=folder) as room:
        yield Room(room, preview, show, live)
