"""A picture at its place on the canvas, or any part of one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import U8
from facepuppet.frames.cpu.compose.blend import lay_over
from facepuppet.frames.cpu.compose.spans import overlap, seen_from


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture and where it lies.

    Attributes:
        picture: (h, w, 3) RGB, or (h, w, 4) with premultiplied alpha.
        rows, columns: of the canvas, as many as the picture has.
        alpha: (h, w) the same as the picture's, where somebody took it out already.
    """

    picture: U8
    rows: slice
    columns: slice
    alpha: U8 | None = None

    def within(self, rows: slice, columns: slice | None = None) -> Placed:
        """Return what lies in these rows and columns, in all columns if None; perhaps nothing."""
        down, across = overlap(self.rows, rows), overlap(self.columns, columns or self.columns)
        if down.start == down.stop:
            across = slice(across.start, across.start)
        own = seen_from(down, self.rows.start), seen_from(across, self.columns.start)
        return Placed(self.picture[own], down, across)

    def trimmed(self) -> Placed:
        """Return the columns of a picture with alpha outside of which there is nothing."""
        if not self.picture.size:
            return self
        alpha = np.asarray(cv2.extractChannel(self.picture, 3), np.uint8)
        x, _, width, _ = cv2.boundingRect(alpha)
        start, own = self.columns.start + x, np.s_[:, x : x + width]
        return Placed(self.picture[own], self.rows, slice(start, start + width), alpha[own])

    def lay_on(self, canvas: Placed) -> None:
        """Lay it over an opaque picture that holds its place, or put it there if it has no alpha."""
        if not self.picture.size:
            return
        own = seen_from(self.rows, canvas.rows.start), seen_from(self.columns, canvas.columns.start)
        if self.picture.shape[2] == 4:
            lay_over(self.picture, canvas.picture[own], self.alpha)
        else:
            canvas.picture[own] = self.picture

    def flipped(self, width: int) -> Placed:
        """Return it where it lies, and as it looks, once the canvas of this width is flipped."""
        columns = slice(width - self.columns.stop, width - self.columns.start)
        return Placed(np.asarray(cv2.flip(self.picture, 1), np.uint8), self.rows, columns)
