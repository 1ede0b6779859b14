"""Composition on the GPU: `compose.composer` and `compose.label`."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import Motion
from facepuppet.frames.cpu.compose import Composer
from facepuppet.frames.cpu.compose.framing import Placement
from facepuppet.frames.cpu.compose.label import Label
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import Parameters

_KERNEL = {
    cv2.INTER_LINEAR: "show_linear",
    cv2.INTER_CUBIC: "show_cubic",
    cv2.INTER_AREA: "show_area",
}


class ComposeStage:
    """Lays the puppet over its background.

    Args:
        device: where.
        composer: the same on the CPU, whose preparation is used.
        moved: (H, W, 4) uint8 premultiplied RGBA of the portrait, on the GPU.
        parameters: of the frame, on the GPU.

    Attributes:
        canvas: (CH, CW, 3) uint8 RGB on the GPU, of the last frame.
    """

    def __init__(self, device: Device, composer: Composer, moved: Array, parameters: Array) -> None:
        self._device, self._composer, self._moved, self._parameters = device, composer, moved, parameters
        width, height = composer.canvas_px
        self.canvas = device.empty((height, width, 3), np.uint8)
        self._background = device.upload(composer.background)
        shown_width, shown_height = composer.placement.target_px[2:]
        self._shown = device.empty((shown_height, shown_width, 4), np.uint8)
        self._label = composer.label
        self._upload_label()

    def renew(self) -> None:
        """Take over the composer's background and label of now; between frames.

        A graph that captured `enqueue` must be captured again when the picture is flipped or the label moves.
        """
        self._device.fill(self._background, self._composer.background)
        if self._composer.label is not self._label:
            self._label = self._composer.label
            self._upload_label()

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""
        parameters["label_shown"] = self._composer.label_is_due(motion.captured_ns)

    def enqueue(self) -> None:
        """Fill `canvas`."""
        composer, size = self._composer, self._composer.canvas_px
        target = composer.placement.target_px
        self._enqueue_shown(composer.placement)
        self._device.launch(
            "lay_puppet",
            size,
            self._shown,
            *target,
            self._background,
            int(composer.mirror),
            *size,
            self.canvas,
        )
        if self._label is not None:
            self._enqueue_label(self._label)

    def _upload_label(self) -> None:
        if self._label is not None:
            upload = self._device.upload
            self._ink, self._clear = upload(self._label.ink), upload(self._label.clear[..., 0])

    def _enqueue_shown(self, placement: Placement) -> None:
        size = placement.target_px[2:]
        self._device.launch(
            _kernel(placement),
            size,
            self._moved,
            self._moved.shape[1],
            *placement.source_px,
            *size,
            self._shown,
        )

    def _enqueue_label(self, label: Label) -> None:
        self._device.launch(
            "stamp_label",
            label.box_px[2:],
            self._parameters,
            self._ink,
            self._clear,
            *label.box_px,
            self._composer.canvas_px[0],
            self.canvas,
        )


def _kernel(placement: Placement) -> str:
    """Name of the kernel that resizes as `Placement.show` does."""
    _, _, *source = placement.source_px
    _, _, width, height = placement.target_px
    # OpenCV averages 2x2 pixels in integers; midway between them, so does linear sampling.
    if source == [2 * width, 2 * height]:
        return "show_linear"
    return _KERNEL[placement.interpolation]
