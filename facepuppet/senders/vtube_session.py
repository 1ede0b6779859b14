"""One connection to VTube Studio's plug-in API: questions and answers in JSON over a WebSocket."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

_API = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0"}
_PLUGIN = {"pluginName": "facepuppet", "pluginDeveloper": "facepuppet"}  # 3 to 32 characters each
_OPEN_S = 3.0
_CLOSE_S = 0.5
_ANSWER_S = 5.0
_SLICE_S = 0.1  # whoever closes waits no longer than this
DENIED, REQUIRES_AUTHENTICATION = 50, 8  # of its ErrorID.cs
_MOST_TOKEN = 256  # characters; its page says 64


class VtubeApiError(Exception):
    """VTube Studio answered that it cannot do what was asked.

    Attributes:
        number: of its list of errors; -1 where it gave none.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"{message} (error {number})")
        self.number = number


class SessionEndedError(Exception):
    """We are closing, and wait for no answer."""


class VtubeSession:
    """Asks, and waits for the answer; used by one thread.

    Args:
        connection: open.
        closing: set when nobody waits any more.
    """

    def __init__(self, connection: ClientConnection, closing: threading.Event) -> None:
        self._connection, self._closing = connection, closing
        self._asked = 0

    def ask(
        self, kind: str, data: Mapping[str, Any], patience_s: float | None = _ANSWER_S
    ) -> Mapping[str, Any]:
        """Return the data of the answer to a request.

        Args:
            kind: its message type.
            data: what it says.
            patience_s: how long to wait; None as long as it takes.

        Raises:
            VtubeApiError: it answers with an error.
            TimeoutError: it does not answer.
            SessionEndedError: we are closing.
            WebSocketException: the connection is gone.
        """
        self._asked += 1
        name = f"facepuppet-{self._asked}"
        self._connection.send(json.dumps({**_API, "requestID": name, "messageType": kind, "data": data}))
        due_s = None if patience_s is None else time.monotonic() + patience_s
        while True:
            told = self._hear(due_s)
            if told.get("requestID") != name:
                continue  # an event, or the late answer to what nobody waits for any more
            answer = told.get("data")
            answer = answer if isinstance(answer, dict) else {}
            if told.get("messageType") == "APIError":
                number = answer.get("errorID")
                raise VtubeApiError(number if isinstance(number, int) else -1, str(answer.get("message")))
            return answer

    def ask_for_token(self) -> str:
        """Return a new token, once somebody has clicked `Allow` in VTube Studio; that may take long.

        Raises:
            VtubeApiError: DENIED, or it cannot ask now.
        """
        told = self.ask("AuthenticationTokenRequest", _PLUGIN, patience_s=None)
        token = told.get("authenticationToken")
        if not isinstance(token, str) or not 0 < len(token) <= _MOST_TOKEN:
            raise VtubeApiError(-1, "It gave no token")
        return token

    def enter(self, token: str) -> bool:
        """Return whether a token still lets us in."""
        told = self.ask("AuthenticationRequest", {**_PLUGIN, "authenticationToken": token})
        return told.get("authenticated") is True

    def _hear(self, due_s: float | None) -> Mapping[str, Any]:
        while not self._closing.is_set():
            try:
                told = json.loads(self._connection.recv(timeout=_SLICE_S))
            except TimeoutError:
                if due_s is not None and time.monotonic() > due_s:
                    raise
                continue
            return told if isinstance(told, dict) else {}
        raise SessionEndedError


@contextmanager
def vtube_session(host: str, port: int, closing: threading.Event) -> Iterator[VtubeSession]:
    """Open a connection, for as long as the context lasts.

    Raises:
        OSError, WebSocketException: nobody is there, or it is no WebSocket.
    """
    with _opened(host, port) as connection:
        yield VtubeSession(connection, closing)


def _opened(host: str, port: int) -> ClientConnection:
    name = f"[{host}]" if ":" in host else host
    try:
        return connect(
            f"ws://{name}:{port}",
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,
            compression=None,
            proxy=None,  # it is on this machine or in the house
            logger=logging.Logger("websocket", logging.CRITICAL + 1),  # what goes wrong is told by us, once
        )
    except AssertionError as error:
        # websockets 17 asserts what is not so where somebody hangs up while it is about to greet them.
        raise ConnectionError("hung up at once") from error
