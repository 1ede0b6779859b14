"""Where in a moved picture the person can be seen at all: the rest need not be sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.frames.cpu.render.mesh import FacePatch

Window: TypeAlias = tuple[slice, slice]  # rows and columns of the picture

_BANDS = 12  # more would follow the outline closer, and cost more calls
_AROUND = np.ones((3, 3), np.uint8)  # what lies between two cells shows what either of them does


class Extent:
    """Which cells of a body field show the person, cut into bands of rows.

    Args:
        alpha: (H, W) uint8 coverage of the person at rest.
        grid: columns and rows of the body field's cells.
    """

    def __init__(self, alpha: U8, grid: tuple[int, int]) -> None:
        # Any coverage makes a cell count: the mean of its pixels, rounded up.
        covered = cv2.resize((alpha > 0).astype(np.float32), grid, interpolation=cv2.INTER_AREA) > 0
        self._covered = cv2.dilate(covered.astype(np.uint8), _AROUND)
        n_bands = min(_BANDS, grid[1])
        self._starts = np.linspace(0, grid[1], n_bands, endpoint=False).astype(int)

    def windows(
        self, cells_from_moved: F32, face: FacePatch | None, size_px: tuple[int, int]
    ) -> Sequence[Window]:
        """Return windows of the picture that together hold all of the moved person; they do not overlap.

        Args:
            cells_from_moved: (h, w, 2) of `BodyField`.
            face: the moved face, which may reach out of the moved body.
            size_px: width and height of the picture.
        """
        seen = cv2.remap(
            self._covered, cells_from_moved, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        seen = cv2.dilate(seen, _AROUND)
        rows, columns = seen.shape
        px_per_cell = np.divide(size_px, (columns, rows))
        if face is not None:
            low = np.floor(face.origin_px / px_per_cell).astype(int)
            high = np.ceil(np.add(face.origin_px, face.size_px) / px_per_cell).astype(int)
            seen[low[1] : high[1], low[0] : high[0]] = 1
        bands = np.maximum.reduceat(seen, self._starts, axis=0) > 0
        edges = [round(start * px_per_cell[1]) for start in (*self._starts.tolist(), rows)]
        windows = []
        for band, top, bottom in zip(bands, edges[:-1], edges[1:], strict=True):
            at = np.flatnonzero(band)
            if len(at):
                left, right = int(at[0] * px_per_cell[0]), int(np.ceil((at[-1] + 1) * px_per_cell[0]))
                windows.append(np.s_[top:bottom, left : min(right, size_px[0])])
        return windows
