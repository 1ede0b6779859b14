"""What the field's files and libraries are like (`facepuppet/media/FORMATS.md`), and what we make of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from facepuppet.core.types import U8
from facepuppet.media import open_source
from facepuppet.media.devices import list_cameras
from facepuppet.media.video_frame import luma_of
from facepuppet.media.video_reader import VideoReader
from facepuppet.media.video_source import VideoSource

RED = (200, 60, 40)
NUMBERS = {"ITU709": 1, "ITU601": 6}  # FFmpeg's, of the colour spaces


def write_red(path: Path, size_px: tuple[int, int], stored: str, *, named: bool) -> U8:
    """A red video whose colours are stored in a colour space, which it may name; returns its luma."""
    rgb = np.empty((size_px[1], size_px[0], 3), np.uint8)
    rgb[:] = RED
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=stored, dst_color_range="MPEG")
        number = NUMBERS[stored] if named else 2
        stream.codec_context.colorspace = frame.colorspace = number
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return np.frombuffer(memoryview(frame.planes[0]), np.uint8)[: size_px[0]].copy()


@pytest.mark.parametrize(
    ("size_px", "stored", "named"),
    [
        ((1280, 720), "ITU709", True),
        ((1280, 720), "ITU709", False),
        ((720, 1280), "ITU709", False),
        ((1280, 720), "ITU601", True),
        ((640, 480), "ITU601", False),
        ((640, 480), "ITU709", True),
    ],
)
def test_colours_are_those_a_browser_shows(
    tmp_path: Path, size_px: tuple[int, int], stored: str, named: bool
) -> None:
    path = tmp_path / "red.mp4"
    stored_luma = write_red(path, size_px, stored, named=named)
    with VideoSource(path) as source:
        frame = source.read()
    assert frame is not None
    middle = frame.rgb[size_px[1] // 2, size_px[0] // 2]
    assert np.abs(middle.astype(int) - RED).max() <= 3
    reader = VideoReader(path)
    read = reader.read()
    assert read is not None
    assert (read[0].colorspace == 2) is not named
    # The watermark's detector sees what is stored, whatever colours are taken to be.
    assert int(luma_of(read[0])[size_px[1] // 2, size_px[0] // 2]) == pytest.approx(stored_luma[0], abs=1)
    reader.close()


def write_animation(path: Path, delays_ms: list[int]) -> Path:
    pictures = [Image.fromarray(np.full((32, 32, 3), 40 * n, np.uint8)) for n in range(len(delays_ms))]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=delays_ms, loop=0, format=None)
    return path


@pytest.mark.parametrize(
    ("delays_ms", "times_ms", "fps"),
    [
        ([10] * 5, [0, 100, 200, 300, 400], 10),
        ([0] * 5, [0, 100, 200, 300, 400], None),
        ([20] * 5, [0, 20, 40, 60, 80], 50),
        ([40] * 5, [0, 40, 80, 120, 160], 25),
        ([100, 10, 10, 200, 100], [0, 100, 200, 300, 500], None),
    ],
)
def test_animations_play_as_browsers_play_them(
    tmp_path: Path, delays_ms: list[int], times_ms: list[int], fps: float | None
) -> None:
    """Delays up to 10 ms were never kept to: taken as they are, such a driver moves ten times too fast."""
    path = write_animation(tmp_path / "driver.gif", delays_ms)
    with open_source(path) as source:
        frames = [frame for frame in iter(source.read, None) if frame is not None]
    assert [frame.pts_s for frame in frames] == pytest.approx([t / 1000 for t in times_ms], abs=1e-3)
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == pytest.approx([0, 40, 80, 120, 160], abs=2)
    assert fps is None or source.fps == pytest.approx(fps)


def test_a_fast_video_is_not_slowed_down(tmp_path: Path) -> None:
    """A hundred frames a second are meant in a video."""
    path = tmp_path / "fast.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_source(path) as source:
        times = [frame.pts_s for frame in iter(source.read, None) if frame is not None]
    assert times == pytest.approx([0.01 * n for n in range(5)], abs=2e-3)


def test_opencv_opens_cameras_alone() -> None:
    """Of files it forgets rotation and colours, depending on its version."""
    root = Path(__file__).parents[1]
    folders = ("facepuppet", "calibrate", "engines", "tools")
    modules = [path for folder in folders for path in (root / folder).rglob("*.py")]
    opening = {str(path.relative_to(root)) for path in modules if "VideoCapture(" in path.read_text("utf-8")}
    allowed = {Path("facepuppet/media/camera_device.py"), Path("tools/virtual_camera/opencv_reading.py")}
    assert opening == set(map(str, allowed))


def test_listing_cameras_asks_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """OpenCV complains about each camera that is not there; Linux tells which there are."""

    def opened(*_: object) -> None:
        raise AssertionError("a camera was opened")

    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr(cv2, "VideoCapture", opened)
    assert list_cameras(tmp_path) == ()
    assert capfd.readouterr() == ("", "")
