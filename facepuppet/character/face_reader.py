"""A tracked face's weights, and how far each group of them is really seen."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from facepuppet.character.channel_groups import FACE_GROUPS, GROUP_OF_SHAPE
from facepuppet.core.types import F32
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.face.blendshapes import QuickWeights, landmark_basis

# A group that hardly moves is taken as it reads; (inter-ocular distances)², summed over the mesh.
_FAINT = 5e-4
_LEAST, _MOST = 0.7, 2.0


class FaceReader:
    """Reads weights from a tracker's landmarks, moment by moment, and moves landmarks as weights change.

    The estimate is sparse, and so reads low: a pucker of .4 as .3. Least squares tell by how much the shapes
    of each group have to grow to move the landmarks as far as the tracker saw them move.
    """

    def __init__(self) -> None:
        self._quick: QuickWeights | None = None
        self._offsets = np.zeros((0, 3), np.float32)

    def read(self, offsets: F32) -> F32:
        """Return (52,) weights of (478, 3) offsets from the person at rest, in the head frame."""
        if self._quick is None:
            self._quick = QuickWeights()
        self._offsets = offsets
        return self._quick.of(offsets)

    def moved(self, change: F32, weights: F32) -> F32:
        """Return (478, 3) what a change (52,) of the weights just read adds to the landmarks.

        Lids and irises go by what is told of them beside the landmarks, and so stay.
        """
        face = _face()
        scaled = change[face.shapes] * self._scales(weights)
        return np.asarray((scaled @ face.basis).reshape(self._offsets.shape))

    def _scales(self, weights: F32) -> F32:
        """Return by how much each shape of the face moves landmarks farther than its weight says."""
        face = _face()
        by_group = weights[face.shapes] * face.groups
        seen = face.basis @ self._offsets.reshape(-1) - face.with_eyes @ weights[face.eyes]
        normal = by_group @ face.products @ by_group.T + face.faint
        scales = np.linalg.solve(normal, by_group @ seen + np.float32(_FAINT))
        return np.asarray(np.minimum(np.maximum(scales, _LEAST), _MOST) @ face.groups, np.float32)


class _Face(NamedTuple):
    """Of N shapes that are neither lids' nor irises', and E that are."""

    shapes: Any  # (N,) indices
    eyes: Any  # (E,)
    basis: F32  # (N, 1434) how they move landmarks
    products: F32  # (N, N) inner products of that
    with_eyes: F32  # (N, E) and with that of eyes
    groups: F32  # (4, N): 1 where a shape is of a group
    faint: F32  # (4, 4)


@cache
def _face() -> _Face:
    is_eye = np.array([name.startswith("eye") for name in ARKIT_NAMES])
    shapes, eyes = np.flatnonzero(~is_eye), np.flatnonzero(is_eye)
    everything = landmark_basis().astype(np.float32).reshape(len(ARKIT_NAMES), -1)
    basis = np.ascontiguousarray(everything[shapes])
    groups: F32 = np.array(
        [[float(GROUP_OF_SHAPE[one] == group) for one in shapes] for group in FACE_GROUPS], np.float32
    )
    faint = np.float32(_FAINT) * np.eye(len(FACE_GROUPS), dtype=np.float32)
    with_eyes: F32 = np.asarray(basis @ everything[eyes].T, np.float32)
    products: F32 = np.asarray(basis @ np.ascontiguousarray(basis.T), np.float32)
    return _Face(shapes, eyes, basis, products, with_eyes, groups, faint)
