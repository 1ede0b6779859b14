"""The virtual camera: what is said when there is none, its pixels, and a real one where there is one."""

from __future__ import annotations

import cv2
import pytest
from fakes import marked, picture

from facepuppet.devices import VirtualCameraInfo, list_virtual_cameras
from facepuppet.errors import VirtualCameraMissingError
from facepuppet.sinks import open_sink
from facepuppet.sinks.advice import virtual_camera_advice
from facepuppet.sinks.virtual_camera import find_virtual_camera, to_i420

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
    assert abs(back.astype(int) - rgb).mean() < 3


def test_frames_reach_a_real_device() -> None:
    if not list_virtual_cameras():
        pytest.skip("no virtual camera on this machine; tools/vcam_check.py checks one at length")
    for _ in range(2):  # twice: feeding again must work
        with open_sink("virtual", (640, 480), 30) as sink:
            sink.send(marked(picture((640, 480), level=128)))
            assert "virtual camera" in sink.description
