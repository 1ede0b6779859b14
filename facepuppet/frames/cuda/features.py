"""Mouth interior, eyeballs and lids on the GPU: `render.mouth`, `render.eyes` and `render.lid_layer`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facepuppet.core.types import U8, Motion
from facepuppet.face.topology import LIPS_INNER
from facepuppet.frames.cpu.render.eyes import Eyes
from facepuppet.frames.cpu.render.lid_layer import LidLayer
from facepuppet.frames.cpu.render.lid_pictures import ABOVE, SIDE
from facepuppet.frames.cpu.render.mouth import Mouth
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import Parameters


class MouthStage:
    """Draws the interior between the moved inner lips.

    Args:
        device: where.
        mouth: the same on the CPU, whose preparation is used.
        moved: (H, W, 4) uint8 premultiplied RGBA on the GPU, drawn into.
        parameters: of the frame, on the GPU.
    """

    def __init__(self, device: Device, mouth: Mouth, moved: Array, parameters: Array) -> None:
        self._device, self._mouth, self._moved, self._parameters = device, mouth, moved, parameters
        # One picture after the other, and where each begins, how wide and how high it is.
        pictures = [layer.rgba for layer in mouth.layers.values()]
        sizes = np.array([_size(picture) for picture in pictures], np.int32)
        begins = np.cumsum([0, *sizes.prod(1)[:-1]])
        self._pixels = device.upload(np.concatenate([picture.reshape(-1, 4) for picture in pictures]))
        self._layout = device.upload(np.column_stack([begins, sizes]).astype(np.int32))
        self._lips = device.upload(np.asarray(LIPS_INNER, np.int32))
        shape = moved.shape[:2]
        self._plane, self._soft = device.empty(shape, np.uint8), device.empty(shape, np.uint8)
        self._across = device.empty(shape, np.float32)

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""
        placed = self._mouth.place(motion)
        parameters["mouth_box_px"] = placed.box_px if placed else 0
        if placed:
            parameters["mouth_strength"] = placed.strength
            for i, layer in enumerate(placed.layers):
                parameters["columns_from_mouth_box"][i] = layer.columns_from_box
                parameters["mouth_columns"][i] = layer.columns

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        launch, (height, width) = self._device.launch, self._moved.shape[:2]
        size, parameters = (width, height), self._parameters
        launch("mouth_cover", size, parameters, self._lips, len(LIPS_INNER), width, self._plane)
        launch("mouth_soften", size, parameters, self._plane, width, self._soft)
        launch("mouth_shade", size, parameters, self._soft, width, self._across)
        launch(
            "mouth_draw",
            size,
            parameters,
            self._soft,
            self._across,
            self._pixels,
            self._layout,
            len(self._mouth.layers),
            int(self._mouth.shows_teeth),
            width,
            self._moved,
        )


class EyesStage:
    """Draws both eyeballs behind the moved lids; arguments as of `MouthStage`."""

    def __init__(self, device: Device, eyes: Eyes, moved: Array, parameters: Array) -> None:
        self._device, self._eyes, self._moved, self._parameters = device, eyes, moved, parameters
        # Kernels read pixels of four bytes.
        opaque = [cv2.cvtColor(eyeball.sclera_rgb, cv2.COLOR_RGB2RGBA) for eyeball in eyes.eyeballs]
        self._scleras = [(device.upload(picture), *_size(picture)) for picture in opaque]
        self._irises = [
            (device.upload(eyeball.iris_rgba), *_size(eyeball.iris_rgba)) for eyeball in eyes.eyeballs
        ]
        self._plane = device.empty(moved.shape[:2], np.uint8)

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""
        for i, placed in enumerate(self._eyes.place(motion)):
            parameters["eye_box_px"][i] = placed.box_px if placed else 0
            if placed:
                parameters["eye_outline_px"][i] = placed.outline_px
                parameters["sclera_from_eye_box"][i] = placed.sclera_from_box
                parameters["iris_from_eye_box"][i] = placed.iris_from_box
                parameters["eye_closing"][i], parameters["eye_fade"][i] = placed.closing, placed.fade

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        launch, (height, width) = self._device.launch, self._moved.shape[:2]
        size, parameters = (width, height), self._parameters
        for i, (sclera, iris) in enumerate(zip(self._scleras, self._irises, strict=True)):
            launch("eye_cover", size, parameters, i, width, self._plane)
            launch("eye_draw", size, parameters, i, self._plane, *sclera, *iris, width, self._moved)


class LidSkinStage:
    """Draws the skin of shutting lids, before the eyeballs; arguments as of `MouthStage`."""

    def __init__(self, device: Device, lids: LidLayer, moved: Array, parameters: Array) -> None:
        self._device, self._lids, self._moved, self._parameters = device, lids, moved, parameters
        self._pictures = [device.upload(picture.skin_rgba) for picture in lids.pictures]

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage and `LashesStage` need to know of a frame."""
        for i, placed in enumerate(self._lids.place(motion)):
            parameters["lid_box_px"][i] = (placed.skin_box_px, placed.lash_box_px) if placed else 0
            if placed:
                parameters["lid_frame_from_moved"][i] = placed.frame_from_moved
                parameters["lid_curves"][i] = placed.curves
                parameters["lid_skin_share"][i] = placed.skin_share
                parameters["lid_lash_share"][i] = placed.lash_share

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        _enqueue_lids(self._device, self._lids, self._pictures, 0, self._moved, self._parameters)


class LashesStage:
    """Draws the lash lines of shutting lids, after the eyeballs, where `LidSkinStage` told that they are."""

    def __init__(self, device: Device, lids: LidLayer, moved: Array, parameters: Array) -> None:
        self._device, self._lids, self._moved, self._parameters = device, lids, moved, parameters
        self._pictures = [device.upload(picture.lash_rgba) for picture in lids.pictures]

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Nothing more is needed."""

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        _enqueue_lids(self._device, self._lids, self._pictures, 1, self._moved, self._parameters)


def _enqueue_lids(
    device: Device, lids: LidLayer, held: Sequence[Array], part: int, moved: Array, parameters: Array
) -> None:
    height, width = moved.shape[:2]
    for i, (picture, on_gpu) in enumerate(zip(lids.pictures, held, strict=True)):
        size = _size(picture.skin_rgba)
        launched = (i, on_gpu, *size, float(picture.scale), SIDE, ABOVE, part, width, moved)
        device.launch("lid_draw", (width, height), parameters, *launched)


def _size(picture: U8) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]
