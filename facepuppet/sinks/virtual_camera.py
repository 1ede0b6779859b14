"""The camera that other programs see: v4l2loopback on Linux, OBS on macOS and Windows."""

from __future__ import annotations

import logging
from contextlib import suppress

import pyvirtualcam
from pyvirtualcam import PixelFormat

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.core.types import Pixels
from facepuppet.media.devices import VirtualCameraInfo, list_virtual_cameras
from facepuppet.sinks import v4l2loopback
from facepuppet.sinks.advice import virtual_camera_advice
from facepuppet.sinks.even_size import even_size_px, evened, i420_of
from facepuppet.sinks.sink import Sink
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
        if self._format is PixelFormat.I420 and device_size_px == size_px:
            self.pixels = Pixels.I420
        if info.backend == "v4l2loopback":
            v4l2loopback.make_ready(info.device, device_size_px)
        self._camera: pyvirtualcam.Camera | None = self._open(device_size_px, fps)

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
        if self._format is PixelFormat.RGB:
            self._camera.send(evened(frame.rgb))
        else:
            self._camera.send(i420_of(frame))

    def close(self) -> None:
        """Release the device, so that it can be fed again."""
        if self._camera is None:
            return
        self._camera.close()
        self._camera = None
        if self._info.backend == "v4l2loopback":
            with suppress(OSError):  # unplugging the driver is as good
                v4l2loopback.give_free(self._info.device)


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
