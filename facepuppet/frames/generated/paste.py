"""Laying a picture of the head into the moved portrait, behind a soft mask.

The network draws the inside of the face: it fades out towards the moved outline of cheeks, jaw and hairline,
within it. Outline, hair, ears and neck stay the built-in maker's, whose cut-out they are: where the two heads
differ there, the network's picture would double an ear, or lay its own background over hair.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import FACE_OVAL
from facepuppet.frames.generated.face_crop import FaceCrop
from facepuppet.inference.imported_networks import SHOWN_PX

# Inter-ocular distances within the outline: from where on the network is seen, and over how much it comes.
_WITHIN, _FADE = 0.06, 0.18
_CELLS = 32  # of the mask to an inter-ocular distance: its fade is six cells


@dataclass(frozen=True, slots=True)
class FaceMask:
    """How much of the network's picture is shown where.

    Attributes:
        share: (h, w) float32 in 0..1.
        origin_px: (2,) x and y in the portrait frame of its first pixel.
    """

    share: F32
    origin_px: tuple[int, int]


def face_mask(motion: Motion, unit_px: float, size_px: tuple[int, int]) -> FaceMask | None:
    """Return the mask of a moved face; None if nothing of it is in the picture.

    Args:
        motion: of the portrait.
        unit_px: the portrait's inter-ocular distance.
        size_px: width and height of the picture.
    """
    outline = cv2.convexHull(motion.landmarks_px[FACE_OVAL, :2])[:, 0]  # it may fold at the far cheek
    cell_px = max(1.0, unit_px / _CELLS)
    # Around it lies what is outside; but a picture's border is no outline, and nothing fades there.
    x0, y0 = np.clip(np.floor(outline.min(0) - 2 * cell_px), 0, size_px).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(outline.max(0) + 2 * cell_px), 0, size_px).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return None
    grid = max(2, round((x1 - x0) / cell_px)), max(2, round((y1 - y0) / cell_px))
    cells_from_px = np.array(grid) / [x1 - x0, y1 - y0]
    places = (outline - [x0, y0] + 0.5) * cells_from_px - 0.5
    inside = np.zeros(grid[::-1], np.uint8)
    cv2.fillPoly(inside, [np.rint(16 * places).astype(np.int32)], 1, shift=4)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5) / np.float32(cells_from_px.mean() * unit_px)
    coarse = smoothstep((distance - _WITHIN) / _FADE)
    share = cv2.resize(coarse, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return FaceMask(np.asarray(share, np.float32), (x0, y0))


def paste(head_rgb: U8, crop: FaceCrop, mask: FaceMask | None, rgba: U8, share: float = 1.0) -> None:
    """Lay a picture of the head into the moved portrait, in place.

    Args:
        head_rgb: (512, 512, 3).
        crop: where it lies.
        mask: where it is seen; nowhere if None.
        rgba: (H, W, 4) the moved portrait, premultiplied.
        share: how much of it is seen there.
    """
    if mask is None:
        return
    (x, y), (height, width) = mask.origin_px, mask.share.shape
    area = rgba[y : y + height, x : x + width]
    head = _placed(head_rgb, crop, mask)
    alpha = np.asarray(cv2.extractChannel(area, 3), np.uint8)
    if cv2.minMaxLoc(alpha)[0] < 255:
        head = np.asarray(
            cv2.multiply(head, cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), scale=1 / 255), np.uint8
        )
    layer = cv2.merge([*cv2.split(head), alpha])
    seen = mask.share * np.float32(share)
    area[...] = cv2.blendLinear(layer, np.ascontiguousarray(area), seen, 1.0 - seen)


def _placed(head_rgb: U8, crop: FaceCrop, mask: FaceMask) -> U8:
    """Bring the head's picture to the pixels of a mask."""
    side = min(
        SHOWN_PX, max(16, round(crop.side_px))
    )  # smaller ones are averaged first: sampling has two taps
    if side < SHOWN_PX:
        head_rgb = np.asarray(cv2.resize(head_rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    placed = crop.portrait_from_pixels(side)
    placed[:, 2] -= mask.origin_px
    size = mask.share.shape[::-1]
    return np.asarray(
        cv2.warpAffine(head_rgb, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )
