"""A network camera on 127.0.0.1: motion JPEG over HTTP, that may die, stall and come back."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
from fakes import picture

BOUNDARY = "picture"
PERIOD_S = 0.02
LONGEST_S = 30.0  # no connection outlives this, whatever a test forgets


class MjpegServer:
    """Serves grey pictures from start() to stop(), always on the same port.

    Attributes:
        connections: how often somebody asked for pictures.
        stalled: while set, connections stay open and mute.
    """

    def __init__(self, size_px: tuple[int, int] = (64, 48)) -> None:
        self.connections = 0
        self.stalled = threading.Event()
        self._jpeg = cv2.imencode(".jpg", picture(size_px, level=100))[1].tobytes()
        self._port = 0
        self._gone = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is found."""
        return f"http://127.0.0.1:{self._port}/camera.mjpg"

    def start(self) -> None:
        """Listen, and serve whoever comes."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        self._gone = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Drop every connection and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        self._gone.set()

    def __enter__(self) -> MjpegServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        gone = self._gone  # of this life; a later start() has its own
        self.connections += 1
        handler.close_connection = True
        try:
            handler.send_response(200)
            handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            handler.end_headers()
            for _ in range(round(LONGEST_S / PERIOD_S)):
                if not self.stalled.is_set():
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self._jpeg)}"
                    handler.wfile.write(head.encode() + b"\r\n\r\n" + self._jpeg + b"\r\n")
                if gone.wait(PERIOD_S):
                    break
            handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side has left
