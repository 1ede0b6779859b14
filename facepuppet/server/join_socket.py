"""The WebSocket by which a page joins: it says what it wants once, and is told how it goes."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing, suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from facepuppet.core.errors import FacepuppetError
from facepuppet.server.http_answers import over_values
from facepuppet.server.join_events import InLine, Seated
from facepuppet.server.join_message import Asked, read_asked
from facepuppet.server.messages import Over, Why
from facepuppet.server.reception import Reception

_SPEAK_S = 10.0  # in which a page has to say what it wants
_MOST_SILENT = 128  # connections that have not said it yet, each with a message that a server lets through
_TRY_LATER = 1013

log = logging.getLogger(__name__)


class JoinSockets:
    """All of them.

    Args:
        reception: where they join.
    """

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._n_silent = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one until its end."""
        if self._n_silent >= _MOST_SILENT:
            await socket.close(_TRY_LATER)
            return
        with suppress(WebSocketDisconnect, RuntimeError):  # the second: it closed while we sent
            asked = await self._asked(socket)
            if asked is not None:
                await self._tell(socket, asked)
            await socket.close()

    async def _asked(self, socket: WebSocket) -> Asked | None:
        """Return what somebody wants; None where that is told to be nothing."""
        self._n_silent += 1
        try:
            await socket.accept()
            async with asyncio.timeout(_SPEAK_S):
                message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            return read_asked(message.get("text") or message.get("bytes") or "")
        except TimeoutError:
            return None
        except FacepuppetError as error:
            await _send(socket, over_values(Over(Why.REFUSED, str(error))))
            return None
        finally:
            self._n_silent -= 1

    async def _tell(self, socket: WebSocket, asked: Asked) -> None:
        """Tell how it goes, until its end or until the page is gone."""
        telling = asyncio.create_task(self._told(socket, asked))
        gone = asyncio.create_task(_gone(socket))
        try:
            await asyncio.wait({telling, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, gone):
                task.cancel()
            results = await asyncio.gather(telling, gone, return_exceptions=True)
        for one in results:
            if isinstance(one, Exception) and not isinstance(one, WebSocketDisconnect | RuntimeError):
                log.error("a join met an unexpected %s", type(one).__name__)
                log.debug("where", exc_info=one)

    async def _told(self, socket: WebSocket, asked: Asked) -> None:
        async with aclosing(self._reception.join(asked)) as events:
            async for event in events:
                await _send(socket, _values(event))


def watch_path(event: Seated) -> str:
    """Return where a session is watched, as a path on this server."""
    return f"/watch/{event.address.name}?key={event.address.key}"


def _values(event: InLine | Seated | Over) -> dict[str, Any]:
    if isinstance(event, InLine):
        return {"line": event.place}
    if isinstance(event, Over):
        return over_values(event)
    told = {"answer": event.answer, "session": event.session}
    return {**told, "watch": watch_path(event), "back": event.address.back}


async def _gone(socket: WebSocket) -> None:
    """Wait until the page is gone; nothing else that it says counts."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(socket: WebSocket, values: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(values, separators=(",", ":")))
