"""Which of ARKit's shapes move a few landmarks of an unknown tracker as they have moved.

`face.blendshapes` knows how our landmark network errs. Of another tracker nobody knows that: least squares
over its landmarks, with the distances that an onlooker sees told once more, of the shapes that it can tell
apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facepuppet.core.types import F32, F64, N_BLENDSHAPES, Floats
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.blendshapes import landmark_basis, solve_box
from facepuppet.face.canonical import canonical_landmarks

_RIDGE = 0.01  # what two shapes do alike is shared between them

Distance = tuple[Sequence[int], Sequence[int], int]


class ShownShapes:
    """Fits weights to how landmarks have moved, one frame at a time; it keeps no state.

    Args:
        names: of the shapes; the others are 0.
        points: (P,) which of the 478 landmarks.
        trust: (P, 3) of each landmark's way along each axis of the head frame; 0 is none.
        distances: groups of landmarks, others, and an axis, between whose means is measured.
        distance_trust: of those, as of `trust`.
        sparsity: cost of a weight of 1, as of a squared error.
        steady: places among `points` of the landmarks on which faces are laid over each other in the picture
            plane, before they are compared.
    """

    def __init__(
        self,
        names: Sequence[str],
        points: Sequence[int],
        trust: Floats,
        distances: Sequence[Distance],
        distance_trust: float,
        sparsity: float,
        steady: Sequence[int],
    ) -> None:
        at = {point: place for place, point in enumerate(points)}
        told = np.zeros((len(distances), len(points), 3))
        for row, (plus, minus, axis) in zip(told, distances, strict=True):
            row[[at[point] for point in plus], axis] = np.sqrt(distance_trust) / len(plus)
            row[[at[point] for point in minus], axis] = -np.sqrt(distance_trust) / len(minus)
        rows = np.concatenate(
            [np.diag(np.sqrt(np.asarray(trust, np.float64).ravel())), told.reshape(len(told), -1)]
        )
        self._at = [ARKIT_INDEX[name] for name in names]
        moved = _laid_over(landmark_basis()[np.ix_(self._at, points)], points, steady)
        moved = moved.reshape(len(names), -1) @ rows.T
        self._normal = moved @ moved.T + _RIDGE * np.eye(len(names))
        self._filters: F64 = moved @ rows
        self._sparsity = sparsity

    def fit(self, offsets: Floats) -> F32:
        """Return (52,) weights in [0, 1] that move landmarks by offsets (P, 3), in the head frame."""
        target = self._filters @ np.asarray(offsets, np.float64).ravel() - self._sparsity
        weights = np.zeros(N_BLENDSHAPES, np.float32)
        weights[self._at] = solve_box(self._normal, target)
        return weights


def _laid_over(moved: F64, points: Sequence[int], steady: Sequence[int]) -> F64:
    """How landmarks are seen to move (N, P, 3) once the steady ones are laid over where they were."""
    x, y, _ = canonical_landmarks()[list(points)].T.astype(np.float64)
    zero, one = np.zeros_like(x), np.ones_like(x)
    # Shifts, turn and growth of all landmarks (4, P, 3); small, so that they add up.
    ways = [(one, zero, zero), (zero, one, zero), (-y, x, zero), (x, y, zero)]
    modes = np.stack([np.stack(way, axis=1) for way in ways])
    of_steady = modes[:, list(steady), :2].reshape(len(modes), -1)
    shares = moved[:, list(steady), :2].reshape(len(moved), -1) @ np.linalg.pinv(of_steady)
    return np.asarray(moved - np.tensordot(shares, modes, 1))
