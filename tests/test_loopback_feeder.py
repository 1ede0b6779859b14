"""What the writer asks of a v4l2loopback device, and what it makes of each answer."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facepuppet.core.errors import VirtualCameraMissingError
from facepuppet.sinks import loopback_feeder, v4l2loopback
from facepuppet.sinks.loopback_feeder import LoopbackFeeder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")
SIZE_PX = (32, 16)
YU12 = loopback_feeder.V4L2_PIX_FMT_YUV420


class Kernel:
    """Answers control calls on a plain file as v4l2loopback does on its device."""

    def __init__(self) -> None:
        self.capabilities = v4l2loopback.V4L2_CAP_VIDEO_OUTPUT
        self.refusal: int | None = None
        self.kept: tuple[int, int, int] | None = None  # a format that a reader holds
        self.asked: list[tuple[int, int, int]] = []
        self.knows_rates = True
        self.period: tuple[int, int] | None = None

    def ioctl(self, descriptor: int, request: int, argument: bytearray) -> int:
        if request == v4l2loopback.VIDIOC_QUERYCAP:
            fields = (b"v4l2 loopback", b"facepuppet", b"platform", 0, 0, self.capabilities)
            argument[:] = v4l2loopback.CAPABILITIES.pack(*fields)
        elif request == loopback_feeder.VIDIOC_S_FMT:
            if self.refusal is not None:
                raise OSError(self.refusal, "refused")
            kind, *wanted, field = loopback_feeder.FORMAT.unpack(argument)
            self.asked.append(tuple(wanted))
            argument[:] = loopback_feeder.FORMAT.pack(kind, *(self.kept or wanted), field)
        elif request == loopback_feeder.VIDIOC_S_PARM and self.knows_rates:
            self.period = loopback_feeder.PARAMETERS.unpack(argument)[1:]
        else:
            raise OSError(errno.ENOTTY, "not such a call")
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr("fcntl.ioctl", kernel.ioctl)
    monkeypatch.setattr(loopback_feeder, "who_holds", lambda device: "zoom (7)")
    monkeypatch.setattr(v4l2loopback, "who_holds", lambda device: "obs (8)")
    return kernel


@pytest.fixture
def device(tmp_path: Path) -> Path:
    device = tmp_path / "video10"
    device.touch()
    return device


def i420() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (SIZE_PX[1] * 3 // 2, SIZE_PX[0]), np.uint8)


def test_pictures_arrive_to_the_bit_at_the_size_and_rate_that_were_told(kernel: Kernel, device: Path) -> None:
    feeder = LoopbackFeeder(str(device), SIZE_PX, 60.0)
    first, second = i420(), i420()[::-1].copy()
    feeder.send(first)
    feeder.send(second)
    feeder.close()
    assert kernel.asked == [(*SIZE_PX, YU12)]
    assert kernel.period == (1000, 60_000)
    assert device.read_bytes() == first.tobytes() + second.tobytes()


@pytest.mark.parametrize(
    ("meets", "told"),
    [
        (lambda kernel: setattr(kernel, "capabilities", 1), r"already fed \(obs \(8\)\)"),
        (lambda kernel: setattr(kernel, "refusal", errno.EBUSY), r"held at another size \(zoom \(7\)\)"),
        (lambda kernel: setattr(kernel, "kept", (640, 480, YU12)), r"can change to 32x16"),
        (lambda kernel: setattr(kernel, "kept", (*SIZE_PX, YU12 + 1)), r"held at"),
    ],
)
def test_a_device_that_is_not_ours_to_feed_is_told(
    kernel: Kernel, device: Path, meets: Callable[[Kernel], None], told: str
) -> None:
    meets(kernel)
    with pytest.raises(VirtualCameraMissingError, match=told):
        LoopbackFeeder(str(device), SIZE_PX, 30.0)


def test_what_is_no_such_device_and_what_is_not_there_raise_as_the_system_does(
    kernel: Kernel, device: Path
) -> None:
    kernel.refusal = errno.ENOTTY
    with pytest.raises(OSError, match="refused"):
        LoopbackFeeder(str(device), SIZE_PX, 30.0)
    with pytest.raises(FileNotFoundError):
        LoopbackFeeder(str(device.with_name("video11")), SIZE_PX, 30.0)


def test_a_driver_that_knows_no_rates_is_fed_all_the_same(kernel: Kernel, device: Path) -> None:
    kernel.knows_rates = False
    feeder = LoopbackFeeder(str(device), SIZE_PX, 30.0)
    feeder.send(i420())
    feeder.close()
    assert kernel.period is None and device.read_bytes() == i420().tobytes()


def test_a_write_that_fails_or_falls_short_is_told(
    kernel: Kernel, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeder = LoopbackFeeder(str(device), SIZE_PX, 30.0)
    with monkeypatch.context() as patch:
        patch.setattr("os.write", lambda descriptor, data: 100)
        with pytest.raises(OSError, match="only 100 of 768 bytes"):
            feeder.send(i420())
    feeder.close()
    with pytest.raises(OSError, match="descriptor"):
        feeder.send(i420())
