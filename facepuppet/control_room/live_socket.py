"""A page's line to the run: it hears how things stand, sees what it watches, and asks for things.

Nothing waits in a queue for a page that is slow: of each kind at most two pictures are on their way that the
page has not said it has seen, the next is the newest one there is by then, and who reads no answers is not
read from.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from facepuppet.control_room.answers import dumps, read_object
from facepuppet.control_room.page_pictures import Kind, PagePicture
from facepuppet.control_room.room_work import STATE_HZ, RoomWork
from facepuppet.core.errors import ControlError, FacepuppetError

MOST_SOCKETS = 16
PICTURES_HZ = 12
_UNSEEN = 2  # pictures of a kind
_PATIENCE_S = 10.0  # with a page that takes nothing
_FULL, _SLOW = 1013, 1008  # close codes of RFC 6455: try again later; policy

log = logging.getLogger(__name__)


class LiveSockets:
    """Serves every page that is open.

    Args:
        work: what is done for them.
    """

    def __init__(self, work: RoomWork) -> None:
        self._work = work
        self._n = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one page until it goes; one too many is told so."""
        if self._n >= MOST_SOCKETS:
            await websocket.accept()
            told = f"Got a page more than {MOST_SOCKETS}; close one of them."
            await websocket.send_text(dumps({"type": "refused", "id": None, "message": told}))
            await websocket.close(_FULL, told)
            return
        self._n += 1
        try:
            await websocket.accept()
            await LiveSocket(websocket, self._work).run()
        except WebSocketDisconnect as gone:
            log.debug("a page has gone: %s", gone)
        finally:
            self._n -= 1
            if self._n == 0:
                self._work.pictures.forget()


class LiveSocket:
    """One page.

    Args:
        websocket: accepted.
        work: what is done for it.
    """

    def __init__(self, websocket: WebSocket, work: RoomWork) -> None:
        self._socket, self._work = websocket, work
        self._watched: dict[Kind, int] = {}  # widths
        self._unseen: dict[Kind, deque[int]] = {kind: deque() for kind in Kind}
        self._last: dict[Kind, PagePicture] = {}
        self._answers: asyncio.Queue[str] = asyncio.Queue(8)
        self._number = 0

    async def run(self) -> None:
        """Hear and tell until the page goes."""
        telling = asyncio.create_task(self._tell())
        hearing = asyncio.create_task(self._hear())
        try:
            done, _ = await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            telling.cancel()
            hearing.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)
            self._watch({})

    async def _hear(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            said: dict[str, Any] = {}
            try:
                said = read_object(message.get("text") or message.get("bytes") or b"")
                await self._heed(said)
            except FacepuppetError as problem:
                await self._answers.put(
                    dumps({"type": "refused", "id": said.get("id"), "message": str(problem)})
                )

    async def _heed(self, said: Mapping[str, Any]) -> None:
        match said:
            case {"watch": dict(wanted)}:
                self._watch(wanted)
            case {"seen": int(number)}:
                for unseen in self._unseen.values():
                    while number in unseen:  # and all of that kind that came before it
                        unseen.popleft()
            case {"do": str(verb)}:
                values = said.get("values") or {}
                if not isinstance(values, dict):
                    raise ControlError("values that are no object", "an object of values", "Correct it.")
                await self._work.do(verb, values)
                await self._answers.put(dumps({"type": "done", "id": said.get("id")}))
            case _:
                names = ", ".join(str(name)[:20] for name in list(said)[:3]) or "nothing"
                raise ControlError(f"a message of {names}", "watch, seen or do", "Correct the message.")

    def _watch(self, wanted: Mapping[str, Any]) -> None:
        """Watch other things from now on."""
        output, camera = _width(wanted.get("output")), _width(wanted.get("camera"))
        mesh, mood = int(wanted.get("mesh") is True), int(wanted.get("mood") is True)
        widths = {Kind.OUTPUT: output, Kind.MESH: mesh, Kind.CAMERA: camera, Kind.MOOD: mood}
        before, now = Kind.OUTPUT in self._watched, output > 0
        self._watched = {kind: width for kind, width in widths.items() if width}
        if now and not before:
            self._work.preview.watch()
        elif before and not now:
            self._work.preview.leave()

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        state_due_s = 0.0
        while True:
            now_s = loop.time()
            if now_s >= state_due_s:
                await self._send(await self._work.state_text())
                state_due_s = (now_s * STATE_HZ // 1 + 1) / STATE_HZ
            for kind, width in list(self._watched.items()):
                await self._show(kind, width)
            due_s = (loop.time() * PICTURES_HZ // 1 + 1) / PICTURES_HZ if self._watched else state_due_s
            await self._answer_until(min(due_s, state_due_s))

    async def _show(self, kind: Kind, width_px: int) -> None:
        """Send the newest picture of a kind, if it is a new one and the page keeps up."""
        unseen = self._unseen[kind]
        if len(unseen) >= _UNSEEN:
            return
        picture = await self._work.pictures.newest(kind, width_px)
        if picture is None or picture is self._last.get(kind):
            return
        self._last[kind] = picture
        self._number += 1
        unseen.append(self._number)
        await self._send(picture.message(self._number, self._work.clock.now_ns()))

    async def _answer_until(self, due_s: float) -> None:
        """Send answers as they come, until a time of the loop; all times are multiples of one beat."""
        while True:
            try:
                async with asyncio.timeout_at(due_s):
                    answer = await self._answers.get()
            except TimeoutError:
                return
            await self._send(answer)

    async def _send(self, message: str | bytes) -> None:
        """Hand a message to the system's buffer, which a page that has stopped reading fills."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if isinstance(message, str):
                    await self._socket.send_text(message)
                else:
                    await self._socket.send_bytes(message)
        except TimeoutError as error:
            raise WebSocketDisconnect(_SLOW, "takes nothing") from error
        except RuntimeError as error:  # so it is told where a goodbye is under way
            raise WebSocketDisconnect(_SLOW, "has been closed") from error


def _width(said: Any) -> int:
    """Return a width in pixels that a page asks for; True is a usual one, and 0 is for none."""
    if said is True:
        return 320
    return max(0, min(int(said), 4096)) if isinstance(said, int) and not isinstance(said, bool) else 0
