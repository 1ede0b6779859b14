"""Triangles on a grid: which one covers each cell, and what its corners say there.

A picture of triangle numbers costs a few passes over all rows of all triangles at once; a loop that
draws them one by one takes three times as long for the 900 triangles of a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32

_FLAT = 1e-9  # height below which an edge crosses no row


@dataclass(frozen=True, slots=True)
class _Spans:
    """Runs of cells, one or none for each row of each triangle, in the order of drawing.

    Attributes:
        triangle: (S,) which triangle each belongs to, by its place in the order.
        row, first, length: (S,) where it lies.
    """

    triangle: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    length: npt.NDArray[np.int32]


def draw_numbers(triangles: F32, order: npt.NDArray[np.intp], grid: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Draw triangles in the given order, each over those before it.

    A cell belongs to a triangle if its centre does; of two triangles that share an edge exactly one has it.

    Args:
        triangles: (T, 3, 2) corners, in cells; centres of cells are whole numbers.
        order: (T,) which to draw first.
        grid: columns and rows.

    Returns:
        (rows, columns) their numbers + 1, 0 outside.
    """
    columns, rows = grid
    spans = _spans(triangles[order], columns, rows)
    ends = np.cumsum(spans.length)
    # Cell k of all is cell k - (cells before its span) of that span.
    start = spans.row * np.int64(columns) + spans.first - (ends - spans.length)
    cells = np.repeat(start, spans.length)
    cells += np.arange(len(cells))
    numbers = np.zeros(rows * columns, np.int32)
    # Where an index is repeated, NumPy leaves the last value: what is drawn later covers what was there.
    numbers[cells] = np.repeat((order + 1).astype(np.int32)[spans.triangle], spans.length)
    return numbers.reshape(rows, columns)


def _spans(triangles: F32, columns: int, rows: int) -> _Spans:
    """Cut triangles (T, 3, 2) at the height of their middle corner; each half lies between two edges."""
    heights, at = triangles[..., 1], np.arange(len(triangles))
    top, bottom = heights.argmin(1), heights.argmax(1)
    middle = 3 - top - bottom  # of level triangles, which cover nothing, it may name no corner
    by_height = np.stack([top, np.minimum(middle, 2), bottom], axis=1)
    x, y = (triangles[at[:, None], by_height, axis] for axis in (0, 1))
    # The long edge, then the edges of the upper and of the lower half.
    tops, bottoms = [0, 0, 1], [2, 1, 2]
    slope = (x[:, bottoms] - x[:, tops]) / np.maximum(y[:, bottoms] - y[:, tops], _FLAT)
    offset = x[:, tops] - slope * y[:, tops]
    bounds = np.clip(np.ceil(y), 0, rows).astype(np.int32)
    n_rows = np.diff(bounds, axis=1).ravel()  # of each half
    half = np.repeat(np.arange(len(n_rows), dtype=np.int32), n_rows)
    before = np.cumsum(n_rows, dtype=np.int32) - n_rows
    row = np.arange(len(half), dtype=np.int32) + np.take(bounds[:, :2].ravel() - before, half)
    height, triangle = row.astype(np.float32), half >> 1
    long = np.take(slope[:, 0], triangle) * height + np.take(offset[:, 0], triangle)
    short = np.take(slope[:, 1:].ravel(), half) * height + np.take(offset[:, 1:].ravel(), half)
    first, stop = (
        np.clip(np.ceil(edge), 0, columns).astype(np.int32)
        for edge in (np.minimum(long, short), np.maximum(long, short))
    )
    return _Spans(triangle, row, first, stop - first)


def affine_table(
    triangles: F32, attributes: F32, chosen: npt.NDArray[np.intp] | None = None, length: int | None = None
) -> F32:
    """Coefficients with attribute = c0·x + c1·y + c2 inside each triangle, by triangle number.

    Args:
        triangles: (T, 3, 2) corners.
        attributes: (T, 3, A) at the corners.
        chosen: (T,) numbers of these triangles among `length` ones; None is all, in order.
        length: of the whole.

    Returns:
        (1 + length, 3, A) float32; row 0, for what is outside, and rows not chosen are 0.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, ac = b - a, c - a
    determinant = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    inverse = 1.0 / np.where(np.abs(determinant) < 1e-6, 1e-6, determinant)
    d_ab, d_ac = attributes[:, 1] - attributes[:, 0], attributes[:, 2] - attributes[:, 0]
    gx = (d_ab * ac[:, 1:2] - d_ac * ab[:, 1:2]) * inverse[:, None]
    gy = (d_ac * ab[:, 0:1] - d_ab * ac[:, 0:1]) * inverse[:, None]
    offset = attributes[:, 0] - gx * a[:, 0:1] - gy * a[:, 1:2]
    table = np.zeros((1 + (length or len(triangles)), 3, attributes.shape[2]), np.float32)
    table[1:][slice(None) if chosen is None else chosen] = np.stack([gx, gy, offset], axis=1)
    return table


def sample_affine(
    table: F32, numbers: npt.NDArray[np.int32], origin: tuple[float, float] = (0.0, 0.0), step: int = 1
) -> F32:
    """Evaluate attributes in every cell of a picture of triangle numbers.

    Args:
        table: (1 + T, 3, A) of `affine_table`.
        numbers: (h, w) int32.
        origin: x and y of the first cell.
        step: distance of the cells.

    Returns:
        (h, w, A) float32.
    """
    height, width = numbers.shape
    n_attributes = table.shape[2]
    x = np.repeat(np.float32(origin[0]) + step * np.arange(width, dtype=np.float32), n_attributes)
    y = np.float32(origin[1]) + step * np.arange(height, dtype=np.float32)[:, None]
    # Halves of a little-endian number below 2¹⁵: column and row of the table as a picture of one row, out of
    # which OpenCV gathers groups of channels in a third of NumPy's time.
    at = np.ascontiguousarray(numbers).astype("<i4", copy=False).view("<i2").reshape(height, width, 2)
    by_x, by_y, offset = (
        cv2.remap(np.ascontiguousarray(table[None, :, i]), at, None, cv2.INTER_NEAREST).reshape(height, -1)
        for i in range(3)
    )
    by_x *= x
    by_y *= y
    by_x += by_y
    by_x += offset
    sampled: F32 = by_x.reshape(height, width, n_attributes)
    return sampled
