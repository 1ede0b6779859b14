"""A small server of the same shape as the real one: a moving picture by WebRTC, a door by WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import Announce, Answered, DrivenBy, Errand, Join, Leave, Over, Told, Why
from facepuppet.server.seams import Desk, Hosts
from facepuppet.server.server_parts import Front, Parts, SessionFigures
from facepuppet.server.sizes import Sizes

RATE = 15


class MovingPicture(VideoStreamTrack):
    """A grey that rises and falls, at 160x96."""

    def __init__(self) -> None:
        super().__init__()
        self._n = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / RATE)
        self._n += 1
        frame = VideoFrame.from_ndarray(np.full((96, 160, 3), self._n % 200, np.uint8))
        frame.pts, frame.time_base = self._n, Fraction(1, RATE)
        return frame


class SmallHost:
    """Performs a moving picture for as long as its peer is connected, or its offer says.

    An offer that is no SDP is a wish: "SECONDS" idles so long, "fail" raises, "die" ends the process.
    """

    def __init__(self, desk: Desk, places: int) -> None:
        self._desk, self._places = desk, places
        self._running: set[asyncio.Task[None]] = set()

    @property
    def taken(self) -> int:
        return len(self._running)

    async def figures(self) -> dict[str, SessionFigures]:
        """Return none: nothing moves."""
        return {}

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        if self.taken >= self._places:
            yield Over(Why.OCCUPIED, "This place is taken.", again=True)
            return
        told: asyncio.Queue[Told | Exception] = asyncio.Queue()
        task = asyncio.create_task(self._run(join, told.put_nowait))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        while not isinstance(item := await told.get(), Over):
            if isinstance(item, Exception):
                raise item
            yield item
        yield item

    async def _run(self, join: Join, tell: Callable[[Told | Exception], None]) -> None:
        try:
            await self._peer(join, tell) if join.offer.startswith("v=0") else await self._wish(join, tell)
        except Exception as error:
            tell(error)

    async def _wish(self, join: Join, tell: Callable[[Told | Exception], None]) -> None:
        if join.offer == "fail":
            raise ValueError("as asked, with the person's address 192.0.2.7")
        if join.offer == "die":
            os._exit(1)
        file = await self._desk.avatar(join.avatar)
        tell(Answered(f"{os.getpid()} {len(file)} {len(await self._desk.revoked())}"))
        tell(await self._until_left(join, float(join.offer)))

    async def _until_left(self, join: Join, seconds: float) -> Over:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    for errand in await self._desk.errands(join.session):
                        if isinstance(errand, Leave):
                            return errand.over
        return Over(Why.LEFT, "It was long enough.")

    async def _peer(self, join: Join, tell: Callable[[Told | Exception], None]) -> None:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        gone = asyncio.Event()

        @connection.on("connectionstatechange")
        def changed() -> None:
            if connection.connectionState in {"failed", "closed"}:
                gone.set()

        try:
            connection.addTrack(MovingPicture())
            await connection.setRemoteDescription(RTCSessionDescription(join.offer, "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
            tell(Answered(connection.localDescription.sdp))
            waits = [asyncio.create_task(gone.wait()), asyncio.create_task(self._until_left(join, 1e6))]
            done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            over = done.pop().result()
            tell(over if isinstance(over, Over) else Over(Why.LEFT, "The peer is gone."))
        finally:
            await connection.close()


@dataclass
class SmallReception:
    """A door without tokens and limits."""

    hosts: Hosts
    avatars: dict[str, bytes] = field(default_factory=lambda: {"a": b"portrait"})
    errands_of: dict[str, asyncio.Queue[Errand]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    closing: bool = False

    async def avatar(self, sha256: str) -> bytes:
        if sha256 not in self.avatars:
            raise ServerError("no such portrait", "one of the shelf", "Choose another.")
        return self.avatars[sha256]

    async def errands(self, session: str) -> list[Errand]:
        try:
            return [await asyncio.wait_for(self.errands_of[session].get(), 2.0)]
        except TimeoutError:
            return []

    async def answer(self, errand: str, answer: str | Over) -> None:
        pass

    async def revoked(self) -> frozenset[str]:
        return frozenset({"abc"})

    async def close(self, seconds: float) -> None:
        self.closing = True
        over = Over(Why.CLOSING, "The server is about to stop.")
        for errands in self.errands_of.values():
            errands.put_nowait(Announce(f"The server stops in {seconds:.0f} s."))
        for _ in range(int(seconds * 10)):
            if not (await self.hosts.seats())[1]:
                return
            await asyncio.sleep(0.1)
        for errands in self.errands_of.values():
            errands.put_nowait(Leave(over))
        while (await self.hosts.seats())[1]:
            await asyncio.sleep(0.1)

    async def join(self, socket: WebSocket) -> None:
        await socket.accept()
        wish = json.loads(await socket.receive_text())
        joined = Join(
            wish["session"], wish["offer"], wish.get("avatar", "a"), "a.png", b"{}", DrivenBy.CAMERA
        )
        events = self.hosts.perform(joined)
        listening = asyncio.create_task(socket.receive())
        telling = asyncio.create_task(self._tell(socket, events))
        await asyncio.wait([listening, telling], return_when=asyncio.FIRST_COMPLETED)
        for task in (listening, telling):
            task.cancel()
        await asyncio.gather(listening, telling, return_exceptions=True)
        await events.aclose()
        with suppress(RuntimeError):
            await socket.close()

    async def _tell(self, socket: WebSocket, events: AsyncIterator[Told]) -> None:
        async for told in events:
            match told:
                case Answered(sdp):
                    await socket.send_json({"answer": sdp})
                case Over(why, sentence, again):
                    await socket.send_json({"over": {"why": why.value, "sentence": sentence, "again": again}})

    async def seats(self, request: Request) -> JSONResponse:
        return JSONResponse(await self.hosts.seats())

    async def pid(self, request: Request) -> JSONResponse:
        return JSONResponse(os.getpid())

    def front(self) -> Front:
        app = Starlette(
            routes=[
                WebSocketRoute("/api/join", self.join),
                Route("/seats", self.seats),
                Route("/pid", self.pid),
            ]
        )
        return Front(self, app, self.close)


def small_front(hosts: Hosts) -> Front:
    return SmallReception(hosts).front()


def main(port: int, metrics_port: int, logs: Path, drain: float, ray: str | None = None) -> None:
    """Serve as `facepuppet serve` does, with small parts and two hosts."""
    from facepuppet.server.ray_start import Door, ray_on, stay

    with ray_on(ray, cores=2, metrics_port=metrics_port) as head:
        from facepuppet.server.serve_ray import open_server

        parts = Parts(SmallHost, small_front, Sizes(2, 2), logs)
        with open_server(parts, Door(port=port), head, own_ray=ray is None) as server:
            print(f"open {head}", flush=True)
            with suppress(KeyboardInterrupt):
                stay(head)
            server.close(drain)


if __name__ == "__main__":
    # Under its own name, by which replicas find its classes.
    from serve_parts import main as main_of_the_module

    try:
        words = sys.argv[1:]
        main_of_the_module(int(words[0]), int(words[1]), Path(words[2]), float(words[3]), *words[4:])
    except ServerError as error:  # as facepuppet.cli.main does: an uncaught one would have Ray ask its head
        sys.exit(str(error))
