"""Piecewise-affine warp of the face mesh: where does each pixel of the moved face come from?

The triangles of the moved face are drawn back to front into a small picture of triangle
numbers; each triangle carries the affine map from the moved picture back to the portrait
(the classic texture-mapped mesh of Blanz & Vetter 1999, backward form).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32
from facepuppet.face.topology import (
    EYES,
    FACE_OVAL,
    N_MESH,
    eye_interior_triangles,
    face_triangles,
    mouth_interior_triangles,
)
from facepuppet.frames.cpu.render.oval_weights import OvalWeights
from facepuppet.frames.cpu.render.raster import affine_table, draw_numbers, sample_affine
from facepuppet.frames.cpu.render.unfolding import Lid


@dataclass(frozen=True, slots=True)
class FacePatch:
    """Backward map of the moved face on a coarse grid over its bounding box.

    Attributes:
        source_from_patch: (h, w, 2) float32, source x and y, in the frame that `FaceMesh` was asked for.
        weight: (h, w, 2) float32, twice the same: 1 well inside the mesh, falling to `oval_weight` at the
            face oval, 0 outside.
        origin_px: portrait coordinates of the patch's top-left corner.
        size_px: width and height the patch covers in the portrait frame.
        vertices: (T, 3, 2) float32 corners of the moved triangles (`all_triangles`), in cells of the grid.
        numbers: (h, w) int32, 1 + the triangle seen in each cell, 0 outside.
        front: (S,) bool, which triangles of the skin face the viewer.
        oval_weight: (36,) float32 along FACE_OVAL.
    """

    source_from_patch: F32
    weight: F32
    origin_px: tuple[int, int]
    size_px: tuple[int, int]
    vertices: F32
    numbers: npt.NDArray[np.int32]
    front: npt.NDArray[np.bool_]
    oval_weight: F32


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """The rectangle of the picture that a moved face covers, and the cells it is rasterised in.

    Attributes:
        origin_px: portrait coordinates of its top-left corner.
        size_px: width and height in the portrait frame.
        cells: columns and rows.
    """

    origin_px: tuple[int, int]
    size_px: tuple[int, int]
    cells: tuple[int, int]

    @classmethod
    def around(cls, landmarks_px: F32, picture_size_px: tuple[int, int], max_cells: int) -> PatchGrid | None:
        """Return the grid of a face (468 or more landmarks); None when it left the picture."""
        low = np.maximum(np.floor(landmarks_px[:N_MESH, :2].min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(landmarks_px[:N_MESH, :2].max(0)).astype(int) + 2, picture_size_px)
        width, height = (high - low).tolist()
        if width < 2 or height < 2:
            return None
        step = max(1.0, max(width, height) / max_cells)
        cells = (max(2, round(width / step)), max(2, round(height / step)))
        return cls((int(low[0]), int(low[1])), (width, height), cells)


class FaceMesh:
    """Rasterises the moved face mesh.

    Args:
        landmarks_px: (478, 3) float32, the portrait's own landmarks.
        picture_size_px: width and height of the portrait.
        max_grid: longest side of the raster grid; larger faces are rasterised coarser and
            the (piecewise affine) map is interpolated.
        scale, offset_px: (2,) from the portrait's frame to that of sources; the portrait's own by default.

    Attributes:
        max_grid: the same.
        triangles: (T, 3) of `all_triangles`.
        n_skin: how many of them are skin; the rest fill eyes and mouth.
        source: (T, 3, 3) x, y (portrait px) and weight of their corners at rest.
        lids: image-left eye first.
        oval: how the face ends.
    """

    def __init__(
        self,
        landmarks_px: F32,
        picture_size_px: tuple[int, int],
        max_grid: int = 256,
        *,
        scale: float = 1.0,
        offset_px: F32 | None = None,
    ) -> None:
        self.triangles = all_triangles()
        self.n_skin = len(face_triangles())
        self.max_grid = max_grid
        self._size = picture_size_px
        self._scale, self._offset_px = np.float32(scale), offset_px
        weight = np.ones(len(landmarks_px), np.float32)
        weight[FACE_OVAL] = 0.0
        source = np.column_stack([landmarks_px[:, :2], weight]).astype(np.float32)
        self.source = source[self.triangles]
        self.oval = OvalWeights(landmarks_px)
        self.lids = [Lid(landmarks_px[:, :2], eye, self.triangles) for eye in EYES]

    def grid(self, landmarks_px: F32) -> PatchGrid | None:
        """Return where the moved face is rasterised; None when it left the picture."""
        return PatchGrid.around(landmarks_px, self._size, self.max_grid)

    def patch(self, landmarks_px: F32, eye_opening: F32) -> FacePatch | None:
        """Return the backward map for the moved landmarks; None when the face left the picture.

        Args:
            landmarks_px: (478, 3) float32 moved landmarks.
            eye_opening: (2,) as in Motion; closing lids take their skin from below the brow.
        """
        grid = self.grid(landmarks_px)
        if grid is None:
            return None
        grid_from_portrait = np.divide(grid.cells, grid.size_px).astype(np.float32)
        vertices = (landmarks_px[:N_MESH, :2] - grid.origin_px + 0.5) * grid_from_portrait - 0.5
        triangles = vertices[self.triangles].astype(np.float32)
        front, oval_weight = facing(triangles[: self.n_skin]), self.oval.of(landmarks_px)
        numbers = draw_numbers(triangles, self._order(landmarks_px[:, 2], front), grid.cells)
        source = self.source.copy()
        for lid, opening in zip(self.lids, eye_opening.tolist(), strict=True):
            lid.unfold(source, 1.0 - opening)
        self.oval.put(source, oval_weight)
        source_from_patch, weight = self._sampled(affine_table(triangles, source), numbers)
        return FacePatch(
            source_from_patch, weight, grid.origin_px, grid.size_px, triangles, numbers, front, oval_weight
        )

    def _sampled(self, table: F32, numbers: npt.NDArray[np.int32]) -> tuple[F32, F32]:
        """Evaluate source and weight in every cell; their frame changes in the table, which is smaller."""
        table = table[..., (0, 1, 2, 2)]
        table[..., :2] *= self._scale
        if self._offset_px is not None:
            table[1:, 2, :2] += self._offset_px
        sampled = sample_affine(table, numbers)
        source, weight = (np.empty((*numbers.shape, 2), np.float32) for _ in range(2))
        cv2.mixChannels([sampled], [source, weight], [0, 0, 1, 1, 2, 2, 3, 3])
        return source, weight

    def _order(self, depth_px: F32, front: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """Which triangles to draw first, given every landmark's depth and which skin faces the viewer.

        Skin that has turned away is drawn before all else, never left as a hole: only where nothing lies
        before it is it seen. Eyes and mouth come before the skin that faces the viewer, so that no sliver of
        them shows between shut lids or lips. Of that skin the farthest is first.
        """
        depth = np.take(depth_px, self.triangles[: self.n_skin])
        summed = depth[:, 0] + depth[:, 1] + depth[:, 2]
        # Small whole numbers are sorted by counting, in a tenth of the time; an eighth of a pixel will do.
        nearness = np.clip(summed * np.float32(-8 / 3), -32768, 32767).astype(np.int16)
        skin = np.argsort(nearness, kind="stable")
        inside, faces = np.arange(self.n_skin, len(self.triangles)), front[skin]
        return np.concatenate([skin[~faces], inside, skin[faces]])


def facing(triangles: F32) -> npt.NDArray[np.bool_]:
    """Which triangles (T, 3, 2) of the skin face the viewer, as seen on the picture."""
    x, y = triangles[..., 0], triangles[..., 1]
    turned: F32 = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])
    front: npt.NDArray[np.bool_] = turned < np.float32(0.0)
    return front


def all_triangles() -> npt.NDArray[np.int32]:
    """(T, 3) triangles of the whole face: skin first, then what fills the eyes and the mouth."""
    return np.concatenate([face_triangles(), *eye_interior_triangles(), mouth_interior_triangles()])
