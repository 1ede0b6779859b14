"""A flow that is known on coarse cells, at every pixel: linear between cells, straight on beyond them."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32


def enlarged(cells: F32, size_px: tuple[int, int]) -> F32:
    """Return an (h, w, 2) float32 map from the centres of cells as one from pixels, (H, W, 2).

    OpenCV repeats the outermost cells over the half cell beyond their centres, which draws the picture's
    border out into stripes; here the map goes on as it comes from the cells within.

    Args:
        cells: at least two of them each way.
        size_px: width and height.
    """
    flow: F32 = cv2.resize(cells, size_px, interpolation=cv2.INTER_LINEAR)
    _go_on(flow, cells)
    # Up and down the same, with what the rows beside the border differ by, which goes on sideways as well.
    beyond = _beyond(size_px[1], cells.shape[0])
    k = len(beyond)
    for rows, inner, outer in ((slice(0, k), 1, 0), (slice(-1, -k - 1, -1), -2, -1)):
        if k:
            step = (cells[inner] - cells[outer])[None]
            slope = cv2.resize(step, (size_px[0], 1), interpolation=cv2.INTER_LINEAR)
            _go_on(slope, step)
            flow[rows] += beyond[:, None, None] * slope
    return flow


def _go_on(flow: F32, cells: F32) -> None:
    """Let each row of a map from pixels go straight on beyond its outermost cells, in place."""
    beyond = _beyond(flow.shape[1], cells.shape[1])
    k = len(beyond)
    for columns, inner, outer in ((slice(0, k), 1, 0), (slice(-1, -k - 1, -1), -2, -1)):
        if k:
            step = cells[:, [inner]] - cells[:, [outer]]
            slope = cv2.resize(step, (1, flow.shape[0]), interpolation=cv2.INTER_LINEAR)
            flow[:, columns] += beyond[None, :, None] * slope.reshape(-1, 1, 2)


def _beyond(n_px: int, n_cells: int) -> F32:
    """How far each pixel lies before the centre of the first cell, in cells (negative); the border first."""
    at = (np.arange(n_px, dtype=np.float32) + np.float32(0.5)) * np.float32(n_cells / n_px) - np.float32(0.5)
    return np.asarray(at[at < 0], np.float32)
