"""Feeding a Linux loopback device, with every refusal told.

pyvirtualcam does the same, but prints what a write meets to standard error and goes on, tells readers no
frame rate, and takes a device at whatever size a reader holds it.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
import sys
from pathlib import Path

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.core.types import U8
from facepuppet.sinks.v4l2loopback import (
    V4L2_BUF_TYPE_VIDEO_OUTPUT,
    V4L2_CAP_VIDEO_OUTPUT,
    already_fed,
    capabilities_of,
    who_holds,
)

if sys.platform != "win32":  # where there is no V4L2 either, and nothing here is called
    import fcntl

# linux/videodev2.h, on 64 bits
VIDIOC_S_FMT = 0xC0D05605
VIDIOC_S_PARM = 0xC0CC5616
V4L2_PIX_FMT_YUV420 = int.from_bytes(b"YU12", "little")
V4L2_FIELD_NONE = 1
FORMAT = struct.Struct("=I4x4I184x")  # type; width, height, pixel format, field
PARAMETERS = struct.Struct("=I8xII184x")  # type; seconds a frame, as numerator and denominator
FPS_DENOMINATOR = 1000

log = logging.getLogger(__name__)


class LoopbackFeeder:
    """Writes I420 pictures to a v4l2loopback device.

    Args:
        device: its node, made ready before (`v4l2loopback.make_ready`).
        size_px: width and height, both even.
        fps: what readers are told.

    Raises:
        VirtualCameraMissingError: fed by another program, or held at another size by a reader.
        OSError: it cannot be opened, or is no such device.
    """

    def __init__(self, device: str, size_px: tuple[int, int], fps: float) -> None:
        self._device = device
        self._descriptor = os.open(device, os.O_WRONLY | os.O_NONBLOCK)
        try:
            self._set_format(size_px)
            self._set_rate(fps)
        except BaseException:
            self.close()
            raise

    def send(self, i420: U8) -> None:
        """Write one picture, (H * 3 / 2, W) uint8.

        Raises:
            OSError: the device takes it not, or not whole.
        """
        written = os.write(self._descriptor, i420.data)
        if written != i420.nbytes:
            raise OSError(errno.EIO, f"only {written} of {i420.nbytes} bytes fit", self._device)

    def close(self) -> None:
        """Let go of the device."""
        os.close(self._descriptor)

    def _set_format(self, size_px: tuple[int, int]) -> None:
        wanted = (*size_px, V4L2_PIX_FMT_YUV420)
        asked = bytearray(FORMAT.pack(V4L2_BUF_TYPE_VIDEO_OUTPUT, *wanted, V4L2_FIELD_NONE))
        if not capabilities_of(self._descriptor) & V4L2_CAP_VIDEO_OUTPUT:
            raise already_fed(self._device)
        try:
            fcntl.ioctl(self._descriptor, VIDIOC_S_FMT, asked)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise self._held(size_px) from error
            raise
        _, width, height, pixel_format, _ = FORMAT.unpack(asked)
        if (width, height, pixel_format) != wanted:  # up to 0.12 it is kept without a word
            raise self._held(size_px)

    def _held(self, size_px: tuple[int, int]) -> VirtualCameraMissingError:
        try:
            carried = Path("/sys/class/video4linux", Path(self._device).name, "format").read_text().strip()
        except OSError:
            carried = ""
        return VirtualCameraMissingError(
            f"{self._device}, held at {carried or 'another size'} ({who_holds(self._device)})",
            f"a device that can change to {size_px[0]}x{size_px[1]}",
            "Close the program that reads it (a call, a browser tab), or use the same size as before.",
        )

    def _set_rate(self, fps: float) -> None:
        asked = bytearray(
            PARAMETERS.pack(V4L2_BUF_TYPE_VIDEO_OUTPUT, FPS_DENOMINATOR, round(fps * FPS_DENOMINATOR))
        )
        try:
            fcntl.ioctl(self._descriptor, VIDIOC_S_PARM, asked)
        except OSError as error:  # a hint to readers, no more
            log.debug("%s: S_PARM answered %s", Path(self._device).name, error)
