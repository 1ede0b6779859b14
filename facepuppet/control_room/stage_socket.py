"""The stage's line to the run: a page that shows the puppet alone hears of every frame and gets the newest.

Server to page, binary: byte 0 is 4, bytes 1-4 uint32 LE number, bytes 5-6 uint16 LE age in ms (capture to
sending), bytes 7-10 uint32 LE length of the picture, a JPEG whose colour is premultiplied by alpha; then a
grey JPEG of alpha, or nothing where all is opaque. Page to server, JSON: {"seen": number}, {"watch": bool}.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from facepuppet.control_room.answers import read_object
from facepuppet.control_room.cut_out import CutOut, cut_out
from facepuppet.control_room.stage_feed import StageFeed
from facepuppet.core.clock import Clock
from facepuppet.core.errors import ControlError
from facepuppet.watermark.marked import Marked

MOST_STAGES = 4
KIND = 4
HEAD = struct.Struct("<BIHI")
_UNSEEN = 2  # pictures
_OLDEST_MS = 0xFFFF
_PERIOD_S, _EARLY_S = 1 / 30, 0.01  # how often one is sent at most, and how unevenly they may come
_PATIENCE_S = 10.0  # with a page that takes nothing
_FULL, _WRONG = 1013, 1008  # close codes of RFC 6455: try again later; policy

log = logging.getLogger(__name__)


class StageSockets:
    """Serves every stage that is open; each frame is cut out once, however many look.

    Args:
        feed: one of the run's sinks.
        clock: of the run.
    """

    def __init__(self, feed: StageFeed, clock: Clock) -> None:
        self.feed, self.clock = feed, clock
        self._n = 0
        self._frame: Marked | None = None
        self._done = CutOut(b"", b"")
        self._working = asyncio.Lock()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one page until it goes; one too many is sent away."""
        await websocket.accept()
        if self._n >= MOST_STAGES:
            await websocket.close(_FULL, f"at most {MOST_STAGES} stages")
            return
        self._n += 1
        try:
            await _Stage(websocket, self).run()
        except WebSocketDisconnect as gone:
            log.debug("a stage has gone: %s", gone)
        finally:
            self._n -= 1

    async def cut_out(self, frame: Marked) -> CutOut:
        """Return a frame cut out, by a worker thread."""
        async with self._working:
            if frame is not self._frame:
                self._done = await asyncio.to_thread(cut_out, frame)
                self._frame = frame
            return self._done

    def forget(self) -> None:
        """Keep nothing: nobody looks any more."""
        self._frame, self._done = None, CutOut(b"", b"")


class _Stage:
    """One page: it is sent no more than it has room for, and never what is not the newest."""

    def __init__(self, websocket: WebSocket, sockets: StageSockets) -> None:
        self._socket, self._sockets, self._feed = websocket, sockets, sockets.feed
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._sent = self._seen = 0
        self._watches = False
        self._last: Marked | None = None
        self._due_s = 0.0

    async def run(self) -> None:
        """Hear and show until the page goes."""
        self._watch(True)
        tasks = [asyncio.create_task(self._show()), asyncio.create_task(self._hear())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._watch(False)

    async def _hear(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                self._heed(read_object(message.get("text") or b""))
            except ControlError as problem:
                await self._socket.close(_WRONG, problem.got[:100])
                return

    def _heed(self, said: dict[str, object]) -> None:
        match said:
            case {"seen": int(number)}:
                self._seen = min(max(number, self._seen), self._sent)
            case {"watch": bool(on)}:
                self._watch(on)
            case _:
                raise ControlError("another message", "seen or watch", "Correct the message.")
        self._changed.set()

    def _watch(self, on: bool) -> None:
        if on == self._watches:
            return
        self._watches = on
        if on:
            self._feed.watch(self._tell)
            return
        self._last = None
        self._feed.leave(self._tell)
        if not self._feed.wants_matte:
            self._sockets.forget()

    def _tell(self) -> None:
        """Wake this page's task; called by the thread that sends frames."""
        with suppress(RuntimeError):  # the server has just ended
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _show(self) -> None:
        """Send the newest frame whenever there is one and the page has room."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            frame = self._feed.newest
            if not self._watches or frame is None or frame is self._last or not self._has_room():
                continue
            self._last = frame
            picture, matte = await self._sockets.cut_out(frame)
            self._sent += 1
            age_ms = max(self._sockets.clock.now_ns() - frame.captured_ns, 0) // 1_000_000
            head = HEAD.pack(KIND, self._sent & 0xFFFFFFFF, min(age_ms, _OLDEST_MS), len(picture))
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._socket.send_bytes(head + picture + matte)
            except TimeoutError as error:
                raise WebSocketDisconnect(_WRONG, "takes nothing") from error

    def _has_room(self) -> bool:
        """Tell whether the page may get one more now, and reckon with it if so."""
        now_s = self._loop.time()
        if self._sent - self._seen >= _UNSEEN or now_s < self._due_s - _EARLY_S:
            return False
        self._due_s = max(self._due_s, now_s - _PERIOD_S) + _PERIOD_S
        return True
