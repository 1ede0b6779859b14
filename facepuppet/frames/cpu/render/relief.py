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
_EDGE_ON = 0.45  # of its width seen from the front: a surface seen narrower fades


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


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """One layer in the portrait's colours.

    Attributes:
        rgba: (h, w, 4) uint8, premultiplied; its rim is transparent unless it goes on for ever.
        px_per_cm: of rgba.
        top_cm: y of its upper edge.
        level_cm, slope, curve_cm: its surface.
    """

    rgba: U8
    px_per_cm: float
    top_cm: float
    level_cm: float
    slope: float
    curve_cm: F32

    def points_cm(self) -> F32:
        """(h, w, 3) where each pixel's point lies."""
        height, width = self.rgba.shape[:2]
        x = (np.arange(width, dtype=np.float32) + 0.5) / self.px_per_cm - WIDTH_CM / 2
        y = (np.arange(height, dtype=np.float32) + 0.5) / self.px_per_cm + self.top_cm
        curve = np.interp(x, _curve_at(self.curve_cm), self.curve_cm)
        x, y = np.meshgrid(x, y)
        return np.stack([x, y, self.level_cm + self.slope * y + curve], -1).astype(np.float32)

    def place(self, linear: F32, origin_px: F32, box_px: tuple[int, int, int, int]) -> PlacedLayer:
        """Place the layer in a region of the picture.

        Args:
            linear: (2, 3) px of the picture from cm.
            origin_px: (2,) where the layers' common origin goes.
            box_px: the region's x, y, width and height.
        """
        flat = linear[:, :2] + np.outer(linear[:, 2], (0.0, self.slope))
        inverse = np.linalg.inv(flat)
        along, down = (inverse @ linear[:, 2]).tolist()
        start = inverse @ (box_px[:2] - origin_px - linear[:, 2] * self.level_cm)
        at = _curve_at(self.curve_cm)
        u, middle = at + along * self.curve_cm, len(at) // 2
        # What bends out of sight keeps the place of what hides it.
        seen = smoothstep(np.gradient(u, at) / _EDGE_ON)
        u[middle:] = np.maximum.accumulate(u[middle:])
        u[middle::-1] = np.minimum.accumulate(u[middle::-1])
        seen[middle:] = np.minimum.accumulate(seen[middle:])
        seen[middle::-1] = np.minimum.accumulate(seen[middle::-1])
        entry = np.linspace(-WIDTH_CM / 2, WIDTH_CM / 2, COLUMNS)
        x = np.interp(entry, u, at)
        column = (x + WIDTH_CM / 2) * self.px_per_cm - 0.5
        shift = -down * self.px_per_cm * np.interp(x, at, self.curve_cm)
        from_box = np.column_stack([inverse, start])
        from_box[0] *= (COLUMNS - 1) / WIDTH_CM
        from_box[0, 2] += (COLUMNS - 1) / 2
        from_box[1] *= self.px_per_cm
        from_box[1, 2] -= self.top_cm * self.px_per_cm + 0.5
        columns = np.column_stack([column, shift, np.interp(x, at, seen)])
        return PlacedLayer(from_box.astype(np.float32), columns.astype(np.float32))

    def sample(self, placed: PlacedLayer, size_px: tuple[int, int]) -> U8:
        """Cut a region of (width, height) out, (h, w, 4) premultiplied."""
        width, height = size_px
        along = placed.columns_from_box.copy()
        along[1] = 0.0
        table = np.repeat(placed.columns[None], 2, axis=0)
        where = cv2.warpAffine(
            table,
            along,
            size_px,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        a, b, c = placed.columns_from_box[1]
        rows = (b * np.arange(height, dtype=np.float32) + c)[:, None] + a * np.arange(width, dtype=np.float32)
        column, row, seen = cv2.split(where)
        row = cv2.add(row, rows)
        cut = cv2.remap(self.rgba, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if placed.columns[:, 2].min() < 1.0:
            share = cv2.convertScaleAbs(seen, alpha=255.0)
            cut = cv2.multiply(cut, cv2.merge([share] * 4), scale=1 / 255)
        return np.asarray(cut, np.uint8)


def _curve_at(curve: F32) -> F32:
    return np.linspace(-WIDTH_CM / 2, WIDTH_CM / 2, len(curve), dtype=np.float32)
