"""The virtual camera: what is said when there is none, its pixels, and a real one where there is one."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import Enum
from types import SimpleNamespace

import cv2
import pytest
from compare import CODEC, EXACT, assert_pictures_equal
from fakes import marked, picture

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.core.i420 import to_i420, to_rgb
from facepuppet.core.types import U8, ComposedI420, Pixels
from facepuppet.media.devices import VirtualCameraInfo
from facepuppet.sinks.advice import virtual_camera_advice
from facepuppet.sinks.even_size import evened
from facepuppet.sinks.virtual_camera import VirtualCamera, find_virtual_camera
from facepuppet.watermark import Marker
from facepuppet.watermark.marked import SEAL

HERE = (
    VirtualCameraInfo("/dev/video9", "spare", "v4l2loopback"),
    VirtualCameraInfo("/dev/video10", "facepuppet", "v4l2loopback"),
)


def test_the_device_is_found_by_node_or_name_and_defaults_to_the_first() -> None:
    assert find_virtual_camera(None, HERE).device == "/dev/video9"
    assert find_virtual_camera("Facepuppet", HERE).device == "/dev/video10"
    assert find_virtual_camera("/dev/video10", HERE).name == "facepuppet"


def test_a_wrong_device_lists_what_is_there() -> None:
    with pytest.raises(
        VirtualCameraMissingError, match=r"/dev/video9 \(spare\), /dev/video10 \(facepuppet\)"
    ):
        find_virtual_camera("/dev/video3", HERE)


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("Linux", "modprobe v4l2loopback exclusive_caps=1"),
        ("Darwin", "System Settings"),
        ("Windows", "OBS Studio"),
    ],
)
def test_a_machine_without_one_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, system: str, command: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    assert command in virtual_camera_advice()
    with pytest.raises(VirtualCameraMissingError, match=command):
        find_virtual_camera(None, ())


def test_i420_is_limited_range_in_planes() -> None:
    assert to_i420(picture((8, 4), level=255)).shape == (6, 8)
    white, black = (to_i420(picture((8, 4), level=level)) for level in (255, 0))
    assert (white[:4] == 235).all() and (black[:4] == 16).all()
    assert abs(white[4:].astype(int) - 128).max() <= 1
    rgb = picture((640, 480), seed=3)
    back = cv2.cvtColor(to_i420(rgb), cv2.COLOR_YUV2RGB_I420)
    assert_pictures_equal(back, rgb, CODEC.but(mean=3))  # half the chroma, and nothing else


class PixelFormat(Enum):
    """As pyvirtualcam's, which is not installed on Linux."""

    RGB = "RGB"
    I420 = "I420"


class FakeCamera:
    """Takes what pyvirtualcam.Camera takes."""

    def __init__(self, width: int, height: int, fps: float, *, fmt: PixelFormat, **_: object) -> None:
        self.shape = (height * 3 // 2, width) if fmt is PixelFormat.I420 else (height, width, 3)
        self.sent: list[U8] = []

    def send(self, frame: U8) -> None:
        assert frame.shape == self.shape and frame.flags.c_contiguous
        self.sent.append(frame)


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[FakeCamera]:
    """Cameras opened so far; unitycapture is the one that takes RGB."""
    opened: list[FakeCamera] = []

    def open_camera(*given: float, **named: object) -> FakeCamera:
        opened.append(FakeCamera(*given, **named))
        return opened[-1]

    here = tuple(VirtualCameraInfo(name, name, name) for name in ("obs", "unitycapture"))
    monkeypatch.setattr("facepuppet.sinks.virtual_camera.list_virtual_cameras", lambda: here)
    library = SimpleNamespace(Camera=open_camera, PixelFormat=PixelFormat)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", library)
    return opened


@pytest.mark.parametrize(
    ("device", "size_px"), [("obs", (160, 128)), ("obs", (161, 129)), ("unitycapture", (160, 128))]
)
def test_pictures_arrive_in_the_cameras_format(
    cameras: list[FakeCamera], device: str, size_px: tuple[int, int]
) -> None:
    frame = marked(picture(size_px, seed=3))
    assert frame.i420 is None
    VirtualCamera(size_px, 30, device).send(frame)
    even = evened(frame.rgb)
    assert_pictures_equal(cameras[0].sent[0], to_i420(even) if device == "obs" else even, EXACT)


@pytest.mark.parametrize(
    ("device", "size_px", "pixels"),
    [
        ("obs", (160, 128), Pixels.I420),
        ("obs", (161, 129), Pixels.RGB),
        ("unitycapture", (160, 128), Pixels.RGB),
    ],
)
def test_it_says_what_it_wants(
    cameras: list[FakeCamera], device: str, size_px: tuple[int, int], pixels: Pixels
) -> None:
    assert VirtualCamera(size_px, 30, device).pixels is pixels


def test_a_picture_of_planes_alone_suits_every_camera(cameras: list[FakeCamera]) -> None:
    planes = to_i420(picture((160, 128), seed=3))
    frame = Marker(size_px=(160, 128)).mark_i420(ComposedI420(planes, 0, 0))
    for device in ("obs", "unitycapture"):
        VirtualCamera((160, 128), 30, device).send(frame)
    assert cameras[0].sent[0] is frame.i420
    assert_pictures_equal(cameras[1].sent[0], to_rgb(frame.i420), EXACT)


def test_a_picture_that_came_as_i420_is_not_converted_again(cameras: list[FakeCamera]) -> None:
    plain = marked(picture((160, 128), seed=3))
    i420 = to_i420(plain.rgb)
    frame = replace(plain, i420=i420, seal=SEAL)
    for device in ("obs", "unitycapture"):
        VirtualCamera((160, 128), 30, device).send(frame)
    assert cameras[0].sent[0] is i420
    assert cameras[1].sent[0] is frame.rgb
