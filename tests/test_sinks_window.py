"""The preview window: an error without a display, the picture on one."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import picture

from facepuppet.core.errors import WindowUnavailableError
from facepuppet.core.types import U8
from facepuppet.sinks import open_sink

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="displays are X11's here")


@pytest.mark.parametrize("display", [None, "", ":4711", "nonsense", "localhost:4711"])
def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch, display: str | None) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(WindowUnavailableError, match="no display"):
        open_sink("window", (160, 128), 30)


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen of 800x600."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        yield f":{answer.readline().strip()}"
    server.terminate()
    server.wait(timeout=10)


# In a process of its own: Qt keeps the first display it meets, and ends the process when that dies.
SHOW = """
import sys
from pathlib import Path
from fakes import marked, picture
from facepuppet.sinks import open_sink
frame = marked(picture((320, 240), seed=1))
with open_sink("window", (320, 240), 30) as sink:
    while not Path(sys.argv[1]).exists():
        sink.send(frame)
"""


def screenshot(display: str) -> U8:
    """What the virtual screen shows, (600, 800, 3) RGB."""
    grab = ["ffmpeg", "-v", "error", "-f", "x11grab", "-video_size", "800x600", "-i", display]
    shot = subprocess.run(
        [*grab, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    return np.frombuffer(shot, np.uint8).reshape(600, 800, 3)


def shown_by_one_viewer(display: str, stop: Path, give_up_s: float) -> float:
    """How much the screen looks like what one viewer sends, at best, within `give_up_s`."""
    tests = Path(__file__).parent
    viewer = subprocess.Popen(
        [sys.executable, "-c", SHOW, str(stop)],
        env={
            **os.environ,
            "DISPLAY": display,
            "PYTHONPATH": os.pathsep.join(map(str, (tests, tests.parent, tests.parent / "tools"))),
        },
    )
    inner = picture((320, 240), seed=1)[40:200, 40:280]
    score, until_s = 0.0, time.monotonic() + give_up_s
    while score < 0.95 and time.monotonic() < until_s:
        assert viewer.poll() is None
        score = float(cv2.matchTemplate(screenshot(display), inner, cv2.TM_CCOEFF_NORMED).max())
    stop.touch()
    assert viewer.wait(timeout=30) == 0
    return score


def test_the_picture_appears_on_the_screen(display: str, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg to take a screenshot")
    # Four tries: on a busy bare X server Qt 5 of opencv-python 4.11 leaves some windows unpainted for good,
    # without facepuppet too (34 of 480 plain imshow loops). A sink at fault would fail all four.
    for n in range(4):
        if shown_by_one_viewer(display, tmp_path / f"seen enough {n}", give_up_s=15.0) >= 0.95:
            return
    raise AssertionError("four viewers and nothing on the screen")
