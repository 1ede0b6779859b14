"""The state of a Linux loopback device, and the mending of one that its last feeder left stuck.

v4l2loopback 0.12 with exclusive_caps=1 shows one capability at a time: "output" while it waits
for a feeder, "capture" while it is fed. After a feeder that used write(), as pyvirtualcam does,
it shows neither, and nobody can feed it again until the module is reloaded, or until a stream is
started and its file closed, which is what mend() does.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
from enum import Enum

VIDIOC_QUERYCAP = 0x80685600
VIDIOC_STREAMON = 0x40045612
CAPABILITIES = struct.Struct("=16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
V4L2_CAP_VIDEO_CAPTURE = 0x1
V4L2_CAP_VIDEO_OUTPUT = 0x2
V4L2_BUF_TYPE_VIDEO_OUTPUT = 2

log = logging.getLogger(__name__)


class State(Enum):
    """What a loopback device can do for a feeder now."""

    READY = "ready"  # takes frames
    FED = "fed"  # another program sends frames to it
    STUCK = "stuck"  # its last feeder left it with neither capability


def state(device: str) -> State:
    """Return the state of a device node.

    Raises:
        OSError: it cannot be opened, or is not a V4L2 device.
    """
    answer = bytearray(CAPABILITIES.size)
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, answer)
    finally:
        os.close(descriptor)
    capabilities = CAPABILITIES.unpack(answer)[5]
    if capabilities & V4L2_CAP_VIDEO_OUTPUT:
        return State.READY
    return State.FED if capabilities & V4L2_CAP_VIDEO_CAPTURE else State.STUCK


def mend(device: str) -> None:
    """Make a stuck device ready again; does nothing to one that is ready or fed.

    Raises:
        OSError: it cannot be opened.
    """
    if state(device) is not State.STUCK:
        return
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, VIDIOC_STREAMON, struct.pack("i", V4L2_BUF_TYPE_VIDEO_OUTPUT))
    except OSError as error:  # EINVAL: nothing to start, which is as good
        log.debug("%s: STREAMON answered %s", device, error)
    finally:
        os.close(descriptor)
    log.info("%s: mended after its last feeder", device)
