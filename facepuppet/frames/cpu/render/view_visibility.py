"""Where a view shows each landmark, and how well."""

from __future__ import annotations

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.face.topology import N_MESH, face_triangles
from facepuppet.portrait.views import View

_GRAZING, _GRAZING_SOFT = 0.15, 0.25  # cosine to the viewer from which a view shows its skin, and all of it


def place_and_visibility(view: View, weight: F32) -> F32:
    """Where each landmark is in a view's picture, and how far it is of use: (468, 3)."""
    place = view.landmarks_px[:N_MESH, :2] - view.origin_px
    use = weight * smoothstep((_facing(view.landmarks_px) - _GRAZING) / _GRAZING_SOFT)
    source: F32 = np.column_stack([place, use]).astype(np.float32)
    return source


def _facing(landmarks_px: F32) -> F32:
    """Cosine between the skin at each landmark and the line of sight, negative when turned away: (468,)."""
    triangles = face_triangles()
    a, b, c = (landmarks_px[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    sums = np.zeros((N_MESH, 3), np.float32)
    np.add.at(sums, triangles.ravel(), np.repeat(normals, 3, axis=0))
    cosine: F32 = -sums[:, 2] / np.maximum(np.linalg.norm(sums, axis=1), 1e-6)
    return cosine
