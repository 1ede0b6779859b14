"""A driver in one file: it nods, and smiles while it does."""

from __future__ import annotations

import math

import numpy as np

from facepuppet import Driver, Expression, HeadPose
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes

FPS = 30.0


class NoddingDriver(Driver):
    """Nods once a second.

    Args:
        n_frames: how long.
    """

    def __init__(self, n_frames: int) -> None:
        self.description, self.fps, self.n_frames = "somebody who nods", FPS, n_frames
        self._next_id = 0

    def read(self) -> Expression | None:
        if self.n_frames is None or self._next_id >= self.n_frames:
            return None
        t_s = self._next_id / FPS
        nod = 0.5 - 0.5 * math.cos(2 * math.pi * t_s)
        weights = np.zeros(52, np.float32)
        weights[[ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]] = nod
        head = HeadPose(np.array([0.2 * nod, 0.0, 0.0], np.float32))
        self._next_id += 1
        face = face_of_blendshapes(weights, head)
        return self.paced(Expression(face, None, self._next_id - 1, round(t_s * 1e9)))
