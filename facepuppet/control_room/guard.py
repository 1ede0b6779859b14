"""Who may come in, with how much, and what every answer says to browsers.

A page of another site that the user's browser shows can reach this machine's ports. It is kept out three
times: it does not know the token, its Origin is not ours, and a name of its own that it points at this
machine (DNS rebinding) is not the Host that we answer to.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facepuppet.control_room.answers import MOST_MESSAGE_BYTES, TooMuchError, error_answer
from facepuppet.control_room.loopback_port import HOST
from facepuppet.core.errors import ControlError, ControlRoomError

MOST_PICTURE_BYTES = 20_000_000
PICTURE_PATH = "/api/background"
STAGE_PATH = "/api/stage"
_PATIENCE_S = 60.0  # for a request, from its head to its end
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

log = logging.getLogger(__name__)


class Guard:
    """Stands before an ASGI application.

    Args:
        app: what is guarded.
        token: that lets in to everything below /api.
        port: of this server.
        stage_token: that lets in to the stage, and to nothing else.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, stage_token: str) -> None:
        self._app, self._token, self._stage_token = app, token.encode(), stage_token.encode()
        self._hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._failed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        refused = self._refused(scope)
        if scope["type"] == "websocket":
            if refused is None:
                await self._try(scope, receive, send)
            else:
                await _deny(refused, send)
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._pass(scope, receive, _with_headers(send), refused)
        except TimeoutError:  # slower than any program on this machine is; the connection is closed
            log.debug("a request took too long")

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, refused: tuple[int, str, str] | None
    ) -> None:
        most = MOST_PICTURE_BYTES if scope["path"] == PICTURE_PATH else MOST_MESSAGE_BYTES
        refused = refused or _too_long(scope, most)
        if refused is not None:
            status, got, expected = refused
            problem = ControlError(got, expected, "The show goes on as it was.")
            await error_answer(problem, status)(scope, receive, send)
            return
        await self._try(scope, _bounded(receive, most), send)

    async def _try(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # a request has been answered (see `routes`), a WebSocket is closed
            self._tell(error)

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        """Say why somebody may not come in: status, what was got, what was expected."""
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts or len(headers.getlist("host")) != 1:
            return 421, "a request for another host", f"one for {HOST} and this port"
        origins = headers.getlist("origin")
        if any(origin.lower() not in self._origins for origin in origins):
            return 403, "a request from another site's page", "one from the control room's own"
        path = scope["path"]
        if (path == "/api" or path.startswith("/api/")) and not self._knows(scope, headers):
            return 401, "a request without the right token", "the token that is in the page's address"
        return None

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        """Say whether the token comes with it."""
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            try:
                query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=32)
            except ValueError:
                return False
            said = query.get("token", [""])[0]
        one = said.strip().encode("utf-8", "replace")
        lets_in_here = hmac.compare_digest(one, self._stage_token) and scope["path"] == STAGE_PATH
        return hmac.compare_digest(one, self._token) or lets_in_here

    def _tell(self, error: Exception) -> None:
        """Say once that the page has an error of ours; a page that asks again fills no log."""
        if not self._failed:
            log.error(
                "the control room met an unexpected %s (%s); the show goes on", type(error).__name__, error
            )
        log.debug("a request failed", exc_info=error)
        self._failed = True


def _too_long(scope: Scope, most: int) -> tuple[int, str, str] | None:
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdecimal() and int(length) <= most:
        return None
    return 413, "more than is taken here", f"at most {most} bytes"


def _bounded(receive: Receive, most: int) -> Receive:
    n = 0

    async def receiving() -> Message:
        nonlocal n
        message = await receive()
        n += len(message.get("body", b""))
        if n > most:
            raise TooMuchError(most)  # answered as what is wrong with any body (see `routes`)
        return message

    return receiving


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending


async def _deny(refused: tuple[int, str, str], send: Send) -> None:
    """Refuse a WebSocket before it is one; browsers tell their pages only that it failed."""
    status, got, expected = refused
    answer = error_answer(ControlRoomError(got, expected, HTTPStatus(status).phrase + "."), status)
    # uvicorn adds the length by itself; some of its versions do so where there is one, too.
    headers = [header for header in answer.raw_headers if header[0] != b"content-length"]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": bytes(answer.body)})
