"""Pictures marked beforehand that count themselves, and the product's own way out for them."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import numpy as np
import numpy.typing as npt

from facepuppet.core import Composed, LatestSlot, SystemClock
from facepuppet.sinks import Pacer, Sink
from facepuppet.watermark import Marked, Marker

U8 = npt.NDArray[np.uint8]
FPS = 30.0
N_FRAMES = 60  # 2 s, whole turns of the mark, so that the loop has no seam
BITS = 6  # of the frame's number, one white or black square each, along the top


def counted_frames(size_px: tuple[int, int]) -> list[Marked]:
    """Return a loop of marked pictures: a gradient, a moving bar, and the number's bits along the top."""
    marker = Marker(size_px=size_px)
    times_ns = [round(number / FPS * 1e9) for number in range(N_FRAMES)]
    return [
        marker.mark(Composed(_pattern(size_px, number), number, at)) for number, at in enumerate(times_ns)
    ]


def number_in(luma: U8) -> int:
    """Read the number back from a (H, W) picture of the full size."""
    side = _square_px(luma.shape[1])
    bits = (luma[side // 2, bit * side + side // 2] > 127 for bit in range(BITS))
    return sum(int(bit) << place for place, bit in enumerate(bits))


class Feeding:
    """Sends the loop at 30 frames a second through slot and pacer, as a live run sends its own.

    Args:
        sink: where to; whoever opened it closes it.
        frames: the loop.
    """

    def __init__(self, sink: Sink, frames: list[Marked]) -> None:
        self._frames = frames
        self._slot: LatestSlot[Marked] = LatestSlot()
        self._pacer = Pacer(sink, self._slot, FPS, SystemClock())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._put, daemon=True)

    @property
    def sent(self) -> int:
        """How many frames have left, without repeats."""
        return self._pacer.sent

    def __enter__(self) -> Feeding:
        self._pacer.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._pacer.stop()
        self._pacer.raise_if_failed()

    def _put(self) -> None:
        start_s, n = time.monotonic(), 0
        while not self._stopping.wait(max(0.0, start_s + n / FPS - time.monotonic())):
            self._slot.put(self._frames[n % N_FRAMES])
            n += 1


def _pattern(size_px: tuple[int, int], number: int) -> U8:
    width, height = size_px
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(40, 215, width)[None, :]
    rgb[..., 1] = np.linspace(40, 215, height)[:, None]
    rgb[..., 2] = 96
    side = _square_px(width)
    left = number * (width - side) // N_FRAMES
    rgb[height // 3 : -height // 6, left : left + side] = 235
    for bit in range(BITS):
        rgb[:side, bit * side : (bit + 1) * side] = 255 if number >> bit & 1 else 0
    return rgb


def _square_px(width: int) -> int:
    return width // 20
