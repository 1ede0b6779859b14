"""Listing cameras from the system's own tables, without opening one."""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from facepuppet.media.camera_device import OpenCVDevice
from facepuppet.media.devices import CameraInfo, VirtualCameraInfo, list_cameras, list_virtual_cameras

on_linux = pytest.mark.skipif(platform.system() != "Linux", reason="reads a made-up /sys as Linux does")
elsewhere = pytest.mark.parametrize(
    ("system", "backend"), [("Darwin", cv2.CAP_AVFOUNDATION), ("Windows", cv2.CAP_MSMF)]
)


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


@on_linux
def test_cameras_are_those_that_deliver_pictures(sysfs: Path) -> None:
    assert list_cameras(sysfs) == (
        CameraInfo(0, "Desk Cam", "/dev/video0"),
        CameraInfo(9, "other loopback", "/dev/video9", virtual=True),
        CameraInfo(10, "facepuppet", "/dev/video10", virtual=True),
        CameraInfo(12, "Laptop Cam", "/dev/video12"),
    )


@on_linux
def test_virtual_cameras_are_the_loopback_devices(sysfs: Path, tmp_path: Path) -> None:
    (tmp_path / "exclusive_caps").write_text("N,Y,N,N\n")
    first, second = list_virtual_cameras(sysfs, parameters=tmp_path)
    assert second == VirtualCameraInfo("/dev/video10", "facepuppet", "v4l2loopback")
    assert first.device == "/dev/video9"
    assert first.warning is not None and "exclusive_caps=1" in first.warning


@on_linux
def test_a_machine_without_any_has_none(tmp_path: Path) -> None:
    assert list_cameras(tmp_path / "nothing") == ()
    assert list_virtual_cameras(tmp_path / "nothing") == ()


def pretend(monkeypatch: pytest.MonkeyPatch, system: str, enumerate_cameras: Callable[..., object]) -> None:
    """Be another system, with a cv2-enumerate-cameras that answers as told."""
    monkeypatch.setattr(platform, "system", lambda: system)
    module = SimpleNamespace(enumerate_cameras=enumerate_cameras)
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", module)


@elsewhere
def test_elsewhere_cameras_are_counted_as_the_backend_that_opens_them_does(
    system: str, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        backend: [
            SimpleNamespace(index=1, name="FaceTime HD Camera", path="47B4B64B", backend=backend),
            SimpleNamespace(index=0, name="USB Camera", path="0x21000000c456366", backend=backend),
            SimpleNamespace(index=2, name="nameless twin", path="", backend=backend),
        ]
    }
    pretend(monkeypatch, system, lambda asked: found[asked])
    assert list_cameras() == (
        CameraInfo(0, "USB Camera", unique_id="0x21000000c456366"),
        CameraInfo(1, "FaceTime HD Camera", unique_id="47B4B64B"),
        CameraInfo(2, "nameless twin"),
    )


@elsewhere
def test_a_camera_is_opened_by_the_backend_that_counted_it(
    system: str, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    class Capture:
        def __init__(self, index: int, api: int) -> None:
            asked.append((index, api))

        def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
            return True

        def set(self, prop: int, value: float) -> bool:
            return True

    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr("facepuppet.media.camera_device.cv2.VideoCapture", Capture)
    OpenCVDevice.open(CameraInfo(3, "USB Camera"), (640, 480), 30.0)
    assert asked == [(3, backend)]


@elsewhere
@pytest.mark.parametrize("error", [NotImplementedError("Unsupported backend"), RuntimeError("no interface")])
def test_what_cannot_be_listed_is_not_guessed(
    system: str,
    backend: int,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def failing(asked: int) -> object:
        raise error

    pretend(monkeypatch, system, failing)
    with caplog.at_level(logging.WARNING):
        assert list_cameras() == ()
    assert "cannot be listed" in caplog.text and str(error) in caplog.text


@elsewhere
def test_without_the_package_there_are_no_cameras_but_a_word_of_how_to_get_it(
    system: str, backend: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    with caplog.at_level(logging.WARNING):
        assert list_cameras() == ()
    assert "pip install --force-reinstall cv2-enumerate-cameras" in caplog.text
