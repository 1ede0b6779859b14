"""A face for VTube Studio on a PC, by its plug-in API."""

from __future__ import annotations

import logging
import math
import socket
import threading
from pathlib import Path

from websockets.exceptions import WebSocketException

from facepuppet.core.errors import SenderError
from facepuppet.core.slot import LatestSlot
from facepuppet.senders.sender import Sender
from facepuppet.senders.vtube_session import (
    DENIED,
    REQUIRES_AUTHENTICATION,
    SessionEndedError,
    VtubeApiError,
    VtubeSession,
    vtube_session,
)
from facepuppet.senders.vtube_tokens import VtubeTokens
from facepuppet.wires import WireSample
from facepuppet.wires.vtube_studio import CUSTOM_PARAMETERS, parameters_of

PORT = 8001
AGAIN_S = 0.5  # a parameter that is silent for a second counts as lost
_RETRY_S = 3.0
_JOIN_S = 1.0
_ACCESS_OFF, _ASKING_ALREADY, _CONTROLLED = 1, 51, 454  # of its ErrorID.cs
_NOT_OURS = {352, 354, 355, 356}  # a custom parameter that somebody else has, or one too many

log = logging.getLogger(__name__)


class VtubeSender(Sender):
    """Tells one VTube Studio, on a thread of its own: connects, asks its user once, and begins anew.

    Args:
        host, port: of its API.
        folder: where its token is kept; the user's configuration folder if None.
        retry_s: how long it waits before it tries again.

    Raises:
        SenderError: there is no such address.
    """

    def __init__(
        self, host: str, port: int = PORT, *, folder: Path | None = None, retry_s: float = _RETRY_S
    ) -> None:
        self.description = f"VTube Studio at {host}:{port}"
        self._host, self._port, self._retry_s = host, port, retry_s
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SenderError(
                f"{host!r}, which is no address ({error.strerror or error})",
                "the name or number of the machine that VTube Studio runs on",
                "Check its spelling, and that it is in the same network.",
            ) from error
        self._tokens, self._address = VtubeTokens(folder), f"{host}:{port}"
        self._newest: LatestSlot[WireSample] = LatestSlot()
        self._closing, self._said = threading.Event(), ""
        self._refused: set[str] = set()  # custom parameters that it does not let us have
        self._thread = threading.Thread(target=self._run, name="VTube Studio", daemon=True)
        self._thread.start()

    def send(self, sample: WireSample) -> None:
        """Let the thread tell of it; of many the newest."""
        self._newest.put(sample)

    def close(self) -> None:
        """End the connection."""
        self._closing.set()
        self._newest.close()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with vtube_session(self._host, self._port, self._closing) as session:
                    if not self._enter(session):
                        return
                    self._declare(session)
                    self._say(logging.INFO, "hears us")
                    self._perform(session)
            except SessionEndedError:
                return
            except VtubeApiError as error:
                self._explain(error)
            except (OSError, WebSocketException, ValueError) as error:
                why = getattr(error, "strerror", None) or error or type(error).__name__
                todo = "Start it, and turn on 'Allow Plugin API access' in its settings; this goes on trying"
                self._say(logging.WARNING, f"does not answer ({why}). {todo}")
            self._closing.wait(self._retry_s)

    def _enter(self, session: VtubeSession) -> bool:
        """Get in by the token of before or a new one; returns whether its user lets us."""
        token = self._tokens.get(self._address)
        if token is not None and session.enter(token):
            return True
        self._tokens.put(self._address, None)
        self._say(logging.WARNING, "asks whether facepuppet may control it: click 'Allow' there")
        try:
            token = session.ask_for_token()
        except VtubeApiError as error:
            if error.number != DENIED:
                raise
            self._say(logging.WARNING, "was told to deny access; to be asked again, start anew")
            return False
        self._tokens.put(self._address, token)
        if not session.enter(token):
            raise VtubeApiError(-1, "It does not know the token that it gave")
        return True

    def _declare(self, session: VtubeSession) -> None:
        """Make ARKit's shapes known as custom parameters; making one again is no error."""
        for name in CUSTOM_PARAMETERS:
            described = {"explanation": "facepuppet: ARKit's shape", "min": 0, "max": 1, "defaultValue": 0}
            try:
                session.ask("ParameterCreationRequest", {"parameterName": name, **described})
                self._refused.discard(name)
            except VtubeApiError as error:
                if error.number not in _NOT_OURS:
                    raise
                self._refused.add(name)
        if self._refused:
            self._say(logging.WARNING, f"does not take {len(self._refused)} of ARKit's shapes")

    def _perform(self, session: VtubeSession) -> None:
        values: dict[str, float] = {}
        while not self._closing.is_set():
            sample = self._newest.take(AGAIN_S)
            seen = sample is None or sample.face is not None
            if sample is not None and sample.face is not None:
                told = parameters_of(sample.face)
                values = {name: value for name, value in told.items() if math.isfinite(value)}
            if values:
                self._inject(session, values, seen)
            if not seen:
                values = {}  # said once: from a second later on others may control them

    def _inject(self, session: VtubeSession, values: dict[str, float], seen: bool) -> None:
        told = [{"id": name, "value": value} for name, value in values.items() if name not in self._refused]
        try:
            session.ask(
                "InjectParameterDataRequest", {"faceFound": seen, "mode": "set", "parameterValues": told}
            )
        except VtubeApiError as error:
            if error.number != _CONTROLLED:
                raise
            self._say(logging.WARNING, f"lets another plug-in drive: {error}")

    def _explain(self, error: VtubeApiError) -> None:
        """Say why it does not let us go on; it will be tried again."""
        what = {
            _ACCESS_OFF: "has its API off: turn on 'Allow Plugin API access' in its settings",
            _ASKING_ALREADY: "is asking about a plug-in already: answer that there",
            DENIED: "took access back, and will be asked again",
            REQUIRES_AUTHENTICATION: "forgot that it let us in, and will be asked again",
        }.get(error.number, f"refuses: {error}")
        self._say(logging.WARNING, what)

    def _say(self, level: int, what: str) -> None:
        """Tell of a change, once."""
        if what != self._said:
            self._said = what
            log.log(level, "%s %s", self.description, what)
