"""Which of ARKit's shapes belong together where a style speaks of brows, a smile, the jaw or the mouth."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES

FACE_GROUPS = ("brows", "smile", "mouth", "jaw")  # shown by the deformation; lids and gaze are told beside it
_SMILE = ("mouthSmile", "mouthDimple", "cheekSquint")
# Lips meet over a lowered jaw by mouthClose: the two go together.
_JAW = ("jaw", "mouthClose")


def group_of(shape: str) -> str:
    """Return the group of one of ARKit's shapes: one of FACE_GROUPS, "lids" or "gaze"."""
    if shape.startswith("eyeLook"):
        return "gaze"
    for group, starts in (("lids", "eye"), ("brows", "brow"), ("smile", _SMILE), ("jaw", _JAW)):
        if shape.startswith(starts):
            return group
    return "mouth"


GROUP_OF_SHAPE = tuple(group_of(name) for name in ARKIT_NAMES)


def shapes_of(group: str) -> list[int]:
    """Return the indices of a group's shapes, in ARKit's order."""
    return [index for index, name in enumerate(GROUP_OF_SHAPE) if name == group]


def sides_of(shape: str) -> tuple[int, ...]:
    """Return the indices of a shape, or of both sides of one named without its side; none if unknown."""
    names = (shape,) if shape in ARKIT_INDEX else (f"{shape}Left", f"{shape}Right")
    return tuple(ARKIT_INDEX[name] for name in names if name in ARKIT_INDEX)


def weights_of(shapes: dict[str, float]) -> F32:
    """Return (52,) weights of shapes by name, with or without their side; they may be negative."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in shapes.items():
        weights[list(sides_of(name))] = weight
    return weights
