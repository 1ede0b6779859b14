"""The texture a moved person is sampled from: what a picture shows of them, and what goes on around it."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import U8
from facepuppet.frames.cpu.render.cutout import Cutout
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.beyond import Beyond, Margins

# In inter-ocular distances, in which motion is limited; the last of the picture's side, to save memory:
_BESIDE, _ABOVE, _BELOW, _MOST = 0.7, 1.6, 0.7, 0.3
_LEAST_PX = 4  # clear pixels at least, which then stand for all that is farther out
_RIM = 0.02  # of the longer side: over so much a rim of background ends beyond the picture


def needed_margins(avatar: Avatar) -> Margins:
    """Return how far around a portrait's picture motion may look."""
    width, height = avatar.size_px
    unit = avatar.inter_ocular_px
    beside, above, below = (
        _LEAST_PX + round(min(share * unit, _MOST * side))
        for share, side in ((_BESIDE, width), (_ABOVE, height), (_BELOW, height))
    )
    return Margins(beside, above, beside, below)


def moving_texture(cutout: Cutout, plate_rgb: U8, beyond: Beyond, margins: Margins, scale: int) -> U8:
    """Return the premultiplied RGBA texture of a cutout with what goes on of the person around it.

    Args:
        cutout: what moves of the portrait.
        plate_rgb: (H, W, 3) its background, of which a cutout may have a rim.
        beyond: the person in the picture and its margins.
        margins: those.
        scale: enlargement, by a Lanczos kernel.

    Returns:
        ((top + H + bottom) · scale, (left + W + right) · scale, 4) uint8.
    """
    height, width = cutout.alpha.shape
    rgb, alpha = _rim_beyond(cutout, plate_rgb, beyond, margins)
    inside = np.s_[margins.top : margins.top + height, margins.left : margins.left + width]
    rgb[inside], alpha[inside] = cutout.rgb, cutout.alpha
    if scale > 1:
        size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    # OpenCV multiplies levels in a tenth of NumPy's time, with the same result: no product of two is a tie.
    colour = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(colour), alpha]), np.uint8)


def _rim_beyond(cutout: Cutout, plate_rgb: U8, beyond: Beyond, margins: Margins) -> tuple[U8, U8]:
    """Return colours and coverage with the cutout's rim of background, ending softly, in the margins."""
    height, width = cutout.alpha.shape
    around = (margins.top, margins.bottom, margins.left, margins.right)
    away = cv2.copyMakeBorder(np.zeros_like(cutout.alpha), *around, cv2.BORDER_CONSTANT, value=(1,))
    away_px = np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, 5), np.float32)
    reach_px = max(6.0, _RIM * max(height, width))
    rim = cv2.copyMakeBorder(cutout.alpha, *around, cv2.BORDER_REPLICATE)
    rgb, alpha = beyond.rgb.copy(), beyond.alpha.copy()
    at = np.nonzero((away_px > 0) & (away_px < reach_px) & (rim > alpha))
    person = alpha[at].astype(np.float32) / 255
    both = person + (1 - person) * smoothstep(1.0 - away_px[at] / reach_px) * rim[at] / 255
    plate = cv2.copyMakeBorder(plate_rgb, *around, cv2.BORDER_REFLECT_101)[at].astype(np.float32)
    rgb[at] = np.rint(plate + (person / np.maximum(both, 1e-3))[:, None] * (rgb[at] - plate))
    alpha[at] = np.rint(255 * both)
    return rgb, alpha
