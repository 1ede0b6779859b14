"""The frame path of the GPU beside the CPU's, on the same motions; on which GPU, `gpus` tells."""

from __future__ import annotations

from functools import cache

import numpy as np
from avatars import hopper
from fakes import PATIENCE_S

from facepuppet.core.types import N_LANDMARKS, HeadMotion, Motion, TorsoMotion
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cuda.device import Device
from facepuppet.frames.cuda.parameters import DTYPE
from facepuppet.inference.gpu import list_gpus
from facepuppet.retarget import Retargeter

# Moments of the built-in piece: at rest, turned, looking aside, blinking, speaking, smiling.
MOMENTS = (0, 45, 103, 162, 247, 292)


@cache
def motions() -> tuple[Motion, ...]:
    """Motions of the sample portrait at MOMENTS."""
    retargeter, piece = Retargeter(hopper()), Performance()
    played = [retargeter.update(piece.expression(i / 30, i)) for i in range(max(MOMENTS) + 1)]
    return tuple(played[i] for i in MOMENTS)


class Bench:
    """A device with the parameters of one frame on it, to run single stages.

    Attributes:
        device: CUDA's first GPU.
        given: the parameters, in memory that it copies from by itself, also while a graph is recorded.
        parameters: their copy on it.
    """

    def __init__(self) -> None:
        self.device = Device(list_gpus()[0])
        self._pinned = self.device.pinned(DTYPE.itemsize)
        self._pinned[:] = 0
        self.given = self._pinned.view(DTYPE)
        self.parameters = self.device.empty((DTYPE.itemsize,), np.uint8)

    def run(self, *stages, motion: Motion) -> None:
        """Tell the stages of a motion and run them in order; done when this returns."""
        self.given["landmarks_px"] = motion.landmarks_px
        for stage in stages:
            stage.set_parameters(motion, self.given[0])
        self.copy_in()
        for stage in stages:
            self.device.run(stage.enqueue)
        self.device.wait(PATIENCE_S)

    def copy_in(self) -> None:
        """Enqueue the copy of the parameters."""
        self.device.copy_in(self._pinned, self.parameters)

    def fetch(self, held) -> np.ndarray:
        """Copy an array back from the GPU."""
        out = np.empty(held.shape, held.dtype)
        self.device.copy_out(held, out)
        self.device.wait(PATIENCE_S)
        return out


def resting(frame_id: int = 0, captured_ns: int = 0) -> Motion:
    """A motion for stages that care only for when it is."""
    head = HeadMotion(np.eye(3, dtype=np.float32), np.zeros(2, np.float32), 1.0)
    torso = TorsoMotion(np.zeros(2, np.float32), 0.0, 1.0)
    landmarks, lids = np.zeros((N_LANDMARKS, 3), np.float32), np.ones(2, np.float32)
    return Motion(landmarks, head, torso, lids, 0.0, frame_id, captured_ns)
