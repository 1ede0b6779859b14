"""How late a picture is: from the camera's glass to the sink, and through a screen to the camera again."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from facepuppet.core.errors import CameraMissingError, CaptureError, WindowUnavailableError
from facepuppet.core.metrics import Spread
from facepuppet.diagnose.bench import FPS, NowhereSink, driver_clip
from facepuppet.diagnose.flashes import F64, FLASH_S, FlashDelay, cell_brightness, find_delay, flash_levels
from facepuppet.drivers.driver_words import open_driver
from facepuppet.frames.cpu.compose import Composer
from facepuppet.inference import Runtime
from facepuppet.media.source import Source
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.sinks.preview_window import display_reachable
from facepuppet.vision.trackers import TRACKERS, tracking_models

DARK, BRIGHT = 30, 225  # not the screen's whole range: gentler, and no camera's end
_WINDOW_PX = (800, 600)
_LOOK_S = 0.01


def capture_to_sink(
    seconds: float, camera: str | None, avatar: Path | None, canvas_px: tuple[int, int] | None
) -> tuple[Spread | None, str]:
    """Run the whole live loop for a while.

    Args:
        seconds: how long.
        camera: word for one (`facepuppet.media.source_words`); a film of a face plays it if None.
        avatar: the portrait or pack; the demo's if None.
        canvas_px: width and height of the output; the portrait's own if None.

    Returns:
        The latencies of new pictures, None if there were none; and what played the camera.

    Raises:
        CaptureError: the camera is missing, busy or black.
        PortraitError: no portrait.
    """
    runtime = Runtime()
    models = tracking_models(TRACKERS[0], runtime)
    with tempfile.TemporaryDirectory(prefix="facepuppet-latency-") as folder:
        played_by = camera or f"loop:{driver_clip(Path(folder))}"
        with open_driver(played_by, fps=FPS, models=models) as driver:
            portrait = load_avatar(avatar or sample_portrait_path())
            puppet = Puppet(portrait, Composer(portrait, canvas_px), engine=runtime)
            with LivePipeline(driver, puppet, [NowhereSink(puppet.canvas_px)], fps=FPS) as live:
                live.run(seconds)
            told = live.stats().latency
    return told, "a film of a face" if camera is None else driver.description


class Lamp(Protocol):
    """Something that can be bright or dark for a camera."""

    def show(self, bright: bool) -> None:
        """Change; returns when the system was told to."""

    def close(self) -> None:
        """Put it away."""


class FlashWindow:
    """A window that is bright or dark all over; belongs to the thread that makes it.

    Raises:
        WindowUnavailableError: no display.
    """

    def __init__(self) -> None:
        if not display_reachable():
            raise WindowUnavailableError(
                "no display", "a screen that the camera can see", "Start it from a desktop, without ssh."
            )
        self._title = "facepuppet latency: point the camera here"
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._title, *_WINDOW_PX)

    def show(self, bright: bool) -> None:
        """Fill the window; returns when it was handed to the window system."""
        cv2.imshow(self._title, np.full(_WINDOW_PX[::-1], BRIGHT if bright else DARK, np.uint8))
        cv2.waitKey(1)

    def close(self) -> None:
        """Close the window."""
        cv2.destroyWindow(self._title)
        cv2.waitKey(1)


def screen_to_camera(
    source: Source, lamp: Lamp, seconds: float, shown: Callable[[float], None] = lambda done: None
) -> FlashDelay:
    """Flash a lamp at a camera and find how late the camera's frames are.

    Args:
        source: the camera; left open.
        lamp: what it looks at.
        seconds: how long to flash.
        shown: told the share that is done, from 0 to 1.

    Raises:
        CaptureError: the camera fails, or is none.
        LatencyError: it does not see the lamp.
    """
    if not source.live:
        raise CameraMissingError(
            f"'{source.description}', which is no camera",
            "one that can look at the screen",
            "Use --camera 0.",
        )
    film = _Film(source)
    levels = flash_levels(round(seconds / FLASH_S))
    shown_s: list[float] = []
    try:
        for k, bright in enumerate(levels):
            lamp.show(bright)
            shown_s.append(time.monotonic())
            shown(k / len(levels))
            while time.monotonic() < shown_s[0] + (k + 1) * FLASH_S:
                lamp.show(bright)  # lets the window system draw
                time.sleep(_LOOK_S)
    finally:
        filmed_s, cells = film.stop()
    shown_s.append(time.monotonic())
    return find_delay(np.array(shown_s), np.array([*levels, levels[-1]], np.float64), filmed_s, cells)


class _Film:
    """What a camera sees, cell by cell, taken by a thread until it is stopped."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._times_s: list[float] = []
        self._cells: list[F64] = []
        self._failure: CaptureError | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._take, name="film", daemon=True)
        self._thread.start()

    def stop(self) -> tuple[F64, F64]:
        """End the film: when frames were captured in s, (m,), and their cells, (m, cells)."""
        self._stopping.set()
        self._thread.join(2.0)
        if self._failure is not None:
            raise self._failure
        n = min(len(self._times_s), len(self._cells))
        return np.array(self._times_s[:n]), np.array(self._cells[:n]).reshape(n, -1)

    def _take(self) -> None:
        try:
            while not self._stopping.is_set() and (frame := self._source.read()) is not None:
                self._times_s.append(frame.captured_ns * 1e-9)
                self._cells.append(cell_brightness(frame.rgb))
        except CaptureError as error:
            self._failure = error
