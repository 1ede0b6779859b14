"""Headless Chromium as the program that reads the camera, by getUserMedia, as a call does."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from virtual_camera.opencv_reading import Read, judged

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # for root, as in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--use-fake-ui-for-media-stream",  # the camera is allowed; it is a real one
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
PAGE = Path(__file__).with_name("camera_page.html")


class ChromiumError(Exception):
    """Chromium did not get a picture, with what it said."""


def chromium() -> str | None:
    """Return the program's path, None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def chromium_reads(label: str, size_px: tuple[int, int], seconds: float, patience_s: float) -> Read:
    """Open the camera of that label in Chromium, ask for a size, read for so long, and judge its frames.

    Raises:
        ChromiumError: no picture within the patience, or another camera's.
    """
    wanted = {"label": label, "width": size_px[0], "height": size_px[1], "seconds": seconds}
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile, _Server(wanted) as server:
        command = [str(chromium()), *FLAGS, f"--user-data-dir={profile}", server.address]
        log = Path(profile, "log")
        with log.open("wb") as errors:
            browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            if not server.done.wait(patience_s):
                last = log.read_text(errors="replace").strip().splitlines()[-3:]
                raise ChromiumError(f"no answer within {patience_s:.0f} s; {server.said} {last}")
        finally:
            browser.kill()
            browser.wait()
    told = json.loads(server.answers["/result"])
    if "error" in told:
        raise ChromiumError(told["error"])
    size = (told["width"], told["height"])
    lumas = np.frombuffer(server.answers["/frames"], np.uint8).reshape(-1, size[1], size[0])
    times_s = [ms * 1e-3 for ms in told["times_ms"]]
    return judged(size, [], list(zip(lumas, times_s, strict=True)), told["open_ms"] * 1e-3)


class _Server:
    """Serves the page on loopback, and takes its answers."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.answers: dict[str, bytes] = {}
        self.said = ""
        self.done = threading.Event()
        page = PAGE.read_text(encoding="utf-8").replace("WANTED", json.dumps(wanted))
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.encode())

            def do_POST(self) -> None:
                outer._take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path: str, body: bytes) -> None:
        if path == "/said":
            self.said = body.decode()
            return
        self.answers[path] = body
        if path == "/result":
            self.done.set()
