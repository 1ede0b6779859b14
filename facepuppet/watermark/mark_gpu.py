"""Putting the mark on frames that are on a GPU: the same mark as `mark.Marker` puts on.

The kernels are `facepuppet/frames/cuda/kernels/mark.cu`; the GPU itself is given by who uses this, so that a
detector needs nothing of CUDA.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import EngineError, WatermarkError
from facepuppet.core.types import U8, Pixels
from facepuppet.watermark import mask
from facepuppet.watermark.mark import SHIFT, ZERO, Marker, carrier_turn
from facepuppet.watermark.marked import SEAL, Marked

_NUMBER_BYTES = 4
_LAST_NUMBER = (1 << 31) - 1


class GpuMemory(Protocol):
    """What is needed of `facepuppet.frames.cuda.device.Device`."""

    def upload(self, array: npt.NDArray[Any]) -> Any:
        """Copy an array to the GPU, to stay there."""

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Any:
        """Memory on the GPU that some kernel is to fill."""

    def pinned(self, n_bytes: int) -> U8:
        """Memory of the computer that the GPU copies to by itself."""

    def launch(self, kernel: str, size: tuple[int, int], *arguments: Any) -> None:
        """Enqueue a kernel with a thread for each of (columns, rows)."""

    def copy_out(self, held: Any, pinned: npt.NDArray[Any]) -> None:
        """Enqueue a copy from the GPU."""


class Timed(Protocol):
    """A message of the frame that is being made."""

    @property
    def frame_id(self) -> int:
        """Its camera frame."""

    @property
    def captured_ns(self) -> int:
        """When that was captured."""


class GpuMarker:
    """Marks canvases of one size on a GPU and brings them from there; one frame at a time.

    For each frame: `set_parameters`, let the GPU do what `enqueue` enqueued or a graph of it, wait, `take`.
    Nothing but what this frame's own marking wrote can be taken: with the picture travels its number.

    Args:
        gpu: where.
        marker: the same on the CPU, whose key, payload and preparation are used.
        canvas: (CH, CW, 3) uint8 RGB on the GPU, not marked yet; not written to.
        parameters: of the frame, on the GPU.

    Attributes:
        pixels: what is taken; RGB is RGB and, where both sides are even, I420.

    Raises:
        WatermarkError: the canvas has another size than the marker's.
    """

    def __init__(self, gpu: GpuMemory, marker: Marker, canvas: Any, parameters: Any) -> None:
        width, height = marker.size_px
        marker.check_size(canvas.shape)
        self._gpu, self._marker, self._canvas, self._parameters = gpu, marker, canvas, parameters
        self._field = [gpu.upload(part) for part in marker.field]
        self._dither = gpu.upload(marker.dither)
        reduced = marker.reduced_px[::-1]
        self._luma, self._mean, self._departure, self._activity, self._calm, self._steps = (
            gpu.empty(reduced, np.uint8) for _ in range(6)
        )
        self._rgb_bytes = 3 * width * height
        self._i420_bytes = 0 if width % 2 or height % 2 else self._rgb_bytes // 2
        n_bytes = self._rgb_bytes + self._i420_bytes + _NUMBER_BYTES
        self._marked, self._brought = gpu.empty((n_bytes,), np.uint8), gpu.pinned(n_bytes)
        self._brought[-_NUMBER_BYTES:] = 0
        self._number = 0
        self.pixels = Pixels.RGB
        self._frame: Timed | None = None

    def set_parameters(self, frame: Timed, parameters: npt.NDArray[Any]) -> None:
        """Write what the GPU needs to know of a frame."""
        self._frame = frame
        self._number = self._number % _LAST_NUMBER + 1
        parameters["carrier_turn"] = carrier_turn(frame.captured_ns)
        parameters["mark_number"] = self._number

    def enqueue(self) -> None:
        """Mark the canvas and bring it from the GPU."""
        self._enqueue_steps()
        size = self._marker.size_px
        self._gpu.launch(
            "mark_add",
            size,
            self._parameters,
            self._canvas,
            self._steps,
            *self._marker.reduced_px,
            self._dither,
            SHIFT,
            ZERO,
            *size,
            self._marked,
        )
        self._gpu.copy_out(self._marked, self._brought)

    def take(self) -> Marked:
        """Return the frame that was told of, after waiting for the GPU; once.

        Raises:
            WatermarkError: no frame was told of since the last was taken.
            EngineError: what the GPU brought is not that frame.
        """
        frame, self._frame = self._frame, None
        if frame is None:
            raise WatermarkError(
                "no frame to take", "set_parameters, enqueue and wait before take", "Mark the frame."
            )
        wants_rgb = self.pixels is Pixels.RGB or not self._i420_bytes
        # What nobody wants is left where the GPU brought it.
        brought = self._brought[0 if wants_rgb else self._rgb_bytes :].copy()
        number = int.from_bytes(brought[-_NUMBER_BYTES:].tobytes(), "little")
        if number != self._number:
            raise EngineError(
                f"a GPU that brought picture {number}", f"picture {self._number}", "Use --engine cpu."
            )
        width, height = self._marker.size_px
        rgb = brought[: self._rgb_bytes].reshape(height, width, 3) if wants_rgb else None
        planes = brought[-_NUMBER_BYTES - self._i420_bytes : -_NUMBER_BYTES]
        i420 = planes.reshape(-1, width) if self._i420_bytes else None
        brought.flags.writeable = False  # it stays behind both
        marker = self._marker
        return Marked(rgb, frame.frame_id, frame.captured_ns, marker.payload, marker.key.name, SEAL, i420)

    def _enqueue_steps(self) -> None:
        """Fill `_steps`: how much to add, at reduced size."""
        launch, size = self._gpu.launch, self._marker.reduced_px
        launch("mark_reduce", size, self._canvas, *self._marker.size_px, *size, self._luma)
        launch("mark_mean", size, self._luma, mask.MEAN_PX, *size, self._mean, self._departure)
        launch("mark_activity", size, self._departure, mask.ACTIVITY_PX, *size, self._activity)
        launch("mark_calm", size, self._activity, mask.CALM_PX, *size, self._calm)
        launch(
            "mark_steps",
            size,
            self._parameters,
            self._calm,
            self._mean,
            *self._field,
            mask.SPREAD_PX,
            mask.FLAT_RMS,
            mask.RMS_PER_ACTIVITY,
            mask.TEXTURE_RMS,
            float(mask.DARK_LEVEL),
            mask.DARK_SHARE,
            SHIFT,
            ZERO,
            *size,
            self._steps,
        )
