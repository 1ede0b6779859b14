"""The virtual camera on a real v4l2loopback device; `tools/virtual_camera_check.py` checks one at length.

Each feeds the first device there is; nobody else may use it meanwhile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import pytest
from fakes import marked, picture, wait_until

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.media import loopback_version, open_source
from facepuppet.media.camera_readers import CameraReaders
from facepuppet.media.devices import list_virtual_cameras
from facepuppet.sinks import open_sink, v4l2loopback
from facepuppet.sinks.sink import Sink

pytestmark = pytest.mark.v4l2loopback

FREES_ITSELF = (loopback_version() or (0,)) >= v4l2loopback.FREES_ITSELF_FROM

SIZE_PX = (640, 480)


@pytest.fixture
def device() -> str:
    found = [info for info in list_virtual_cameras() if info.backend == "v4l2loopback"]
    if not found:
        pytest.skip("needs a v4l2loopback device")
    return found[0].device


@contextmanager
def feeding(sink: Sink) -> Iterator[Sink]:
    """Send 50 grey pictures a second from a thread."""
    started, stopping = threading.Event(), threading.Event()

    def feed() -> None:
        while not stopping.wait(0.02):
            sink.send(marked(picture(SIZE_PX, level=128)))
            started.set()

    thread = threading.Thread(target=feed)
    thread.start()
    assert started.wait(timeout=10)
    try:
        yield sink
    finally:
        stopping.set()
        thread.join()


@contextmanager
def fed(device: str) -> Iterator[Sink]:
    """Open the device, and feed it."""
    with open_sink(f"virtual:{device}", SIZE_PX, 50) as sink, feeding(sink):
        yield sink


@contextmanager
def reader(device: str) -> Iterator[cv2.VideoCapture]:
    """Another program that has opened the camera and got a picture."""
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    ok, bgr = capture.read()
    assert ok and bgr.shape == (480, 640, 3)
    assert abs(float(bgr.mean()) - 128) < 3
    try:
        yield capture
    finally:
        capture.release()


def test_frames_reach_a_reader_and_the_device_can_be_fed_again(device: str) -> None:
    for _ in range(2):
        with fed(device), reader(device):
            pass
    assert v4l2loopback.state(device) is v4l2loopback.State.READY


def test_a_reader_sees_the_next_feeder_too(device: str) -> None:
    with ExitStack() as stack:
        with fed(device):
            capture = stack.enter_context(reader(device))
        with fed(device):
            assert all(capture.read()[0] for _ in range(20))


def test_our_own_capture_reads_it_as_a_camera(device: str) -> None:
    with fed(device), open_source(device) as camera:
        frames = [camera.read() for _ in range(10)]
    assert camera.size_px == SIZE_PX
    assert [frame.frame_id for frame in frames if frame] == list(range(10))
    assert all(abs(float(frame.rgb.mean()) - 128) < 3 for frame in frames if frame)


def test_a_second_feeder_is_refused(device: str) -> None:
    with fed(device), pytest.raises(VirtualCameraMissingError, match="already fed"):
        open_sink(f"virtual:{device}", SIZE_PX, 30)


def test_another_size_is_refused_while_a_reader_holds_the_device(device: str) -> None:
    with ExitStack() as stack:
        with fed(device):
            stack.enter_context(reader(device))
        with pytest.raises(VirtualCameraMissingError, match="640x480"):
            open_sink(f"virtual:{device}", (320, 240), 30)


CRASH = """
import sys, time
from fakes import marked, picture
from facepuppet.sinks import open_sink
sink = open_sink("virtual:" + sys.argv[1], (640, 480), 50)
frame = marked(picture((640, 480), level=128))
while True:
    sink.send(frame)
    time.sleep(0.02)
"""


@pytest.mark.parametrize("held", [False, True])
def test_a_killed_feeder_does_not_block_the_next(device: str, held: bool) -> None:
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        feeder = subprocess.Popen([sys.executable, "-c", CRASH, device], env=paths)
        try:
            wait_until(lambda: v4l2loopback.state(device) is v4l2loopback.State.FED)
            if held:
                stack.enter_context(reader(device))
        finally:
            feeder.kill()
            feeder.wait()
        left = v4l2loopback.State.READY if FREES_ITSELF else v4l2loopback.State.STUCK
        assert v4l2loopback.state(device) is left
        with fed(device):
            assert v4l2loopback.state(device) is v4l2loopback.State.FED


def test_readers_are_told_the_rate(device: str) -> None:
    with fed(device):  # OpenCV would ask for 30 by itself
        assert "@50" in Path("/sys/class/video4linux", Path(device).name, "format").read_text()


def test_who_reads_it_is_seen(device: str) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    with fed(device) as sink:
        wait_until(lambda: sink.seen_by() == ())
        recorder = subprocess.Popen(
            ["ffmpeg", "-v", "quiet", "-nostdin", "-f", "v4l2", "-i", device, "-f", "null", "-"]
        )
        try:
            wait_until(lambda: sink.seen_by() == ("ffmpeg",))
        finally:
            recorder.kill()
            recorder.wait()
        wait_until(lambda: CameraReaders(device).names() == ())


def test_a_camera_held_by_another_joins_when_it_is_free(device: str) -> None:
    with ExitStack() as stack:
        with fed(device):
            late = stack.enter_context(open_sink(f"virtual:{device}", SIZE_PX, 50, waits=True))
            assert "already fed" in str(late.away)
        with feeding(late):
            wait_until(lambda: late.away is None)
            wait_until(lambda: v4l2loopback.state(device) is v4l2loopback.State.FED)
            with reader(device):
                pass


def test_while_it_is_fed_the_driver_cannot_be_unloaded(device: str) -> None:
    if os.geteuid() != 0 or shutil.which("rmmod") is None:
        pytest.skip("needs root and rmmod")
    with fed(device), reader(device) as capture:
        done = subprocess.run(["rmmod", "v4l2loopback"], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "in use" in done.stderr
        assert all(capture.read()[0] for _ in range(20))
