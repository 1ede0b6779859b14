"""The average neutral face, against which faces of unknown people are measured."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import fit_similarity
from facepuppet.core.types import F32, Floats

MAX_UNLIKENESS = 0.2  # people, paintings and cartoons reach 0.06; shuffled landmarks have 1


@cache
def canonical_landmarks() -> F32:
    """(478, 3) read-only landmarks of the mean neutral face, in the head frame.

    It looks straight ahead with its mouth at rest and is exactly symmetric, so the outer eye corners are
    at (∓0.5, 0, 0). Made by tools/fit_face_model.py.
    """
    return _frozen("landmarks", np.float32)


@cache
def mirror_order() -> npt.NDArray[np.int32]:
    """(478,) read-only: for every landmark the index of its mirror image across the face's middle."""
    return _frozen("mirror", np.int32)


def mirrored_back(landmarks_px: F32, width_px: int) -> F32:
    """Carry landmarks that were read in a mirrored picture to the picture itself, or the other way.

    Args:
        landmarks_px: (..., 478, 3), each in pixels whose centres have whole numbers.
        width_px: of the picture.

    Returns:
        Landmarks of the same shape; sides are swapped, so that every index names the same part of a face.
    """
    back = landmarks_px[..., mirror_order(), :]
    back[..., 0] = (width_px - 1) - back[..., 0]
    return back


def is_face(landmarks: Floats) -> bool:
    """Say whether (478, 3) landmarks, in any position and units, could be those of a face at all.

    What is measured is the RMS distance to the mean face laid over it, in its inter-ocular distances.
    """
    if not np.isfinite(landmarks).all():
        return False
    mean = canonical_landmarks()
    there = fit_similarity(mean, landmarks)
    gaps = landmarks - (there.scale * mean @ there.rotation.T + there.translation)
    return bool(np.sqrt((gaps**2).sum(axis=1).mean()) < MAX_UNLIKENESS * there.scale)


def _frozen(key: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    with (files("facepuppet.face") / "data" / "canonical_face.npz").open("rb") as file:
        array: npt.NDArray[Any] = np.load(file, allow_pickle=False)[key].astype(dtype)
    array.setflags(write=False)
    return array
