"""What every request to the reception meets first: another site's page, too much, too slow; and its headers.

Another site's page cannot come in with somebody's token, as there are no cookies; it is refused all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facepuppet.server.join_message import MOST_MESSAGE_BYTES

_TOO_MUCH = f"At most {MOST_MESSAGE_BYTES} bytes are taken here"
_PATIENCE_S = 60.0  # for a request, from its head to its end
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob: mediastream:; connect-src 'self'; worker-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}

log = logging.getLogger(__name__)


class ReceptionGuard:
    """Stands before the application.

    Args:
        app: what is guarded.
        origins: of other sites that may come in.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            if self._is_ours(Headers(scope=scope)):
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, _with_headers(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        refused: JSONResponse | None = None
        if not self._is_ours(headers):
            refused = _refusal(403, "A page of another site may not do this.")
        elif not length.isdecimal() or int(length) > MOST_MESSAGE_BYTES:
            refused = _refusal(413, f"{_TOO_MUCH}.")
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await (refused or self._app)(scope, _bounded(receive), send)
        except TimeoutError:
            log.debug("a request took too long")

    def _is_ours(self, headers: Headers) -> bool:
        """Say whether no browser says that another site's page asks."""
        host = headers.get("host", "").lower()
        for origin in headers.getlist("origin"):
            known = origin.lower() in self._origins or (host and urlsplit(origin.lower()).netloc == host)
            if not known:
                return False
        return True


def _bounded(receive: Receive) -> Receive:
    """Refuse a body that goes on and on, whatever it said of itself."""
    n = 0

    async def receiving() -> Message:
        nonlocal n
        message = await receive()
        n += len(message.get("body", b""))
        if n > MOST_MESSAGE_BYTES:
            raise HTTPException(413, _TOO_MUCH)
        return message

    return receiving


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending


def _refusal(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"over": {"why": "refused", "sentence": sentence, "again": False}}, status)
