"""A flow that is known on coarse cells, at every pixel: linear between cells, straight on beyond them."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from facepuppet.core.types import F32

_MOST_PX = 256  # of half a cell
# Shares of the nearest row and of the next in a row so many beyond: (1 + n, -n).
_STRAIGHT_ON = np.stack([np.arange(_MOST_PX) + 2, -np.arange(_MOST_PX) - 1], axis=1).astype(np.float32)


def enlarged(cells: F32, size_px: tuple[int, int]) -> F32:
    """Return an (h, w, 2) float32 map from the centres of cells as one from pixels, (H, W, 2).

    OpenCV repeats the outermost cells over the half cell beyond their centres, which draws the picture's
    border out into stripes; here the map goes on as it comes from the cells within.

    Args:
        cells: at least two of them each way.
        size_px: width and height.
    """
    flow: F32 = cv2.resize(cells, size_px, interpolation=cv2.INTER_LINEAR)
    width, height = size_px
    flat = flow.reshape(height, 2 * width)
    k = _beyond(height, cells.shape[0])
    if k:  # as products of matrices, for broadcasting over two channels takes several times as long
        flat[:k] = _STRAIGHT_ON[k - 1 :: -1][:k] @ flat[k : k + 2]
        flat[-k:] = _STRAIGHT_ON[:k] @ flat[-k - 1 : -k - 3 : -1]
    k = _beyond(width, cells.shape[1])
    if k:
        flat[:, : 2 * k] = flat[:, 2 * k : 2 * k + 4] @ _beside(k, from_left=False)
        flat[:, -2 * k :] = flat[:, -2 * k - 4 : -2 * k] @ _beside(k, from_left=True)
    return flow


def _beyond(n_px: int, n_cells: int) -> int:
    """How many pixels lie before the centre of the first cell, and as many behind that of the last."""
    k = max(math.ceil(n_px / n_cells / 2 - 0.5), 0)
    return k if n_px >= 2 * k + 4 else 0


@cache
def _beside(k: int, *, from_left: bool) -> F32:
    """(4, 2k) the same for two channels, of two columns beside k that go on from them."""
    near_far = _STRAIGHT_ON[:k] if from_left else _STRAIGHT_ON[:k][::-1]
    columns = near_far[:, ::-1] if from_left else near_far  # in the order in which they lie in the picture
    beside: F32 = np.kron(columns.T, np.eye(2)).astype(np.float32)
    return beside
