"""How the face ends at the face oval: blending into what lies around, or sharply."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.face.topology import FACE_OVAL, OUTER_CORNERS, face_triangles

# Width of the face's outermost ring of triangles as it is seen, in inter-ocular distances of the portrait:
# where it is this narrow the face ends sharply, and where it is this wide it blends into what lies around.
_SHARP_OVAL, _SOFT_OVAL = 0.02, 0.06


class OvalWeights:
    """How far the face keeps its own at the face oval, rather than giving way to what lies around.

    It gives way wholly where it is seen from the front. Where it is seen so much from the side that its
    outermost ring of triangles is a sliver, giving way within that would be a jagged edge: it keeps its own,
    and ends there (`render.folds`).

    Args:
        landmarks_px: (478, 3) the portrait's own.

    Attributes:
        triangle, corner, at: (n,) which corners of which triangles of the skin lie on the oval, and where.
    """

    def __init__(self, landmarks_px: F32) -> None:
        skin = face_triangles()
        place = np.full(len(landmarks_px), -1)
        place[FACE_OVAL] = np.arange(len(FACE_OVAL))
        on_oval = place[skin]
        self.triangle, self.corner = np.nonzero(on_oval >= 0)
        self.at = on_oval[self.triangle, self.corner]
        # Of the triangle at each edge of the oval, the corner that is none of the edge's.
        ends = np.column_stack([FACE_OVAL, np.roll(FACE_OVAL, -1)])
        at_edge = np.array([skin[np.isin(skin, pair).sum(1) == 2][0] for pair in ends])
        self._inner = at_edge.sum(1) - ends.sum(1)
        self._unit_px = float(np.linalg.norm(np.subtract(*landmarks_px[OUTER_CORNERS, :2])))

    def of(self, landmarks_px: F32) -> F32:
        """Return the weights (36,) along FACE_OVAL of moved landmarks."""
        oval = landmarks_px[FACE_OVAL, :2]
        edge, inward = np.roll(oval, -1, axis=0) - oval, landmarks_px[self._inner, :2] - oval
        wide = edge[:, 0] * inward[:, 1] - edge[:, 1] * inward[:, 0]
        wide /= np.maximum(np.hypot(edge[:, 0], edge[:, 1]), 1e-6) * np.float32(self._unit_px)
        kept = np.clip((_SOFT_OVAL - wide) / (_SOFT_OVAL - _SHARP_OVAL), 0.0, 1.0)
        weights: F32 = np.maximum(kept, np.roll(kept, 1)).astype(np.float32)
        return weights

    def put(self, source: F32, weights: F32) -> None:
        """Set the weights of sources (T, 3, 3), in place."""
        source[self.triangle, self.corner, 2] = weights[self.at]
