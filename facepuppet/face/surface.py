"""Which way the surface of a face looks."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from facepuppet.face.topology import N_MESH, face_triangles

Real = TypeVar("Real", np.float32, np.float64)


def vertex_normals(points: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Return (468, 3) unit normals of a face mesh (468 or 478, 3), outward: negative z is to the viewer.

    Each is the mean of those of the triangles around it, weighted by their areas.
    """
    mesh, triangles = points[:N_MESH], face_triangles()
    a, b, c = (mesh[triangles[:, corner]] for corner in range(3))
    across, normals = np.cross(b - a, c - a), np.zeros_like(mesh)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return normals
