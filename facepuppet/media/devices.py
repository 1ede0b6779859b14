"""Which cameras and virtual cameras this machine has, told without opening any of them.

Linux answers from /sys/class/video4linux. macOS and Windows have no such folder; cv2-enumerate-cameras
asks their camera interfaces in the way that OpenCV's backend does, so that its indices are OpenCV's.
"""

from __future__ import annotations

import logging
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from facepuppet.media.camera_backend import camera_backend

SYSFS = Path("/sys/class/video4linux")
LOOPBACK_PARAMETERS = Path("/sys/module/v4l2loopback/parameters")
OBS_APP = Path("/Applications/OBS.app")
OBS_FILTER = r"CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
UNITY_FILTER = r"CLSID\{5C2CD55C-92AD-4999-8666-912BD3E70010}"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that frames can be captured from.

    Attributes:
        index: what OpenCV calls it, and what `--camera` takes.
        name: as its driver reports it.
        path: device node on Linux, else None.
        virtual: fed by another program (a phone, an SLR), or by this one; known on Linux only.
        unique_id: what the system tells it from its twins by, on macOS and Windows, else None.
    """

    index: int
    name: str
    path: str | None = None
    virtual: bool = False
    unique_id: str | None = None

    def __str__(self) -> str:
        return f"{self.index} ({self.name})"


@dataclass(frozen=True, slots=True)
class VirtualCameraInfo:
    """A device that frames can be sent to, so that other programs see a camera.

    Attributes:
        device: what `virtual:DEVICE` takes: a node on Linux, the camera's name elsewhere.
        name: what other programs call it.
        backend: pyvirtualcam's name of the driver.
        warning: why some programs may not see it, or None.
    """

    device: str
    name: str
    backend: str
    warning: str | None = None


def list_cameras(sysfs: Path = SYSFS) -> tuple[CameraInfo, ...]:
    """Return the cameras of this machine in index order; none, with a warning, where they cannot be told."""
    return tuple(_linux_cameras(sysfs) if platform.system() == "Linux" else _enumerated_cameras())


def list_virtual_cameras(
    sysfs: Path = SYSFS, parameters: Path = LOOPBACK_PARAMETERS
) -> tuple[VirtualCameraInfo, ...]:
    """Return the virtual camera devices that frames can be sent to."""
    if platform.system() == "Linux":
        return tuple(_loopback_devices(sysfs, parameters))
    if platform.system() == "Darwin":
        name = "OBS Virtual Camera"
        return (VirtualCameraInfo(name, name, "obs"),) if OBS_APP.exists() else ()
    return tuple(_windows_virtual_cameras())


def device_holders(path: str) -> tuple[str, ...]:
    """Return "name (pid)" of other processes that have the device node open (Linux, own processes)."""
    holders = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # the process ended, or belongs to somebody else
            pid = link.parts[2]
            if str(link.readlink()) == path and int(pid) != os.getpid():
                holders.append(f"{Path('/proc', pid, 'comm').read_text().strip()} ({pid})")
    return tuple(dict.fromkeys(holders))


def _nodes(sysfs: Path) -> Iterator[tuple[int, Path]]:
    if sysfs.is_dir():
        found = [(int(node.name[5:]), node) for node in sysfs.glob("video*") if node.name[5:].isdigit()]
        yield from sorted(found)


def _linux_cameras(sysfs: Path) -> Iterator[CameraInfo]:
    for number, node in _nodes(sysfs):
        # A USB camera has further nodes for metadata; only its first one delivers pictures.
        if _text(node / "index") in ("", "0"):
            name = _text(node / "name") or node.name
            yield CameraInfo(number, name, f"/dev/{node.name}", virtual=_is_loopback(node))


def _enumerated_cameras() -> list[CameraInfo]:
    try:
        from cv2_enumerate_cameras import enumerate_cameras

        found = sorted(enumerate_cameras(camera_backend()), key=lambda camera: camera.index)
        return [CameraInfo(camera.index, camera.name, unique_id=camera.path or None) for camera in found]
    except Exception as error:  # whatever the system's interfaces raise: a guess could open another camera
        log.warning(
            "cameras cannot be listed, so none is used (%s); try: pip install --force-reinstall "
            "cv2-enumerate-cameras",
            error,
        )
        return []


def _loopback_devices(sysfs: Path, parameters: Path) -> Iterator[VirtualCameraInfo]:
    exclusive = _text(parameters / "exclusive_caps").split(",")
    for position, (_, node) in enumerate(entry for entry in _nodes(sysfs) if _is_loopback(entry[1])):
        shared = position < len(exclusive) and exclusive[position] == "N"
        warning = "browsers hide it: load v4l2loopback with exclusive_caps=1" if shared else None
        yield VirtualCameraInfo(f"/dev/{node.name}", _text(node / "name"), "v4l2loopback", warning)


def _is_loopback(node: Path) -> bool:
    return (node / "max_openers").exists()  # an attribute that only v4l2loopback adds


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _windows_virtual_cameras() -> Iterator[VirtualCameraInfo]:
    for clsid, name, backend in (
        (OBS_FILTER, "OBS Virtual Camera", "obs"),
        (UNITY_FILTER, "Unity Video Capture", "unitycapture"),
    ):
        if "InprocServer32" in _ask("reg", "query", rf"HKCR\{clsid}", "/s"):
            yield VirtualCameraInfo(name, name, backend)


def _ask(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("could not list virtual cameras: %s", error)
        return ""
