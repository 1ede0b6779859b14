"""From the raw answers of a single-shot detector to things found.

A detector looks at a square crop from the cells of several grids; each cell answers for a few boxes around
it, its anchors, as offsets from its centre. (Liu et al., "SSD", 2016; Bazarevsky et al., "BlazeFace", 2019,
which also gave the weighted mean in place of the best box alone.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core.types import F32

OVERLAP = 0.3  # boxes that share more of their union than this are one thing
_MOST_EVIDENCE = 80.0  # raw scores beyond this say no more, and would overflow


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found, in pixels of the crop or of the picture.

    Attributes:
        low_px, high_px: (2,) corners of its box.
        keypoints_px: (K, 2).
        score: in [0, 1].
    """

    low_px: F32
    high_px: F32
    keypoints_px: F32
    score: float

    def moved(self, move: Callable[[F32], F32]) -> Detection:
        """The same thing where a map that neither turns nor mirrors carries its points."""
        low, high = move(np.stack([self.low_px, self.high_px]))
        return Detection(low, high, move(self.keypoints_px), self.score)


def anchor_centres(side_px: int, grids: Sequence[tuple[int, int]]) -> F32:
    """Centres of all anchors, (N, 2) in pixels of the crop, row by row, grid after grid.

    Args:
        side_px: of the crop.
        grids: of each, the distance of its cells in pixels and how many anchors a cell has.
    """
    centres = []
    for stride_px, per_cell in grids:
        places = (np.arange(side_px // stride_px, dtype=np.float32) + 0.5) * stride_px
        x, y = np.meshgrid(places, places)
        cells = np.stack([x.ravel(), y.ravel()], axis=1)
        centres.append(np.repeat(cells, per_cell, axis=0))
    return np.concatenate(centres)


def decode(raw: F32, raw_scores: F32, centres_px: F32, min_score: float) -> list[Detection]:
    """Return what was found, best first.

    Args:
        raw: (N, 4 + 2 K): centre and size of a box, then K keypoints, all in pixels from the anchor's centre.
        raw_scores: (N,) log odds.
        centres_px: (N, 2) centres of the anchors.
        min_score: what to take for found, in [0, 1].
    """
    scores = probability(raw_scores)
    chosen = np.flatnonzero(scores >= min_score)
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
    values, scores = raw[chosen].reshape(len(chosen), raw.shape[1] // 2, 2), scores[chosen]
    points = values + centres_px[chosen, None]  # the second pair is a size, not a point
    half = values[:, 1] / 2
    corners = np.concatenate([points[:, 0] - half, points[:, 0] + half], axis=1)
    return _merged(corners, points[:, 2:], scores)


def probability(log_odds: F32) -> F32:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -_MOST_EVIDENCE, _MOST_EVIDENCE))), np.float32)


def _merged(corners: F32, keypoints: F32, scores: F32) -> list[Detection]:
    """One detection for each heap of overlapping boxes: their mean, weighted by score."""
    found = []
    left = np.arange(len(scores))
    while len(left):
        same = _overlaps(corners[left[0]], corners[left]) > OVERLAP
        same[0] = True  # a box without area overlaps nothing, itself included
        heap, left = left[same], left[~same]
        weights = scores[heap] / scores[heap].sum()
        box = weights @ corners[heap]
        points = np.tensordot(weights, keypoints[heap], axes=1)
        found.append(Detection(box[:2], box[2:], points, float(scores[heap[0]])))
    return found


def _overlaps(box: F32, others: F32) -> np.ndarray[Any, Any]:
    """Intersection over union of a (4,) box with (N, 4) others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + areas - shared
    return np.asarray(shared / np.maximum(union, 1e-9))
