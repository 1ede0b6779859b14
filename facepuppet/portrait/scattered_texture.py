"""Fine texture for what was made up: small pieces of what there is, laid over each other in any order.

Cloth, grain and brushwork come out as they are; whatever stands out of them is not lent.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8

_CANDIDATES = 120  # places that lend
_LIVELIEST = 1.6  # a piece this many times as lively as the usual one shows a thing, no texture
_JITTER = 8.0  # colour levels by which a worse fitting piece may still be taken


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Places that lend a piece.

    Attributes:
        texture: (n, side, side, 3) float32, of mean 0.
        colours: (n, 3) float32 broad colours there.
    """

    texture: F32
    colours: F32


def scatter(rgb: U8, broad: U8, lends: npt.NDArray[np.bool_], wanted: U8, side_px: int) -> F32:
    """Return a fine texture (h, w, 3) float32, of mean 0, for an area of given broad colours.

    Args:
        rgb: (H, W, 3) picture.
        broad: (H, W, 3) its broad colours.
        lends: (H, W) where it may lend from.
        wanted: (h, w, 3) broad colours of the area; pieces come from places of like colour.
        side_px: of a piece.
    """
    random = np.random.default_rng(0)  # the same portrait shall always look the same
    pieces = _pieces(rgb, broad, lends, side_px, random)
    height, width = wanted.shape[:2]
    total = np.zeros((height + 2 * side_px, width + 2 * side_px, 3), np.float32)
    energy = np.full(total.shape[:2], 1e-3, np.float32)
    if not len(pieces.texture):
        return np.zeros((height, width, 3), np.float32)
    ramp = np.sin(np.pi * (np.arange(side_px, dtype=np.float32) + 0.5) / side_px)
    weight = np.outer(ramp, ramp).astype(np.float32)
    step = max(side_px // 2, 1)
    for y in range(0, height + step, step):
        for x in range(0, width + step, step):
            colour = wanted[min(y, height - 1), min(x, width - 1)].astype(np.float32)
            unlike = np.linalg.norm(pieces.colours - colour, axis=1)
            piece = int((unlike + _JITTER * random.random(len(unlike))).argmin())
            total[y : y + side_px, x : x + side_px] += weight[..., None] * pieces.texture[piece]
            energy[y : y + side_px, x : x + side_px] += weight**2
    texture = total / np.sqrt(energy)[..., None]
    return np.ascontiguousarray(texture[step : step + height, step : step + width])


def _pieces(
    rgb: U8, broad: U8, lends: npt.NDArray[np.bool_], side_px: int, random: np.random.Generator
) -> _Pieces:
    half = side_px // 2
    inner = np.zeros_like(lends)
    height, width = lends.shape
    whole = cv2.erode(lends.astype(np.uint8), np.ones((side_px, side_px), np.uint8), borderValue=0)
    inner[half : height - half - 1, half : width - half - 1] = True
    places = np.argwhere((whole > 0) & inner)
    if not len(places):
        return _Pieces(np.zeros((0, side_px, side_px, 3), np.float32), np.zeros((0, 3), np.float32))
    places = places[random.integers(0, len(places), _CANDIDATES)]
    windows = [
        np.s_[y - half : y - half + side_px, x - half : x - half + side_px] for y, x in places.tolist()
    ]
    texture = np.stack([rgb[at].astype(np.float32) - broad[at] for at in windows])
    texture -= texture.mean(axis=(1, 2), keepdims=True)
    liveliness = np.sqrt((texture**2).mean(axis=(1, 2, 3)))
    calm = liveliness <= _LIVELIEST * np.median(liveliness) + 0.5
    return _Pieces(texture[calm], broad[places[calm, 0], places[calm, 1]].astype(np.float32))
