"""Listing cameras from the system's own tables, without opening one."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from facepuppet.media.devices import CameraInfo, VirtualCameraInfo, list_cameras, list_virtual_cameras

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="reads a made-up /sys as Linux does")


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A webcam with a metadata node, a second webcam, and two loopback devices."""
    for number, name, index, loopback in (
        (0, "Desk Cam", 0, False),
        (1, "Desk Cam", 1, False),
        (12, "Laptop Cam", 0, False),
        (9, "other loopback", 0, True),
        (10, "facepuppet", 0, True),
    ):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(name + "\n")
        (node / "index").write_text(f"{index}\n")
        if loopback:
            (node / "max_openers").write_text("10\n")
    (tmp_path / "radio0").mkdir()
    return tmp_path


def test_cameras_are_those_that_deliver_pictures(sysfs: Path) -> None:
    assert list_cameras(sysfs) == (
        CameraInfo(0, "Desk Cam", "/dev/video0"),
        CameraInfo(9, "other loopback", "/dev/video9", virtual=True),
        CameraInfo(10, "facepuppet", "/dev/video10", virtual=True),
        CameraInfo(12, "Laptop Cam", "/dev/video12"),
    )


def test_virtual_cameras_are_the_loopback_devices(sysfs: Path, tmp_path: Path) -> None:
    (tmp_path / "exclusive_caps").write_text("N,Y,N,N\n")
    first, second = list_virtual_cameras(sysfs, parameters=tmp_path)
    assert second == VirtualCameraInfo("/dev/video10", "facepuppet", "v4l2loopback")
    assert first.device == "/dev/video9"
    assert first.warning is not None and "exclusive_caps=1" in first.warning


def test_a_machine_without_any_has_none(tmp_path: Path) -> None:
    assert list_cameras(tmp_path / "nothing") == ()
    assert list_virtual_cameras(tmp_path / "nothing") == ()
