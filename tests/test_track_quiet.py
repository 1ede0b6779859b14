from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facepuppet.vision.quiet import quiet_native_logs


def test_chatter_is_dropped_and_the_rest_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_native_logs():
        os.write(2, b"W0000 00:00:1795245646.2 22609 inference_feedback_manager.cc:114] Feedback\n")
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"disk on fire\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "disk on fire\nafterwards\n"


def test_an_error_inside_still_gives_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet_native_logs():
        raise ZeroDivisionError
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_tracker_says_nothing() -> None:
    script = (
        "from pictures import canvas, hopper_rgb\n"
        "from facepuppet.drivers.camera.tracker import Tracker\n"
        "from facepuppet.core.types import Frame\n"
        "with Tracker() as tracker:\n"
        "    frames = [Frame(canvas((hopper_rgb(), (640.0, 360.0), 1.0, 0.0)), i, i) for i in range(3)]\n"
        "    assert all(tracker.track(frame).face for frame in frames)\n"
    )
    here = str(Path(__file__).parent)
    env = {**os.environ, "PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, env=env, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
