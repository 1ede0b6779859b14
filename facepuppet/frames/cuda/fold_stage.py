"""Clean edges where the face folds, on the GPU: `render.folds`."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import Motion
from facepuppet.frames.cpu.render.fold_sides import JUMP_PX, SOFT_JUMP_PX
from facepuppet.frames.cpu.render.folds import Folds
from facepuppet.frames.cpu.render.mesh import facing
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import N_FOLDS, Parameters
from facepuppet.frames.cuda.warping import WarpStage

_FOLD_BYTES = 4 * 13  # the kernels' `Fold`


class FoldStage:
    """Mends the folds of the warped picture; where they are the CPU finds, as they are few.

    Args:
        device: where.
        folds: the same on the CPU, whose preparation is used.
        warp: of the same frame.
        parameters: of the frame, on the GPU.
    """

    def __init__(self, device: Device, folds: Folds, warp: WarpStage, parameters: Array) -> None:
        self._device, self._folds, self._warp, self._parameters = device, folds, warp, parameters
        height, width = warp.moved.shape[:2]
        self._newest = device.empty((height, width), np.uint64)
        self._mended = device.empty((height, width, 4), np.uint8)
        self._sides = device.empty((N_FOLDS * _FOLD_BYTES,), np.uint8)

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame; `WarpStage` has told of the face."""
        parameters["fold_count"] = 0
        if not parameters["face_box_px"].any():
            return
        mesh = self._warp.cpu.mesh
        front = facing(motion.landmarks_px[mesh.triangles[: mesh.n_skin], :2])
        found = self._folds.crossings(motion.landmarks_px, front, mesh.oval.of(motion.landmarks_px))[
            -N_FOLDS:
        ]
        parameters["fold_count"] = len(found)
        parameters["folds"][: len(found)] = found

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        warp, cpu, launch = self._warp, self._warp.cpu, self._device.launch
        height, width = warp.moved.shape[:2]
        body = (warp.texture_from_cell, *cpu.body.grid)
        launch("fold_clear", (width, height), self._newest, width, height)
        launch(
            "fold_claim",
            (N_FOLDS, 1),
            self._parameters,
            warp.triangles,
            warp.front,
            *body,
            warp.texture_from_face,
            float(cpu.scale),
            float(self._folds.near),
            JUMP_PX,
            SOFT_JUMP_PX,
            width,
            height,
            self._sides,
            self._newest,
        )
        launch(
            "fold_draw",
            (width, height),
            self._parameters,
            self._sides,
            self._newest,
            warp.texture,
            *cpu.texture.shape[1::-1],
            *body,
            width,
            height,
            warp.moved,
            self._mended,
        )
        launch("fold_place", (width, height), self._newest, self._mended, width, height, warp.moved)
