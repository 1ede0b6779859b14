"""The camera that other programs see: v4l2loopback on Linux, OBS on macOS and Windows."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Protocol

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.core.types import U8, Pixels
from facepuppet.media.camera_readers import CameraReaders
from facepuppet.media.devices import VirtualCameraInfo, list_virtual_cameras
from facepuppet.sinks import v4l2loopback
from facepuppet.sinks.advice import virtual_camera_advice
from facepuppet.sinks.even_size import even_size_px, evened, i420_of
from facepuppet.sinks.loopback_feeder import LoopbackFeeder
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

LOOPBACK = "v4l2loopback"
TAKES_RGB = "unitycapture"

log = logging.getLogger(__name__)


class _Feeder(Protocol):
    """Whoever hands pictures to the driver."""

    def send(self, picture: U8, /) -> None:
        """Hand over (H * 3 / 2, W) I420, or (H, W, 3) RGB."""

    def close(self) -> None:
        """Let go of the device."""


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
        self._rgb = info.backend == TAKES_RGB
        device_size_px = even_size_px(size_px, self.description)
        if not self._rgb and device_size_px == size_px:
            self.pixels = Pixels.I420
        self._readers = CameraReaders(info.device) if info.backend == LOOPBACK else None
        self._feeder: _Feeder | None = self._open(device_size_px, fps)

    def seen_by(self) -> tuple[str, ...]:
        """Return the names of programs that have the camera open; empty where that cannot be told."""
        return () if self._readers is None else self._readers.names()

    def _open(self, size_px: tuple[int, int], fps: float) -> _Feeder:
        info = self._info
        try:
            if info.backend == LOOPBACK:
                v4l2loopback.make_ready(info.device)
                return LoopbackFeeder(info.device, size_px, fps)
            return _pyvirtualcam(info, size_px, fps, rgb=self._rgb)
        except (OSError, RuntimeError) as error:
            raise VirtualCameraMissingError(
                f"{self.description}, which does not open ({error})",
                "a virtual camera that takes frames",
                virtual_camera_advice(),
            ) from error

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if self._feeder is None:
            raise ValueError(f"{self.description} is closed")
        try:
            self._feeder.send(evened(frame.rgb) if self._rgb else i420_of(frame))
        except (OSError, RuntimeError) as error:
            raise VirtualCameraMissingError(
                f"{self.description}, which takes no more frames ({error})",
                "a virtual camera that stays",
                "Load its driver again, or plug it in again.",
            ) from error

    def close(self) -> None:
        """Release the device, so that it can be fed again."""
        if self._feeder is None:
            return
        feeder, self._feeder = self._feeder, None
        with suppress(OSError, RuntimeError):  # unplugging the driver is as good
            feeder.close()
            if self._info.backend == LOOPBACK:
                v4l2loopback.give_free(self._info.device)


def _pyvirtualcam(info: VirtualCameraInfo, size_px: tuple[int, int], fps: float, *, rgb: bool) -> _Feeder:
    """Open a driver of macOS or Windows."""
    import pyvirtualcam

    kind = pyvirtualcam.PixelFormat.RGB if rgb else pyvirtualcam.PixelFormat.I420
    camera: _Feeder = pyvirtualcam.Camera(*size_px, fps, fmt=kind, device=info.device, backend=info.backend)
    return camera


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
