"""How skin brightens and darkens with an expression: the shipped low-rank model.

The logarithm of a ratio image (Z. Liu, Y. Shan and Z. Zhang, "Expressive expression mapping with ratio
images", SIGGRAPH 2001) of the unwrapped face is a sum over components, each driven by ARKit's weights. Of
each component one part does not ask where the light comes from (creases, learnt from clips), and one is the
turn of the surface, which shades by the portrait's own light. tools/fit_flesh.py makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32

N_COMPONENTS = 18
N_LINES = 2  # the last of them: lines across the forehead and between the brows, which only some skin has


@dataclass(frozen=True, slots=True)
class FleshModel:
    """The model; pictures are S by S in the frame of `unwrapping.unwrapped_points(S)`.

    Attributes:
        mixing: (52, N_COMPONENTS) how far each of ARKit's weights drives each component.
        creases: (N_COMPONENTS, S, S) logarithm of the ratio, in any light.
        turns: (N_COMPONENTS, S, S, 3) change of the surface's normal, times what it does to the logarithm
            of a picture's values (not of the light) where the light is 1.
        normals: (S, S, 3) unit normals of the mean face at rest, in the head frame, pointing out of it.
        skin: (S, S) in [0, 1]: 0 in eyes, on lips and close to them, and towards the face's outline.
    """

    mixing: F32
    creases: F32
    turns: F32
    normals: F32
    skin: F32

    @property
    def lined(self) -> npt.NDArray[np.bool_]:
        """(S, S) where lines would be, and between them."""
        depth = np.abs(self.creases[-N_LINES:]).max(0)
        around = cv2.dilate((depth > 0.2 * depth.max()).astype(np.uint8), np.ones((11, 11), np.uint8))
        return np.asarray(around > 0)


@cache
def flesh_model() -> FleshModel:
    """Return the shipped model; its arrays are read-only."""
    with (files("facepuppet.face") / "data" / "flesh.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        model = FleshModel(
            arrays["mixing"].astype(np.float32),
            _scaled(arrays["creases"], arrays["crease_scale"]),
            _scaled(arrays["turns"], arrays["turn_scale"]),
            arrays["normals"].astype(np.float32) / 127,
            arrays["skin"].astype(np.float32) / 255,
        )
    for name in FleshModel.__slots__:
        getattr(model, name).setflags(write=False)
    return model


def _scaled(levels: npt.NDArray[np.int8], scale: F32) -> F32:
    """Undo the rounding to bytes, a scale for each component."""
    shape = (-1,) + (1,) * (levels.ndim - 1)
    scaled: F32 = levels.astype(np.float32) * scale.astype(np.float32).reshape(shape)
    return scaled
