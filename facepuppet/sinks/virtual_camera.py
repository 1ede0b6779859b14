"""The camera that other programs see: v4l2loopback on Linux, OBS on macOS and Windows."""

from __future__ import annotations

import logging
import os

import cv2
import numpy as np
import pyvirtualcam
from pyvirtualcam import PixelFormat

from facepuppet.devices import VirtualCameraInfo, device_holders, list_virtual_cameras
from facepuppet.errors import VirtualCameraMissingError
from facepuppet.sinks.advice import virtual_camera_advice
from facepuppet.sinks.even import even_size_px, evened
from facepuppet.sinks.sink import Sink
from facepuppet.types import U8
from facepuppet.watermark import Marked

log = logging.getLogger(__name__)


class VirtualCamera(Sink):
    """Feeds a virtual camera device.

    Frames travel as I420, which v4l2loopback passes on untouched, every browser reads without
    converting, and the OBS drivers turn into their own format cheaply.

    Args:
        size_px: width and height of the frames; odd ones are padded.
        fps: nominal rate, a hint to the driver; whoever sends keeps the pace.
        device: node or name; the first device when None.

    Raises:
        VirtualCameraMissingError: no device, or it does not take frames; says how to mend it.
    """

    def __init__(self, size_px: tuple[int, int], fps: float, device: str | None = None) -> None:
        info = find_virtual_camera(device, list_virtual_cameras())
        self.size_px = size_px
        self.description = f"virtual camera {info.name!r} ({info.device})"
        if info.warning:
            log.warning("%s: %s", self.description, info.warning)
        self._info = info
        self._format = PixelFormat.RGB if info.backend == "unitycapture" else PixelFormat.I420
        device_size_px = even_size_px(size_px, self.description)
        if info.backend == "v4l2loopback":
            _make_ready(info)
        self._camera: pyvirtualcam.Camera | None = self._open(device_size_px, fps)
        if info.backend == "v4l2loopback":
            self._check_size(device_size_px)

    def _check_size(self, size_px: tuple[int, int]) -> None:
        """A reader from before holds the device at its old size, and the driver does not say so."""
        from facepuppet.sinks import v4l2loopback  # needs fcntl, which Windows lacks

        carried = v4l2loopback.picture_format(self._info.device)
        if carried and f":{size_px[0]}x{size_px[1]}" not in carried:
            self.close()
            raise VirtualCameraMissingError(
                f"{self.description}, held at {carried} by a program that still reads it",
                f"a device that can change to {size_px[0]}x{size_px[1]}",
                "Close the program that reads it (a call, a browser tab), or use the same size as before.",
            )

    def _open(self, size_px: tuple[int, int], fps: float) -> pyvirtualcam.Camera:
        info = self._info
        try:
            return pyvirtualcam.Camera(
                *size_px, fps, fmt=self._format, device=info.device, backend=info.backend
            )
        except RuntimeError as error:
            raise VirtualCameraMissingError(
                f"{self.description}, which does not open ({error})",
                "a virtual camera that takes frames",
                virtual_camera_advice(),
            ) from error

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._camera is None:
            raise ValueError(f"{self.description} is closed")
        rgb = evened(frame.rgb)
        self._camera.send(to_i420(rgb) if self._format is PixelFormat.I420 else rgb)

    def close(self) -> None:
        """Release the device, so that it can be fed again."""
        if self._camera is None:
            return
        self._camera.close()
        self._camera = None
        if self._info.backend == "v4l2loopback":
            from facepuppet.sinks import v4l2loopback  # needs fcntl, which Windows lacks

            v4l2loopback.mend(self._info.device)


def to_i420(rgb: U8) -> U8:
    """Return (H, W, 3) RGB as (H * 3 / 2, W): BT.601 limited range, planes Y, U, V; H and W even."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)


def find_virtual_camera(device: str | None, found: tuple[VirtualCameraInfo, ...]) -> VirtualCameraInfo:
    """Return the device by node or name, the first one for None.

    Raises:
        VirtualCameraMissingError: none fits.
    """
    if not found:
        raise VirtualCameraMissingError(
            "no virtual camera driver", "v4l2loopback (Linux) or OBS", virtual_camera_advice()
        )
    for info in found:
        if device is None or device.lower() in (info.device.lower(), info.name.lower()):
            return info
    there = ", ".join(f"{info.device} ({info.name})" for info in found)
    raise VirtualCameraMissingError(f"virtual camera {device!r}", f"one of: {there}", "Choose one of these.")


def _make_ready(info: VirtualCameraInfo) -> None:
    """Check permission and state of a v4l2loopback device, and mend a stuck one."""
    from facepuppet.sinks import v4l2loopback  # needs fcntl, which Windows lacks

    if not os.access(info.device, os.R_OK | os.W_OK):
        raise VirtualCameraMissingError(
            f"no permission for {info.device}",
            "a device that you may write to",
            "Run `sudo usermod -aG video $USER`, then log out and in.",
        )
    v4l2loopback.mend(info.device)
    if v4l2loopback.state(info.device) is v4l2loopback.State.FED:
        holders = ", ".join(device_holders(info.device)) or "another program"
        raise VirtualCameraMissingError(
            f"{info.device}, which {holders} already feeds or holds",
            "a virtual camera that nobody feeds",
            "Stop the other program, or add a second device: "
            "`sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback devices=2 exclusive_caps=1,1`.",
        )
