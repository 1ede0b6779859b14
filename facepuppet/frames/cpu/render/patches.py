"""Small picture operations shared by the eye and mouth layers."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8

_SUBPIXEL_BITS = 4


def polygon_mask(points_px: F32, origin_px: tuple[int, int], size_px: tuple[int, int]) -> U8:
    """Anti-aliased coverage (h, w) uint8 of a closed polygon, in a region of the picture."""
    width, height = size_px
    mask = np.zeros((height, width), np.uint8)
    local = (points_px - np.array(origin_px, np.float32)) * (1 << _SUBPIXEL_BITS)
    cv2.fillPoly(mask, [np.round(local).astype(np.int32)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask


def region_around(
    points_px: F32, margin_px: float, picture_size_px: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Bounding box (x, y, width, height) inside the picture; None when nothing of it is left."""
    low = np.maximum(np.floor(points_px.min(0) - margin_px), 0).astype(int)
    high = np.minimum(np.ceil(points_px.max(0) + margin_px) + 1, picture_size_px).astype(int)
    width, height = (high - low).tolist()
    if width < 2 or height < 2:
        return None
    return int(low[0]), int(low[1]), width, height


def sample(picture: U8, picture_from_box: F32, size_px: tuple[int, int]) -> U8:
    """Cut a box of (width, height) out of a picture by a (2, 3) map; borders are repeated."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut: U8 = cv2.warpAffine(picture, picture_from_box, size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cut


def blend_into(region: U8, colour: U8, coverage: U8) -> None:
    """Blend (h, w, 3) colour over region (h, w, 3 or 4), in place, by uint8 coverage (h, w)."""
    share = cv2.merge([coverage] * 3)
    new = cv2.multiply(colour, share, scale=1 / 255)
    # OpenCV takes channels apart several times faster than strided NumPy.
    below = cv2.cvtColor(region, cv2.COLOR_RGBA2RGB) if region.shape[2] == 4 else region
    old = cv2.multiply(below, 255 - share, scale=1 / 255)
    cv2.mixChannels([cv2.add(new, old)], [region], [0, 0, 1, 1, 2, 2])


def lay_layer(region: U8, layer: U8) -> None:
    """Put a premultiplied (h, w, 4) layer over a region of the same shape, in place."""
    clear = 255 - cv2.extractChannel(layer, 3)
    region[:] = cv2.add(cv2.multiply(region, cv2.merge([clear] * 4), scale=1 / 255), layer)


def fill_unknown(picture: F32, known: F32) -> F32:
    """Fill where known is 0 from where it is 1, by normalised blurs from fine to coarse.

    Args:
        picture: (h, w, C) float32.
        known: (h, w) float32 in [0, 1].
    """
    filled = picture * known[..., None]
    weight = known.copy()
    result, trust = filled.copy(), weight.copy()
    sigma, largest = 1.0, max(picture.shape[:2])
    while sigma < largest and trust.min() < 0.999:
        blurred = cv2.GaussianBlur(filled, (0, 0), sigma)
        blurred_weight = cv2.GaussianBlur(weight, (0, 0), sigma)
        estimate = blurred / np.maximum(blurred_weight, 1e-6)[..., None]
        confident = np.clip(blurred_weight / 0.05, 0.0, 1.0) * (1.0 - trust)
        result += estimate * confident[..., None]
        trust += confident
        sigma *= 2.0
    return np.asarray(result / np.maximum(trust, 1e-6)[..., None], dtype=np.float32)


def to_u8(picture: F32) -> U8:
    """Round and clip to uint8."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
