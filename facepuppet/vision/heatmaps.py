"""Landmarks of the body, moved to where their heat maps have their weight."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import F32
from facepuppet.vision.detections import probability

# Cells to each side of the landmark that are looked at. MediaPipe 0.10.21's graph asks for a kernel of 7, but
# what it answers is that of 9, the calculator's own default: 0.02 px of the crop off at most, 0.8 with 7.
_REACH = 4
_MIN_CONFIDENCE = 0.5  # of the warmest of them, else the landmark stays


def refined(points: F32, heatmaps: F32) -> F32:
    """Move landmarks to the mean place of the heat around them (MediaPipe, RefineLandmarksFromHeatmap).

    Args:
        points: (N, 2) in shares of the crop's sides.
        heatmaps: (N, h, w) log odds, one map for each.

    Returns:
        (N, 2) in shares of the crop's sides.
    """
    height, width = heatmaps.shape[1:]
    moved = points.copy()
    for index, (x, y) in enumerate(points):
        column, row = int(x * width), int(y * height)
        if not (0 <= column < width and 0 <= row < height):
            continue
        left, top = max(0, column - _REACH), max(0, row - _REACH)
        part = heatmaps[index, top : row + _REACH + 1, left : column + _REACH + 1]
        heat = probability(part)
        if heat.max() < _MIN_CONFIDENCE:
            continue
        rows, columns = np.indices(heat.shape)
        total = heat.sum()
        moved[index] = (
            ((columns + left) * heat).sum() / total / width,
            ((rows + top) * heat).sum() / total / height,
        )
    return moved
