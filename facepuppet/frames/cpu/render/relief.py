"""Layers with depth, placed in a picture: what lies deeper moves otherwise when head or jaw turn.

A layer's surface is z = level + slope · y + curve(x). A point of it goes to c + M · (x, y, z), so its
picture is an affine map of (x, y), after which columns slide apart, each as its curve bids:
u = x + t₀ · curve(x), v = y + t₁ · curve(x). Rows need no search, and columns are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8
from facepuppet.face.mouth_model import WIDTH_CM

COLUMNS = 128  # entries of the look-up table over WIDTH_CM
_EDGE_CM = 0.4  # over which a row fades towards where it bends out of sight
_REPEATED = cv2.BORDER_REPLICATE


@dataclass(frozen=True, slots=True)
class PlacedLayer:
    """Where one layer is drawn.

    Attributes:
        columns_from_box: (2, 3) float32, pixels of a region to entries of `columns` and rows of the patch.
        columns: (COLUMNS, 3) float32, the patch's column there, what is added to the row, and how much of it
            is seen, 0 where the row has bent out of sight.
    """

    columns_from_box: F32
    columns: F32


class Relief:
    """One layer in the portrait's colours.

    Args:
        rgba: (h, w, 4) uint8, premultiplied; its rim is transparent unless it goes on for ever.
        px_per_cm: of rgba.
        top_cm: y of its upper edge.
        level_cm, slope: the plane that its surface bends away from.
        curve_cm: (n,) how far it does, evenly over WIDTH_CM; None for a flat layer.

    Attributes:
        rgba, px_per_cm, top_cm: the same.
    """

    def __init__(
        self, rgba: U8, px_per_cm: float, top_cm: float, level_cm: float, slope: float, curve_cm: F32 | None
    ) -> None:
        self.rgba, self.px_per_cm, self.top_cm = rgba, px_per_cm, top_cm
        self._level, self._slope, self._curve = level_cm, slope, curve_cm
        self._entries = np.linspace(-WIDTH_CM / 2, WIDTH_CM / 2, COLUMNS)
        self._at = (
            self._entries if curve_cm is None else np.linspace(-WIDTH_CM / 2, WIDTH_CM / 2, len(curve_cm))
        )
        still = [(self._entries + WIDTH_CM / 2) * px_per_cm - 0.5, np.zeros(COLUMNS), np.ones(COLUMNS)]
        self._still = np.column_stack(still).astype(np.float32)

    def repainted(self, rgba: U8) -> Relief:
        """Return the same surface with other colours, and more or fewer rows."""
        return Relief(rgba, self.px_per_cm, self.top_cm, self._level, self._slope, self._curve)

    def points_cm(self) -> F32:
        """(h, w, 3) where each pixel's point lies."""
        height, width = self.rgba.shape[:2]
        x = (np.arange(width, dtype=np.float32) + 0.5) / self.px_per_cm - WIDTH_CM / 2
        y = (np.arange(height, dtype=np.float32) + 0.5) / self.px_per_cm + self.top_cm
        curve = np.zeros_like(x) if self._curve is None else np.interp(x, self._at, self._curve)
        x, y = np.meshgrid(x, y)
        points: F32 = np.stack([x, y, self._level + self._slope * y + curve], -1).astype(np.float32)
        return points

    def place(self, linear: F32, origin_px: F32, box_px: tuple[int, int, int, int]) -> PlacedLayer:
        """Place the layer in a region of the picture.

        Args:
            linear: (2, 3) px of the picture from cm.
            origin_px: (2,) where the layers' common origin goes.
            box_px: the region's x, y, width and height.
        """
        (a, b, deep_x), (c, d, deep_y) = linear.tolist()
        b, d = b + deep_x * self._slope, d + deep_y * self._slope
        # Numbers of Python, for arrays of 2 cost more than the sums. (xx, xy, yx, yy) is the inverse.
        determinant = a * d - b * c
        xx, xy, yx, yy = d / determinant, -b / determinant, -c / determinant, a / determinant
        along, down = xx * deep_x + xy * deep_y, yx * deep_x + yy * deep_y
        origin_x, origin_y = origin_px.tolist()
        x = box_px[0] - origin_x - deep_x * self._level
        y = box_px[1] - origin_y - deep_y * self._level
        entries, rows = (COLUMNS - 1) / WIDTH_CM, self.px_per_cm
        from_box = np.array(
            [
                [entries * xx, entries * xy, entries * (xx * x + xy * y) + (COLUMNS - 1) / 2],
                [rows * yx, rows * yy, rows * (yx * x + yy * y - self.top_cm) - 0.5],
            ],
            np.float32,
        )
        return PlacedLayer(from_box, self._columns(along, down))

    def _columns(self, along: float, down: float) -> F32:
        """Table (COLUMNS, 3), see `PlacedLayer`, for points that depth moves by so many cm a cm."""
        if self._curve is None:
            return self._still
        at, middle = self._at, len(self._at) // 2
        u = at + along * self._curve
        # What bends out of sight keeps the place of what hides it.
        seen = None
        for sign, outward in ((1.0, np.s_[middle:]), (-1.0, np.s_[middle::-1])):
            reach = sign * u[outward]
            farthest = np.maximum.accumulate(reach)
            u[outward] = sign * farthest
            hidden = np.flatnonzero(reach < farthest)
            if len(hidden):
                seen = np.ones(len(at), np.float32) if seen is None else seen
                seen[outward] = smoothstep((farthest[-1] - farthest) / _EDGE_CM)
                seen[outward][hidden[0] :] = 0.0
        x = np.interp(self._entries, u, at)
        columns = np.ones((COLUMNS, 3), np.float32)
        columns[:, 0] = (x + WIDTH_CM / 2) * self.px_per_cm - 0.5
        columns[:, 1] = -down * self.px_per_cm * np.interp(x, at, self._curve)
        if seen is not None:
            columns[:, 2] = np.interp(x, at, seen)
        return columns

    def sample(self, placed: PlacedLayer, size_px: tuple[int, int]) -> U8:
        """Cut a region of (width, height) out, (h, w, 4) premultiplied."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        along = placed.columns_from_box.copy()
        if self._curve is None:
            step = WIDTH_CM / (COLUMNS - 1) * self.px_per_cm
            along[0] *= step
            along[0, 2] -= 0.5
            return _cut(cv2.warpAffine(self.rgba, along, size_px, flags=flags, borderMode=_REPEATED))
        along[1] = 0.0
        hidden = bool(placed.columns[:, 2].min() < 1.0)
        table = np.repeat(placed.columns[None, :, : 3 if hidden else 2], 2, axis=0)
        column, row, *seen = cv2.split(
            cv2.warpAffine(table, along, size_px, flags=flags, borderMode=_REPEATED)
        )
        a, b, c = placed.columns_from_box[1]
        rows = (b * np.arange(size_px[1], dtype=np.float32) + c)[:, None]
        row += rows + a * np.arange(size_px[0], dtype=np.float32)
        cut = cv2.remap(self.rgba, column, row, cv2.INTER_LINEAR, borderMode=_REPEATED)
        if hidden:
            share = cv2.convertScaleAbs(seen[0], alpha=255.0)
            cut = cv2.multiply(cut, cv2.merge([share] * 4), scale=1 / 255)
        return _cut(cut)


def _cut(picture: object) -> U8:
    return np.asarray(picture, np.uint8)
