"""Clean edges where the moved face folds: over itself, or over hair, neck and whatever lies behind.

At a fold the flow jumps from one part of the portrait to another. A pixel that takes its colour from there
takes it from one side, or (where the flow was enlarged) from some place between the two that is neither,
which is seen as saw-teeth and dots. So the pixels of every row or column that crosses a fold are made anew,
out to where the flow surely is of one side: what lies before the fold covers them as far as its side of the
line does, over what lies behind (E. Catmull, "A hidden-surface algorithm with anti-aliasing", 1978, with one
edge a pixel). Folds closer together than that, one behind the other, are not told apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import FACE_OVAL, I32, face_triangles
from facepuppet.frames.cpu.render.fold_sides import mend
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.portrait.avatar import Avatar

NEAR = 0.15  # inter-ocular distances: what is seen just before a fold comes from about there, or hides it
_BEYOND_PX = 0.5  # lines of pixels are crossed by edges that end so far from them, or no corner would be


class Folds:
    """Mends the folds of one portrait's moved mesh.

    Args:
        avatar: the portrait.
        warp: what moves it.

    Attributes:
        near: NEAR in the enlarged texture.
    """

    def __init__(self, avatar: Avatar, warp: Warp) -> None:
        self.near = NEAR * avatar.inter_ocular_px * warp.scale
        self._warp = warp
        self._source = warp.in_texture(avatar.landmarks_px[:, :2])
        self._triangle, self._beyond, *self._ends = _edges(face_triangles())
        self._claims = np.zeros(avatar.size_px[0] * avatar.size_px[1], np.int32)

    def mend(self, rgba: U8, flow: Flow, landmarks_px: F32) -> None:
        """Draw clean edges into the warped picture (H, W, 4), in place.

        Args:
            rgba: the picture.
            flow: that it was warped by.
            landmarks_px: (478, 3) the moved landmarks.
        """
        if flow.face is not None:
            crossings = self.crossings(landmarks_px, flow.face.front, flow.face.oval_weight)
            mend(rgba, flow, crossings, self._warp, self.near, self._claims)

    def crossings(self, landmarks_px: F32, front: npt.NDArray[np.bool_], oval_weight: F32) -> F32:
        """Return where rows and columns of pixels cross folds, the farther folds first: (n, 8) `Crossing`.

        Args:
            landmarks_px: (478, 3) the moved landmarks.
            front: (T,) which triangles of the skin face the viewer.
            oval_weight: (36,) along FACE_OVAL, as in `FacePatch`.
        """
        sees = np.append(front, False)  # what lies beyond the mesh does not
        folded = np.flatnonzero(sees[self._triangle] & ~sees[self._beyond])
        start, end = (ends[folded] for ends in self._ends)
        depth = landmarks_px[:, 2]
        farthest_first = np.argsort(-(depth[start] + depth[end]))
        start, end = start[farthest_first], end[farthest_first]
        tail, way = landmarks_px[start, :2], landmarks_px[end, :2] - landmarks_px[start, :2]
        upright = np.abs(way[:, 0]) >= np.abs(way[:, 1])
        # One axis runs from line to line, the other along them.
        run, rise = np.where(upright, way.T, way.T[::-1])
        origin, height = np.where(upright, tail.T, tail.T[::-1])
        run = np.where(run == 0.0, np.float32(1e-6), run)
        low = origin + np.minimum(run, 0.0)
        first = np.ceil(low - _BEYOND_PX).astype(np.int32)
        count = np.ceil(low + np.abs(run) + _BEYOND_PX).astype(np.int32) - first
        edge = np.repeat(np.arange(len(start)), count)
        line = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count - first, count)
        own = np.ones(len(landmarks_px), np.float32)
        own[FACE_OVAL] = oval_weight
        points = np.column_stack([self._source, own])
        side = np.where((run > 0) == upright, 1.0, -1.0)
        ahead = points[end] - points[start]
        table = np.column_stack([upright, side, rise / run, origin, height, 1.0 / run, points[start], ahead])
        table = np.take(table.astype(np.float32), edge, axis=0)
        gone = line.astype(np.float32) - table[:, 3]
        along = table[:, 4] + table[:, 2] * gone
        share = np.clip(gone * table[:, 5], 0.0, 1.0)
        source = table[:, 6:9] + share[:, None] * table[:, 9:]
        return np.column_stack([table[:, :3], line.astype(np.float32), along, source])


def _edges(triangles: I32) -> tuple[I32, I32, I32, I32]:
    """Edges of triangles (T, 3) at which they may fold: whose, the triangle beyond, and its ends, as wound.

    Beyond the face oval there is none, which is told as T; rims of eyes and mouth are left out.
    """
    owner: dict[tuple[int, int], int] = {}
    for number, (a, b, c) in enumerate(triangles.tolist()):
        owner |= {(a, b): number, (b, c): number, (c, a): number}
    oval = {*FACE_OVAL.tolist()}
    rows = [
        (one, owner.get((b, a), len(triangles)), a, b)
        for (a, b), one in owner.items()
        if (b, a) in owner or {a, b} <= oval
    ]
    triangle, beyond, start, end = np.array(rows, np.int32).T
    return triangle, beyond, start, end
