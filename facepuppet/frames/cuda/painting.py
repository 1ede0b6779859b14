"""Painters on the GPU: `render.painter` and `render.painter_pool`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.core.types import Motion
from facepuppet.face.topology import EYES, I32, LIPS_INNER, LIPS_OUTER
from facepuppet.frames.cpu.render.painter import Painter
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import N_CROPS, Parameters
from facepuppet.inference.manifest import Network
from facepuppet.inference.on_device import OnDeviceSession

Opener = Callable[[Network], OnDeviceSession]


@dataclass(frozen=True, slots=True)
class _Crop:
    """One crop: a session of its own, as each has its own inputs.

    Attributes:
        number: among the parameters' crops.
        side: of the crop in pixels.
        outlines: indices of landmarks on the GPU, and how many, of each contour that moves.
    """

    number: int
    side: int
    session: OnDeviceSession
    outlines: tuple[tuple[Array, int], ...]


class PaintersStage:
    """Lets every painter add its residual to the moved portrait.

    Args:
        device: where.
        painters: the same on the CPU, in the order of painting, whose preparation is used.
        opener: opens a network on the GPU.
        moved: (H, W, 4) uint8 premultiplied RGBA on the GPU, painted into.
        parameters: of the frame, on the GPU.

    Raises:
        EngineError: a network does not open there, or there are too many.
    """

    def __init__(
        self, device: Device, painters: Sequence[Painter], opener: Opener, moved: Array, parameters: Array
    ) -> None:
        self._device, self._painters, self._moved, self._parameters = device, painters, moved, parameters
        self._coarse: list[_Crop] = []
        self._fine: list[_Crop] = []
        number = 0
        for painter in painters:
            group = self._coarse if painter.network.region == "frame" else self._fine
            for i in range(len(painter.rest)):
                group.append(self._open(painter, i, number, opener))
                number += 1
        if number > N_CROPS:
            raise EngineError(
                f"painters of {number} crops", f"at most {N_CROPS} on the GPU", "Use --engine cpu."
            )

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""
        i = 0
        for painter in self._painters:
            crops = painter.crops(motion.landmarks_px)
            for crop, share in zip(crops, painter.shares(crops), strict=True):
                parameters["crop_from_picture"][i] = crop.crop_from_picture
                parameters["picture_from_crop"][i] = cv2.invertAffineTransform(crop.crop_from_picture)
                parameters["crop_share"][i] = share
                i += 1

    def enqueue(self) -> None:
        """Paint into the moved picture; fine crops all see it as it is before any of them is added."""
        for crop in self._coarse:
            self._look(crop)
            self._add(crop)
        for crop in self._fine:
            self._look(crop)
        for crop in self._fine:
            self._add(crop)

    @property
    def graphable(self) -> bool:
        """Whether every network may be captured as a part of a CUDA graph."""
        return all(crop.session.graphable for crop in (*self._coarse, *self._fine))

    def keep(self) -> None:
        """Keep what engines compiled in their first run for the next start."""
        for crop in (*self._coarse, *self._fine):
            crop.session.keep()

    def _open(self, painter: Painter, which: int, number: int, opener: Opener) -> _Crop:
        session, side = opener(painter.network), painter.network.crop_px
        source, contours = painter.rest[which]
        self._device.fill(session.memory["source"], source)
        outlines: tuple[I32, ...] = ()
        if painter.takes_contours:
            # The moved ones come first and are drawn anew in each frame.
            self._device.fill(session.memory["contours"], np.concatenate([contours, contours])[None])
            outlines = _outlines(painter.network.region, which)
        held = tuple(
            (self._device.upload(np.asarray(outline, np.int32)), len(outline)) for outline in outlines
        )
        return _Crop(number, side, session, held)

    def _look(self, crop: _Crop) -> None:
        """Cut a crop from the picture as it is, and run its network."""
        launch, memory, size = self._device.launch, crop.session.memory, (crop.side, crop.side)
        height, width = self._moved.shape[:2]
        launch(
            "crop_cut",
            size,
            self._parameters,
            crop.number,
            self._moved,
            width,
            height,
            crop.side,
            memory["warped"],
        )
        for which, (index, n) in enumerate(crop.outlines):
            launch(
                "crop_contour",
                size,
                self._parameters,
                crop.number,
                index,
                n,
                which,
                crop.side,
                memory["contours"],
            )
        crop.session.enqueue(self._device.stream)

    def _add(self, crop: _Crop) -> None:
        memory, (height, width) = crop.session.memory, self._moved.shape[:2]
        self._device.launch(
            "residual_add",
            (width, height),
            self._parameters,
            crop.number,
            memory["residual"],
            memory["mask"],
            crop.side,
            width,
            height,
            self._moved,
        )


def _outlines(region: str, which: int) -> tuple[I32, ...]:
    """Landmarks of the contours that a crop shows, as in `render.crops`."""
    if region == "mouth":
        return LIPS_OUTER, LIPS_INNER
    return EYES[which].ring, EYES[which].iris_ring
