"""How the surface of ICT-FaceKit's head turns with each of ARKit's shapes, on the unwrapped face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from fit_blendshapes import Tracker, landmarks_on_heads
from ict_render import SKIN, IctHeads, rasterise, vertex_normals
from scipy.interpolate import RBFInterpolator

from facepuppet.core import F32
from facepuppet.face import ARKIT_NAMES, unwrapped_points

F64 = npt.NDArray[np.float64]
FACE = 9409  # vertices of the face; neck, mouth and eyes follow
PEOPLE = 2  # plain heads on which landmarks are looked for


def turns_of(heads: IctHeads, side: int) -> tuple[F32, F32]:
    """Return normals at rest (S, S, 3), 0 where there is no skin, and their change by shape (52, S, S, 3)."""
    landmarks = landmarks_on_heads(heads, Tracker(), PEOPLE)
    flat = RBFInterpolator(landmarks, unwrapped_points(side).astype(np.float64), neighbors=48, smoothing=1e-3)
    triangles = heads.triangles[(heads.triangles < FACE).all(1)]
    skin = heads.triangles[(heads.triangles < SKIN.stop).all(1)]
    used = np.unique(triangles)
    places = np.zeros((len(heads.neutral), 3))
    places[used] = np.column_stack([flat(heads.neutral[used]), heads.neutral[used, 2]])
    ids, shares = rasterise(places, triangles, side)
    seen = ids >= 0

    def laid(vertices: F64) -> F64:
        out = np.zeros((side, side, 3))
        normals = vertex_normals(vertices, skin)
        out[seen] = np.einsum("nk,nkc->nc", shares[seen], normals[triangles[ids[seen]]])
        return out

    rest = laid(heads.neutral)
    turns = np.zeros((len(ARKIT_NAMES), side, side, 3), np.float32)
    for number, name in enumerate(ARKIT_NAMES):
        if name in heads.expression:
            turns[number] = laid(heads.neutral + heads.expression[name]) - rest
    return rest.astype(np.float32), turns
