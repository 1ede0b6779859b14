"""A frame maker in one file: the portrait as a paper cut, shifted with the head."""

from __future__ import annotations

import numpy as np

from facepuppet import Avatar, Composer, FrameMaker, Motion, Scene
from facepuppet.core.types import Rendered
from facepuppet.frames.cpu.finisher import Finisher
from facepuppet.watermark import Marked, Marker


class SilhouetteMaker(FrameMaker):
    """Shows nothing of a portrait but its outline."""

    description = "a silhouette"

    def __init__(self, avatar: Avatar, composer: Composer, marker: Marker) -> None:
        super().__init__()
        self._finisher = Finisher(composer, marker, self._meter)
        height, width = avatar.person_alpha.shape
        self._paper = np.zeros((height, width, 4), np.uint8)
        self._paper[..., 3] = avatar.person_alpha

    def make(self, motion: Motion) -> Marked:
        with self._meter.time("silhouette"):
            x, y = np.rint(motion.head.shift_px).astype(int).tolist()
            moved = np.roll(self._paper, (y, x), (0, 1))
        return self._finisher.finish(Rendered(moved, motion.frame_id, motion.captured_ns))

    def set_scene(self, scene: Scene) -> None:
        self._finisher.set_scene(scene)
