"""The mesh's part in closing lids: skin to be stretched over them.

An open eye hides most of its upper lid in the fold. Stretching the visible strip would smear
lashes and make-up over the eye, so a closing lid takes the skin between fold and brow instead,
mirrored at the fold (continuous there). What lies on it is drawn by `lid_layer`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.face.topology import EyeTopology

_REACH = 0.45  # of the way from the fold to the brow
_FIRST, _FULL = 0.25, 0.75  # closing at which the hidden skin begins to show, and is all that shows


class Lid:
    """Source coordinates of one upper lid's strip of triangles, as it unfolds.

    Args:
        landmarks_px: (478, 2) the portrait's own.
        eye: which eye.
        triangles: (T, 3) all triangles of the mesh.

    Attributes:
        triangle, corner: (n,) which corners of which triangles lie on the rim.
        hidden: (n, 2) where in the portrait their skin comes from when the lid is shut.
    """

    def __init__(self, landmarks_px: F32, eye: EyeTopology, triangles: npt.NDArray[np.int32]) -> None:
        rim, fold = eye.upper_lid[1:-1], eye.upper_fold
        strip = np.isin(triangles, np.concatenate([eye.upper_lid, fold])).all(axis=1)
        on_rim = np.isin(triangles, rim) & np.asarray(strip & np.isin(triangles, fold).any(axis=1))[:, None]
        self.triangle, self.corner = np.nonzero(on_rim)
        order = {int(index): k for k, index in enumerate(rim)}
        which = np.array([order[int(i)] for i in triangles[self.triangle, self.corner]], np.intp)
        brow = _along(landmarks_px[eye.brow_lower], landmarks_px[fold])
        rise = brow - landmarks_px[fold]
        longest = 1.5 * np.linalg.norm(landmarks_px[rim] - landmarks_px[eye.lower_lid[1:-1]], axis=1).max()
        length = np.maximum(np.linalg.norm(rise, axis=1, keepdims=True), 1e-3)
        rise *= np.minimum(1.0, longest / length)
        self._open = landmarks_px[rim][which]
        self.hidden = (landmarks_px[fold] + _REACH * rise)[which]

    def unfold(self, source: F32, closing: float) -> None:
        """Move the rim's source coordinates (T, 3, 3) towards the hidden skin, in place."""
        share = unfolding(closing)
        if share > 0.0:
            source[self.triangle, self.corner, :2] = self._open + share * (self.hidden - self._open)


def _along(polyline: F32, points: F32) -> F32:
    """Points of a polyline at the same relative positions as `points` have along their own line."""
    wanted = np.linspace(0, len(polyline) - 1, len(points))
    columns = [np.interp(wanted, np.arange(len(polyline)), polyline[:, k]) for k in range(2)]
    return np.stack(columns, axis=1).astype(np.float32)


def unfolding(closing: float) -> float:
    """How far a lid shows its hidden skin, in [0, 1]."""
    return smoothstep((closing - _FIRST) / (_FULL - _FIRST))
