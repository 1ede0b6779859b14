"""Composition on the GPU: `compose.composer`, `compose.shoulders` and `compose.label`."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, Motion
from facepuppet.frames.cpu.compose import Composer
from facepuppet.frames.cpu.compose.framing import Placement
from facepuppet.frames.cpu.compose.label import Label
from facepuppet.frames.cpu.compose.shoulders import REACH_PX, SOFT_ACROSS_PX, Side, softening_taps
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import Parameters

_KERNEL = {
    cv2.INTER_LINEAR: "show_linear",
    cv2.INTER_CUBIC: "show_cubic",
    cv2.INTER_AREA: "show_area",
}


@dataclass(frozen=True, slots=True)
class _Continued:
    """What the GPU holds of a border that cuts the puppet off; see `compose.shoulders.Side`."""

    side: Side
    soft: Array  # (h,) uchar4, the softened column
    source_row: Array
    weight: Array
    puppet_weight: Array


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
        # The same outside the regions that the shoulders' continuation writes to, frame by frame.
        self._behind = device.upload(composer.background)
        shown_width, shown_height = composer.placement.target_px[2:]
        self._shown = device.empty((shown_height, shown_width, 4), np.uint8)
        across, along = _taps(SOFT_ACROSS_PX), _taps(composer.shoulders.softness_px)
        self._taps = (device.upload(across), len(across), device.upload(along), len(along))
        self._continued = [self._upload_side(side) for side in composer.shoulders.sides]
        self._label = composer.label
        self._upload_label()

    def renew(self) -> None:
        """Take over the composer's background and label of now; between frames.

        A graph that captured `enqueue` must be captured again when the picture is flipped or the label moves.
        """
        self._device.fill(self._background, self._composer.background)
        self._device.fill(self._behind, self._composer.background)
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
        for continued in self._continued:
            self._enqueue_side(continued)
        self._device.launch(
            "lay_puppet", size, self._shown, *target, self._behind, int(composer.mirror), *size, self.canvas
        )
        if self._label is not None:
            self._enqueue_label(self._label)

    def _upload_label(self) -> None:
        if self._label is not None:
            upload = self._device.upload
            self._ink, self._clear = upload(self._label.ink), upload(self._label.clear[..., 0])

    def _upload_side(self, side: Side) -> _Continued:
        upload = self._device.upload
        return _Continued(
            side,
            self._device.empty((self._composer.placement.target_px[3], 4), np.uint8),
            upload(side.source_row.astype(np.int32)),
            upload(side.weight[..., 0]),
            upload(side.puppet_weight[..., 0]),
        )

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

    def _enqueue_side(self, continued: _Continued) -> None:
        side, launch = continued.side, self._device.launch
        shown_width, shown_height = self._composer.placement.target_px[2:]
        launch(
            "soften_column",
            (shown_height, 1),
            self._shown,
            shown_width,
            shown_height,
            side.column,
            REACH_PX,
            *self._taps,
            continued.soft,
        )
        rows, columns = side.canvas
        region = (columns.stop - columns.start, rows.stop - rows.start)
        launch(
            "continue_shoulder",
            region,
            continued.soft,
            continued.source_row,
            continued.weight,
            self._background,
            columns.start,
            rows.start,
            *region,
            self._composer.canvas_px[0],
            self._behind,
        )
        faded = (side.fading.stop - side.fading.start, shown_height)
        launch(
            "fade_puppet",
            faded,
            continued.puppet_weight,
            side.fading.start,
            *faded,
            shown_width,
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


def _taps(sigma_px: float) -> F32:
    """Weights of OpenCV's Gaussian blur of bytes, in as many pixels as it takes for this sigma."""
    taps = cv2.getGaussianKernel(softening_taps(sigma_px), sigma_px, cv2.CV_32F)
    return np.asarray(taps, np.float32).ravel()
