"""The state of a Linux loopback device, and the mending of one that its last feeder left stuck.

v4l2loopback 0.12 with exclusive_caps=1 shows one capability at a time: "output" while it waits
for a feeder, "capture" while it is fed. A feeder that used write(), as pyvirtualcam does, takes
"output" away and does not give it back: closed, the device shows neither capability, or only
"capture" for as long as some reader holds on to the last picture. Nobody can feed it then until
the module is reloaded, or until a stream is started and its file closed, which is what mend() does.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

VIDIOC_QUERYCAP = 0x80685600
VIDIOC_STREAMON = 0x40045612
CAPABILITIES = struct.Struct("=16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
V4L2_CAP_VIDEO_CAPTURE = 0x1
V4L2_CAP_VIDEO_OUTPUT = 0x2
V4L2_BUF_TYPE_VIDEO_OUTPUT = 2
BUFFERS_AT_MOST = 32  # v4l2loopback's own limit
WATCH_S = 0.5  # a feeder that sends fewer than 2 frames a second counts as gone

log = logging.getLogger(__name__)


class State(Enum):
    """What a loopback device can do for a feeder now."""

    READY = "ready"  # takes frames
    FED = "fed"  # another program sends frames to it
    STUCK = "stuck"  # its last feeder has gone without giving it free


def state(device: str) -> State:
    """Return the state of a device node; takes WATCH_S when only readers or a feeder can tell.

    Raises:
        OSError: it cannot be opened, or is not a V4L2 device.
    """
    with _opened(device) as descriptor:
        answer = bytearray(CAPABILITIES.size)
        fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, answer)
        capabilities = CAPABILITIES.unpack(answer)[5]
        if capabilities & V4L2_CAP_VIDEO_OUTPUT:
            return State.READY
        if capabilities & V4L2_CAP_VIDEO_CAPTURE and _frames_arrive(descriptor):
            return State.FED
        return State.STUCK


def mend(device: str) -> None:
    """Make a stuck device ready again; does nothing to one that is ready or fed.

    Raises:
        OSError: it cannot be opened.
    """
    if state(device) is not State.STUCK:
        return
    with _opened(device) as descriptor:
        try:
            fcntl.ioctl(descriptor, VIDIOC_STREAMON, struct.pack("i", V4L2_BUF_TYPE_VIDEO_OUTPUT))
        except OSError as error:  # EINVAL: no buffers to start with, which is as good
            log.debug("%s: STREAMON answered %s", device, error)
    log.info("%s: mended after its last feeder", device)


def picture_format(device: str) -> str:
    """Return what the device carries now, as the driver writes it ("YU12:1280x720@30"); "" if unknown."""
    try:
        return Path("/sys/class/video4linux", Path(device).name, "format").read_text().strip()
    except OSError:
        return ""


@contextmanager
def _opened(device: str) -> Iterator[int]:
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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
