"""A control room over a real run of the built-in piece, and a real headless Chromium that looks at it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.drivers import ScriptedDriver
from facepuppet.frames import Composer
from facepuppet.portrait import Avatar, load_avatar, sample_portrait_path
from facepuppet.session import Extras, LivePipeline, Puppet, Show
from facepuppet.sinks import RecordingSwitch, Sink
from facepuppet.watermark import Marked

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CANVAS = (256, 144)
CAMERA_RGB = (255, 0, 255)  # in a colour that nothing else has
_PATIENCE_S = 30.0
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-port=0", "about:blank"),
)


class SeenDriver(ScriptedDriver):
    """Plays the piece as if a camera saw it.

    Attributes:
        looks: how often somebody asked for the camera's own picture.
        brightness: of the face, 0 to 1, that `light` tells.
        recentred: how often it was re-centred.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.looks = self.recentred = 0
        self.brightness: float | None = 0.5

    def look(self, width_px: int) -> bytes | None:
        """Return a flat picture of CAMERA_RGB."""
        self.looks += 1
        picture = np.full((width_px * 3 // 4, width_px, 3), CAMERA_RGB[::-1], np.uint8)
        return bytes(cv2.imencode(".jpg", picture)[1])

    def recentre(self) -> None:
        """Count."""
        self.recentred += 1

    @property
    def light(self) -> float | None:
        """Return `brightness`."""
        return self.brightness


class NewestSink(Sink):
    """Keeps the newest frame, as a virtual camera does."""

    pixels = None

    def __init__(self, size_px: tuple[int, int], description: str) -> None:
        self.size_px, self.description = size_px, description
        self.newest: Marked | None = None

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        self.newest = frame

    def close(self) -> None:
        """Keep nothing."""
        self.newest = None


class SteadySound:
    """A microphone that is passed on, as the page hears of it."""

    muted, clipped = False, 0

    def to_json(self) -> dict[str, Any]:
        """Return how it stands."""
        names = {"source": "USB microphone", "sink": "facepuppet sound"}
        level = {"wanted_s": 0.061, "measured_s": 0.064, "peak_dbfs": -18.0, "clipped": self.clipped}
        return {**names, **level, "running": True, "muted": self.muted, "problem": ""}


@dataclass(frozen=True)
class Shown:
    """A run with an open control room.

    Attributes:
        done: what was asked for: verb, values, and when, on the clock of time.time().
    """

    room: ControlRoom
    show: Show
    live: LivePipeline
    driver: SeenDriver
    sink: NewestSink
    sound: SteadySound
    done: list[tuple[str, Mapping[str, Any], float]]


@contextmanager
def shown_run(
    folder: Path,
    avatar: Avatar | None = None,
    *,
    canvas_px: tuple[int, int] = CANVAS,
    names: tuple[str, ...] = ("grace", "hopper"),
    quality: str = "low",
) -> Iterator[Shown]:
    """Run the built-in piece for as long as somebody needs it, and open its control room.

    Args:
        folder: for what the room keeps.
        avatar: the portrait of all puppets; the built-in one, analysed afresh, if None.
        canvas_px: of the output.
        names: of the puppets.
        quality: to keep; the usual one is for those who look at the page and not at the portrait.
    """
    avatar = avatar or load_avatar(sample_portrait_path(), cache=False)
    puppets = {name: Puppet(avatar, Composer(avatar, canvas_px)) for name in names}
    sink, preview = NewestSink(canvas_px, "a virtual camera"), PagePreview(canvas_px)
    recording = RecordingSwitch(
        canvas_px, lambda: (NewestSink(canvas_px, "a recording"), folder / "facepuppet.mp4")
    )
    driver, sound = SeenDriver(3600.0), SteadySound()
    with LivePipeline(driver, puppets, [sink, preview, recording], quality=quality) as live:
        show = Show(live, Extras(recording, sound, lambda: ("chromium",)))
        done: list[tuple[str, Mapping[str, Any], float]] = []
        ask = show.do

        def do(verb: str, values: Mapping[str, Any] | None = None) -> None:
            done.append((verb, dict(values or {}), time.time()))
            ask(verb, values)

        show.do = do  # type: ignore[method-assign]
        live.start()
        with ControlRoom(show, preview, 0, folder=folder) as room:
            yield Shown(room, show, live, driver, sink, sound, done)


def chromium_path() -> str | None:
    """Return where Chromium or Chrome is; None where neither is."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """Start a headless Chromium as a user would have it: its tabs can be hidden, and are slowed down then.

    (Where Playwright starts it, every tab counts as seen; so do those of a `new_context` here.)

    Args:
        flags: of its command line, before the usual ones.

    Raises:
        FileNotFoundError: there is none.
    """
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        raise FileNotFoundError("Got no chromium; on Debian: sudo apt-get install chromium")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        process = subprocess.Popen(
            [path, f"--user-data-dir={folder}", *flags, *_FLAGS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        opened.callback(_end, process)
        port = _debugging_port(folder, process)
        playwright = opened.enter_context(sync_playwright())
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        opened.callback(browser.close)
        yield browser


def _debugging_port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    told, end_s = folder / "DevToolsActivePort", time.monotonic() + _PATIENCE_S
    while time.monotonic() < end_s and process.poll() is None:
        if told.exists() and (lines := told.read_text(encoding="utf-8").split()):
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError(f"Chromium did not start (exit status {process.poll()})")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
