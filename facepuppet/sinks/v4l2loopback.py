"""The state of a Linux loopback device, and the mending of one that its last feeder left stuck.

v4l2loopback with exclusive_caps=1 shows one capability at a time: "output" while it waits for a feeder,
"capture" while it is fed. Up to 0.12 a feeder that uses write() takes "output" away and does not give it
back: closed, the device shows neither capability, or only "capture" for as long as some reader holds on to
the last picture. Nobody can feed it then until the module is reloaded, or until a stream is started and its
file closed, which is what give_free() does.

From 0.13 on the driver knows who feeds: what a feeder held is free when it is gone, and nothing needs
mending. It also knows who reads, and refuses a second reader.
"""

from __future__ import annotations

import logging
import os
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.media.devices import device_holders
from facepuppet.media.loopback_driver import loopback_version
from facepuppet.sinks.advice import second_camera_advice

if sys.platform != "win32":  # where there is no V4L2 either, and nothing here is called
    import fcntl

VIDIOC_QUERYCAP = 0x80685600
VIDIOC_STREAMON = 0x40045612
CAPABILITIES = struct.Struct("=16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
V4L2_CAP_VIDEO_CAPTURE = 0x1
V4L2_CAP_VIDEO_OUTPUT = 0x2
V4L2_BUF_TYPE_VIDEO_OUTPUT = 2
BUFFERS_AT_MOST = 32  # v4l2loopback's own limit
FREES_ITSELF_FROM = (0, 13)  # no state of a device is in doubt from this version on
WATCH_S = 0.5  # a feeder that sends fewer than 2 frames a second counts as gone

log = logging.getLogger(__name__)


class State(Enum):
    """What a loopback device can do for a feeder now."""

    READY = "ready"  # takes frames
    FED = "fed"  # another program sends frames to it
    STUCK = "stuck"  # its last feeder has gone without giving it free


def state(device: str) -> State:
    """Return the state of a device node; takes WATCH_S when it has to look for a feeder.

    Raises:
        OSError: it cannot be opened, or is not a V4L2 device.
    """
    with _opened(device) as descriptor:
        capabilities = capabilities_of(descriptor)
        if capabilities & V4L2_CAP_VIDEO_OUTPUT:
            return State.READY
        if (loopback_version() or (0,)) >= FREES_ITSELF_FROM:
            return State.FED
        if capabilities & V4L2_CAP_VIDEO_CAPTURE and _frames_arrive(descriptor):
            return State.FED
        return State.STUCK


def give_free(device: str) -> None:
    """Make a device ready that nobody feeds any more; does nothing to one that is ready, or frees itself.

    Never call it on a device that somebody feeds: both would then feed it at once.

    Raises:
        OSError: it cannot be opened.
    """
    with _opened(device) as descriptor:
        freed = (loopback_version() or (0,)) >= FREES_ITSELF_FROM
        if freed or capabilities_of(descriptor) & V4L2_CAP_VIDEO_OUTPUT:
            return
        try:
            fcntl.ioctl(descriptor, VIDIOC_STREAMON, struct.pack("i", V4L2_BUF_TYPE_VIDEO_OUTPUT))
        except OSError as error:  # EINVAL: no buffers to start with, which is as good
            log.debug("%s: STREAMON answered %s", device, error)
    log.info("%s: given free after its last feeder", device)


def make_ready(device: str) -> None:
    """Make a device take frames, whatever its last feeder left behind.

    Raises:
        VirtualCameraMissingError: no permission, or fed by another program.
    """
    if not os.access(device, os.R_OK | os.W_OK):
        raise VirtualCameraMissingError(
            f"no permission for {device}",
            "a device that you may write to",
            "Run `sudo usermod -aG video $USER`, then log out and in.",
        )
    try:
        if state(device) is State.FED:
            raise already_fed(device)
        give_free(device)
    except OSError as error:
        raise VirtualCameraMissingError(
            f"{device}, which does not answer ({error})",
            "a v4l2loopback device that takes frames",
            "Reload the driver: `sudo modprobe -r v4l2loopback`, then load it again.",
        ) from error


def already_fed(device: str) -> VirtualCameraMissingError:
    """Return the error of a device that another program feeds."""
    return VirtualCameraMissingError(
        f"{device}, which is already fed ({who_holds(device)})",
        "a virtual camera that nobody feeds",
        second_camera_advice(),
    )


def who_holds(device: str) -> str:
    """Say which other programs have a device open."""
    return ", ".join(device_holders(device)) or "by a program of another user"


@contextmanager
def _opened(device: str) -> Iterator[int]:
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def capabilities_of(descriptor: int) -> int:
    """Ask what an open device can do now.

    Up to 0.12 the driver brings what the kernel knows of that up to date only when it is asked.
    """
    answer = bytearray(CAPABILITIES.size)
    fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, answer)
    return int(CAPABILITIES.unpack(answer)[5])


def _frames_arrive(descriptor: int) -> bool:
    """Tell whether somebody feeds the device, by looking for a frame newer than those already in it."""
    with suppress(BlockingIOError):
        for _ in range(BUFFERS_AT_MOST):
            os.read(descriptor, 1)
    time.sleep(WATCH_S)
    try:
        return bool(os.read(descriptor, 1))
    except BlockingIOError:
        return False
