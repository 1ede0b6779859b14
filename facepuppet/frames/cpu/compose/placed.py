"""A picture with alpha at its place on the canvas, or any part of one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.i420 import Planes, part_of
from facepuppet.core.types import U8
from facepuppet.frames.cpu.compose.blend import lay_over, lay_over_i420


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture and where it lies.

    Attributes:
        rgba: (h, w, 4) with premultiplied alpha.
        rows, columns: of the canvas, as many as the picture has.
    """

    rgba: U8
    rows: slice
    columns: slice

    def within(self, rows: slice, columns: slice) -> Placed:
        """Return what lies in these rows and columns; perhaps nothing."""
        down, across = _overlap(self.rows, rows), _overlap(self.columns, columns)
        top, left = self.rows.start, self.columns.start
        own = self.rgba[down.start - top : down.stop - top, across.start - left : across.stop - left]
        return Placed(own, down, across)

    def evened(self) -> Placed:
        """Return it with clear pixels around it, so that rows and columns start and stop at even numbers."""
        rows, columns = widened(self.rows), widened(self.columns)
        above, left = self.rows.start - rows.start, self.columns.start - columns.start
        below, right = rows.stop - self.rows.stop, columns.stop - self.columns.stop
        clear = cv2.copyMakeBorder(self.rgba, above, below, left, right, cv2.BORDER_CONSTANT)
        return Placed(np.asarray(clear, np.uint8), rows, columns)

    def seen(self, height: int) -> list[Seen]:
        """Return all of it that is not clear, in strips of so many rows of the canvas, an even number."""
        tops = range(self.rows.start - self.rows.start % height, self.rows.stop, height)
        strips = [self.within(slice(top, top + height), self.columns) for top in tops]
        return [seen for strip in strips if (seen := _seen(strip)) is not None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that covers something of what is behind it.

    Attributes:
        placed: where.
        alpha: (h, w) its own.
    """

    placed: Placed
    alpha: U8

    def flipped(self, width: int) -> Seen:
        """Return it as it looks, and where it lies, once a canvas of this width is flipped."""
        rgba, alpha = (np.asarray(cv2.flip(one, 1), np.uint8) for one in (self.placed.rgba, self.alpha))
        columns = slice(width - self.placed.columns.stop, width - self.placed.columns.start)
        return Seen(Placed(rgba, self.placed.rows, columns), alpha)

    def lay_on(self, canvas: U8) -> None:
        """Lay it over a whole canvas (H, W, 3)."""
        placed = self.placed
        lay_over(placed.rgba, canvas[placed.rows, placed.columns], self.alpha)

    def lay_on_i420(self, canvas: Planes) -> None:
        """Lay it over a whole canvas; its rows and columns start and stop at even numbers."""
        placed = self.placed
        lay_over_i420(placed.rgba, part_of(canvas, placed.rows, placed.columns), self.alpha)

    def hide(self, seen: U8) -> None:
        """Lower how much of what is behind a whole canvas (H, W) is still seen, 255 for all."""
        area = seen[self.placed.rows, self.placed.columns]
        cv2.multiply(area, cv2.bitwise_not(self.alpha), scale=1 / 255, dst=area)


def _seen(placed: Placed) -> Seen | None:
    """Return the columns outside of which all is clear, an even number from an even one on."""
    if not placed.rgba.size:
        return None
    alpha = np.asarray(cv2.extractChannel(placed.rgba, 3), np.uint8)
    x, _, width, _ = cv2.boundingRect(alpha)
    if not width:
        return None
    left = placed.columns.start
    columns = _overlap(widened(slice(left + x, left + x + width)), placed.columns)
    own = np.s_[:, columns.start - left : columns.stop - left]
    return Seen(Placed(placed.rgba[own], placed.rows, columns), alpha[own])


def widened(span: slice, size: int | None = None) -> slice:
    """Return rows or columns with the next even number on either side, but none beyond `size`."""
    stop = span.stop + span.stop % 2
    return slice(span.start - span.start % 2, stop if size is None else min(stop, size))


def _overlap(one: slice, other: slice) -> slice:
    """Return what is in both; of length 0 where there is nothing."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))
