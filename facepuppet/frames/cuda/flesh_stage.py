"""Light and shade that an expression moves, on the GPU: `render.flesh`."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import Motion
from facepuppet.frames.cpu.render.flesh import GAIN_ONE, Flesh
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import Parameters
from facepuppet.frames.cuda.warping import WarpStage


class FleshStage:
    """Shades the warped picture.

    Args:
        device: where.
        flesh: the same on the CPU, whose preparation is used.
        warp: of the same frame.
        parameters: of the frame, on the GPU.
    """

    def __init__(self, device: Device, flesh: Flesh, warp: WarpStage, parameters: Array) -> None:
        self._device, self._flesh, self._warp, self._parameters = device, flesh, warp, parameters
        self._maps, self._gains = device.upload(flesh.maps), device.upload(flesh.gains)
        self._ratio = device.empty(flesh.maps.shape[1:], np.uint8)

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame; `WarpStage` has told of the face."""
        drive = self._flesh.drive(motion)
        parameters["flesh_drive"] = drive
        parameters["flesh_driven"] = self._flesh.complexion.strength > 0.0 and bool(drive.any())

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        warp, launch, (n, rows, columns) = self._warp, self._device.launch, self._flesh.maps.shape
        height, width = warp.moved.shape[:2]
        (per_x, _, from_x), (_, per_y, from_y) = self._flesh.cells_from_texture.tolist()
        cells = rows * columns
        launch("flesh_sum", (cells, 1), self._parameters, self._maps, n, cells, self._ratio)
        launch(
            "flesh_draw",
            (width, height),
            self._parameters,
            warp.front,
            warp.texture_from_cell,
            *warp.cpu.body.grid,
            warp.texture_from_face,
            self._ratio,
            columns,
            rows,
            per_x,
            from_x,
            per_y,
            from_y,
            self._gains,
            float(GAIN_ONE),
            width,
            height,
            warp.moved,
        )
