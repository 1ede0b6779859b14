"""The server's thread: it sleeps until somebody connects, and what happens in it does not touch the show."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from facepuppet.control_room.loopback_port import BACKLOG

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from facepuppet.control_room.quiet_uvicorn import QuietServer

_JOIN_S = 3.0
_FIRST_FRAME_S = 10.0
_SHUT_S = 1  # for pages to be told

log = logging.getLogger(__name__)


class RoomServer:
    """Serves an application on a listening socket, in a daemon thread.

    The libraries for that are loaded when the first one connects, and not before the first frame: nobody who
    does without the page waits for them.

    Args:
        listening: a bound socket; belongs to this from now on.
        make_app: makes the application, in the server's thread.
        first_frame: set once the show has begun; waited for, but not for ever.
    """

    def __init__(
        self, listening: socket.socket, make_app: Callable[[], ASGIApp], first_frame: threading.Event
    ) -> None:
        self._listening, self._make_app, self._first_frame = listening, make_app, first_frame
        self._wake, self._woken = socket.socketpair()
        self._stopping = threading.Event()
        self._quit: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._guarded, name="control room", daemon=True)

    def start(self) -> None:
        """Start the thread; who has connected already is served."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the pages, close the socket and wait for the thread, a few seconds at most."""
        self._stopping.set()
        self._first_frame.set()
        self._wake.close()
        self._quit()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            log.warning("the control room does not stop")

    def _guarded(self) -> None:
        try:
            self._sleep()
            if not self._stopping.is_set():
                self._serve()
        except BaseException as error:  # uvicorn leaves by SystemExit, too
            if not self._stopping.is_set():  # else uvicorn stumbles over pages that leave at the same time
                log.error(
                    "the control room has failed (%s); the show goes on without its page",
                    error or "no reason",
                )
            log.debug("where", exc_info=error)
        finally:
            self._listening.close()
            self._woken.close()

    def _sleep(self) -> None:
        """Wait for a first connection, without a library and at no cost."""
        with selectors.DefaultSelector() as selector:
            for one in (self._listening, self._woken):
                selector.register(one, selectors.EVENT_READ)
            selector.select()
        self._first_frame.wait(_FIRST_FRAME_S)

    def _serve(self) -> None:
        import asyncio

        import uvicorn

        from facepuppet.control_room.quiet_uvicorn import BoundedHttp, QuietServer

        config = uvicorn.Config(
            self._make_app(),
            http=BoundedHttp,
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL,  # its lines have the token in them; `Guard` tells what matters
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ws_max_size=65_536,
            ws_per_message_deflate=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=_SHUT_S,
            h11_max_incomplete_event_size=16_384,
        )
        asyncio.run(self._until_stopped(QuietServer(config)), debug=False)

    async def _until_stopped(self, server: QuietServer) -> None:
        import asyncio

        loop = asyncio.get_running_loop()

        def quit_soon() -> None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(server.quit)

        self._quit = quit_soon
        if not self._stopping.is_set():  # else told to stop before there was somebody to tell
            await server.serve(sockets=[self._listening])
