"""Glass to glass: the delay found in made films whose delay is known, and the command's refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from program import one_line, run

from facepuppet.core.errors import CameraMissingError, LatencyError
from facepuppet.core.types import Frame
from facepuppet.diagnose.flashes import FLASH_S, MIN_CERTAINTY, cell_brightness, find_delay, flash_levels
from facepuppet.diagnose.glass_to_glass import BRIGHT, DARK, FlashWindow, screen_to_camera
from facepuppet.media.source import Source
from facepuppet.testing import ListSource

SECONDS = 12.0


def made_film(
    delay_s: float,
    *,
    fps: float = 30.0,
    noise: float = 2.0,
    contrast: float = 60.0,
    drift: float = 0.0,
    seed: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """When what was shown, and a film of it by a camera whose frames arrive delay_s after mid-exposure.

    The screen fills a quarter of the picture; the camera's exposure control follows the light by `drift`.
    """
    rng = np.random.default_rng(seed)
    levels = np.array(flash_levels(round(SECONDS / FLASH_S), seed), float)
    shown_s = 100.0 + FLASH_S * np.arange(len(levels)) + rng.uniform(0, 0.008, len(levels))
    arrived_s = 100.0 + np.arange(0, SECONDS, 1 / fps) + rng.uniform(0, 0.003, round(SECONDS * fps))
    fine_s = np.linspace(-0.5, 0.5, 21) / fps  # of the exposure
    seen_s = arrived_s[:, None] - delay_s + fine_s
    light = levels[np.clip(np.searchsorted(shown_s, seen_s, side="right") - 1, 0, None)].mean(axis=1)
    cells = np.full((len(arrived_s), 48), 90.0)
    cells[:, :12] += contrast * light[:, None]
    cells *= 1 + drift * np.sin(2 * np.pi * (arrived_s - 100) / 7.0)[:, None]
    cells += rng.normal(0, noise, cells.shape)
    keep = rng.uniform(size=len(arrived_s)) > 0.05  # frames that were dropped
    return shown_s, levels, arrived_s[keep], np.clip(cells[keep], 0, 255)


@pytest.mark.parametrize(
    ("delay_s", "fps"), [(0.020, 60.0), (0.083, 30.0), (0.147, 15.0), (0.147, 30.0), (0.390, 30.0)]
)
def test_a_known_delay_is_found(delay_s: float, fps: float) -> None:
    found = find_delay(*made_film(delay_s, fps=fps))
    assert found.delay_s == pytest.approx(delay_s, abs=0.005)
    assert found.certainty > 0.9


def test_a_small_window_in_a_noisy_picture_with_changing_exposure_does() -> None:
    film = made_film(0.110, noise=8.0, contrast=25.0, drift=0.3)
    assert find_delay(*film).delay_s == pytest.approx(0.110, abs=0.008)


@pytest.mark.parametrize("seed", range(2))
def test_a_film_of_something_else_is_refused(seed: int) -> None:
    shown_s, levels, filmed_s, cells = made_film(0.1, contrast=0.0, seed=seed)
    with pytest.raises(LatencyError, match="Point the camera"):
        find_delay(shown_s, levels, filmed_s, cells)
    other = np.array(flash_levels(len(levels), seed + 1000), float)  # somebody else's flashes
    with pytest.raises(LatencyError, match=f"at least {MIN_CERTAINTY}"):
        find_delay(shown_s, other, *made_film(0.1, seed=seed)[2:])


def test_black_pictures_and_too_few_are_refused() -> None:
    shown_s, levels, filmed_s, cells = made_film(0.1)
    with pytest.raises(LatencyError):
        find_delay(shown_s, levels, filmed_s, np.zeros_like(cells))
    with pytest.raises(LatencyError, match="Got 5 frames"):
        find_delay(shown_s, levels, filmed_s[:5], cells[:5])


def test_flashes_stay_below_what_brings_on_seizures() -> None:
    levels = flash_levels(200)
    assert sum(levels) == 100
    assert 1 / (2 * FLASH_S) < 3.0


def test_a_cell_is_the_mean_of_its_part_of_the_picture() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:10, :10] = 200
    cells = cell_brightness(picture)
    assert cells.shape == (48,) and cells[0] == pytest.approx(200, abs=1) and not cells[1:].any()


class Room(Source):
    """A lamp and a camera that sees it so much later, by the real clock."""

    def __init__(self, delay_s: float) -> None:
        self.fps, self.size_px, self.live, self.n_frames = 30.0, (80, 60), True, None
        self.description = "a room"
        self._delay_s, self._changes = delay_s, [(0.0, False)]
        self._stopping = threading.Event()

    def show(self, bright: bool) -> None:
        self._changes.append((time.monotonic(), bright))

    def close(self) -> None:
        self._stopping.set()

    def read(self) -> Frame | None:
        if self._stopping.wait(1 / 30):
            return None
        seen_s = time.monotonic() - self._delay_s
        bright = [level for at_s, level in tuple(self._changes) if at_s <= seen_s][-1]
        return Frame(np.full((60, 80, 3), BRIGHT if bright else DARK, np.uint8), 0, time.monotonic_ns(), None)


@pytest.mark.slow
def test_a_lamp_before_a_camera_tells_its_delay() -> None:
    room, done = Room(0.12), []
    found = screen_to_camera(room, room, SECONDS, done.append)
    room.close()
    assert found.delay_s == pytest.approx(0.12, abs=0.03)
    assert done[0] == 0.0 and done == sorted(done) and done[-1] < 1.0


class Grab(Source):
    """What is on the screen, grabbed by ffmpeg, as a camera that looks at it."""

    fps, size_px, live, n_frames, description = 30.0, (160, 120), True, None, "the screen"

    def __init__(self, display: str) -> None:
        words = ["-v", "error", "-f", "x11grab", "-framerate", "30", "-i", display, "-vf", "scale=160:120"]
        self._grabber = subprocess.Popen(
            ["ffmpeg", *words, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], stdout=subprocess.PIPE
        )

    def read(self) -> Frame | None:
        assert self._grabber.stdout is not None
        data = self._grabber.stdout.read(160 * 120 * 3)
        picture = np.frombuffer(data, np.uint8)
        return Frame(picture.reshape(120, 160, 3), 0, time.monotonic_ns(), None) if data else None

    def close(self) -> None:
        self._grabber.kill()


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("Xvfb") is None or shutil.which("ffmpeg") is None, reason="needs Xvfb, ffmpeg"
)
def test_a_real_window_is_seen_on_a_real_display(monkeypatch: pytest.MonkeyPatch) -> None:
    told_r, told_w = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(told_w), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(told_w,),
        stderr=subprocess.DEVNULL,
    )
    try:
        display = f":{os.read(told_r, 16).decode().strip()}"
        monkeypatch.setenv("DISPLAY", display)
        window = FlashWindow()
        with Grab(display) as screen:
            found = screen_to_camera(screen, window, SECONDS)
        window.close()
    finally:
        server.kill()
        server.wait()
        os.close(told_r)
        os.close(told_w)
    assert found.delay_s < 0.5 and found.certainty > 0.7


def test_a_film_cannot_look_at_a_screen() -> None:
    film = ListSource([np.zeros((60, 80, 3), np.uint8)], live=False)
    with pytest.raises(CameraMissingError, match="no camera"):
        screen_to_camera(film, Room(0.1), 1.0)


def test_without_a_display_glass_to_glass_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    code, out, err = run(capsys, "latency", "--glass")
    assert code == 2 and out == ""
    assert "no display" in one_line(err)


def test_a_camera_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "latency", "--camera", str(tmp_path / "none.mp4"), "--seconds", "2")
    assert code == 2 and "none.mp4" in one_line(err)


@pytest.mark.slow
def test_capture_to_sink_is_measured_with_the_hardware(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "latency", "--camera", "script", "--seconds", "3", "--json")
    told = json.loads(out)
    assert code == 0 and told["hardware"]["cores"] > 0
    assert 0 < told["capture_to_sink"]["median_ms"] <= told["capture_to_sink"]["p95_ms"]
    code, out, _ = run(capsys, "latency", "--camera", "script", "--seconds", "3")
    assert code == 0 and "capture to sink    median" in out and "p95" in out
