"""The mouth in a picture of `vrm_avatar.py`'s head: whether it smiles, by red lips and blue irises."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

WIDER, HIGHER = 1.08, 0.02  # a smile: mouth, in its own width at rest; corners, in distances between the eyes
_LEAST_PICTURES = 3  # of either
_LEAST_IRIS_PX = 15  # of an open eye's


@dataclass(frozen=True)
class Window:
    """Some seconds of a clip."""

    from_s: float
    to_s: float

    @classmethod
    def of(cls, word: str) -> Window:
        """Read `A-B`."""
        begin, _, end = word.partition("-")
        return cls(float(begin), float(end))


@dataclass(frozen=True)
class Mouth:
    """A mouth in a picture, in distances between the irises.

    Attributes:
        t_s: when, by the performer's clock.
        width: from corner to corner.
        lift: of the corners above the middle of the lips.
    """

    t_s: float
    width: float
    lift: float


def mouth_of(t_s: float, screenshot: bytes) -> Mouth | None:
    """Measure the mouth in a picture; None where an eye is shut or no lips are seen."""
    rgb = np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB")).astype(np.int32)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    lips = np.argwhere((red > 150) & (green < 60) & (blue < 60)).astype(float)
    irises = _irises((blue > 150) & (red < 60) & (green < 60))
    if len(irises) != 2 or len(lips) < 50:
        return None
    left, right = irises
    apart_px = float(np.hypot(*(right - left)))
    along, down = _axes(lips - (left + right) / 2, (right - left) / apart_px)
    ends = np.quantile(along, [0.03, 0.97])
    corners = np.mean([down[along <= ends[0]].mean(), down[along >= ends[1]].mean()])
    within = np.abs(along - ends.mean()) < 0.15 * (ends[1] - ends[0])
    return Mouth(t_s, float(np.ptp(along)) / apart_px, float(down[within].mean() - corners) / apart_px)


def _irises(blue: Any) -> list[Any]:
    """Middles, row and column, of the spots that are large enough, from left to right."""
    _, _, stats, middles = cv2.connectedComponentsWithStats(blue.astype(np.uint8))
    large = [
        middle[::-1]
        for size, middle in zip(stats[1:, cv2.CC_STAT_AREA], middles[1:], strict=True)
        if size >= _LEAST_IRIS_PX
    ]
    return sorted(large, key=lambda middle: float(middle[1]))


def _axes(points: Any, along: Any) -> tuple[Any, Any]:
    """Part (N, 2) rows and columns by the eyes' line: along it, and down from it."""
    y, x = along
    return points @ np.array([y, x]), points @ np.array([x, -y])


def smiles(mouths: Sequence[Mouth], rest: Window, smile: Window) -> tuple[bool, str]:
    """Whether the mouth of the smile is a smile against that at rest, and how much, in words."""

    def mean(window: Window) -> tuple[float, float, int]:
        within = [one for one in mouths if window.from_s <= one.t_s <= window.to_s]
        if len(within) < _LEAST_PICTURES:
            return np.nan, np.nan, len(within)
        return *np.mean([(one.width, one.lift) for one in within], axis=0).tolist(), len(within)

    (width_0, lift_0, n_0), (width_1, lift_1, n_1) = mean(rest), mean(smile)
    told = f"width {width_0:.3f} → {width_1:.3f}, corners {lift_0:+.3f} → {lift_1:+.3f}"
    good = bool(width_1 > WIDER * width_0 and lift_1 > lift_0 + HIGHER)
    return good, f"{told}; {n_0} and {n_1} pictures"
