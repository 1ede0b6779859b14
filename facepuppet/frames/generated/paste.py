"""Laying a picture of the head into the moved portrait, behind a soft mask."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, F64, U8
from facepuppet.face.topology import CHIN, FACE_OVAL, OUTER_CORNERS
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.frames.generated.face_crop import FaceCrop
from facepuppet.inference.imported_networks import SHOWN_PX
from facepuppet.portrait.avatar import Avatar

# Inter-ocular distances. The rim of hair and ears stays the built-in maker's: there the two heads differ
# most, and the network's picture has the background in it.
_RIM, _RIM_FADE = 0.05, 0.15
# The neck follows shoulders that the network does not know. The jaw begins between eyes (0) and chin (1).
_JAW_FROM, _JAW_TO, _BEYOND_JAW, _JAW_FADE = 0.1, 0.6, 0.02, 0.12
_BORDER_FADE = 0.08  # of the crop's side, within it
_SOLID = 250  # alpha from which nothing of a background is mixed in


class HeadMask:
    """How much of the network's head is shown where, and how that moves along.

    Args:
        avatar: the portrait.
        warp: of the same; its body field carries the mask.
        crop: what the network sees.
    """

    def __init__(self, avatar: Avatar, warp: Warp, crop: FaceCrop) -> None:
        width, height = avatar.size_px
        self._warp, body = warp, warp.body
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        points = np.stack([xs, ys], -1)
        share = _inside_rim(avatar) * _above_neck(avatar, points) * _inside_crop(crop, points)
        self._share = np.asarray(cv2.resize(share, body.grid, interpolation=cv2.INTER_AREA), np.float32)

    def moved(self, flow: Flow) -> F32:
        """Return the (h, w) mask of a moved picture in 0..1, on the body field's cells."""
        warp, cell_px = self._warp, self._warp.body.cell_px
        # The flow tells places in the enlarged texture; half a pixel is half a cell's, too.
        to_cells = 1.0 / (warp.scale * cell_px)
        linear, origin = np.diag(to_cells), -warp.offset_px * to_cells - 0.5
        cells = cv2.transform(flow.body, np.column_stack([linear, origin]).astype(np.float64))
        moved = cv2.remap(self._share, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    def paste(self, head_rgb: U8, crop: FaceCrop, mask: F32, rgba: U8) -> None:
        """Lay a picture of the head into the moved portrait, in place.

        Args:
            head_rgb: (512, 512, 3).
            crop: where it lies.
            mask: (h, w) as `moved` gives it, or less.
            rgba: (H, W, 4) the moved portrait, premultiplied.
        """
        height, width = rgba.shape[:2]
        box = _box(crop.portrait_from_pixels(SHOWN_PX), (width, height))
        if box is None:
            return
        x, y, w, h = box
        area, head = rgba[y : y + h, x : x + w], _placed(head_rgb, crop, box)
        share = self._enlarged(mask, box)
        alpha = np.asarray(cv2.extractChannel(area, 3), np.uint8)
        if cv2.minMaxLoc(alpha)[0] < 255:
            head = cv2.multiply(head, cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), scale=1 / 255)
        layer = cv2.merge([*cv2.split(head), alpha])
        area[...] = cv2.blendLinear(layer, np.ascontiguousarray(area), share, 1.0 - share)

    def _enlarged(self, mask: F32, box: tuple[int, int, int, int]) -> F32:
        """Bring a mask from cells to the pixels of a box."""
        x, y, w, h = box
        linear = np.diag(1.0 / self._warp.body.cell_px.astype(np.float64))
        origin = linear @ [x + 0.5, y + 0.5] - 0.5
        share = cv2.warpAffine(
            mask,
            np.column_stack([linear, origin]),
            (w, h),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(share, np.float32)


def _placed(head_rgb: U8, crop: FaceCrop, box: tuple[int, int, int, int]) -> U8:
    """Bring the head's picture to the pixels of a box."""
    side = min(
        SHOWN_PX, max(16, round(crop.side_px))
    )  # smaller ones are averaged first: sampling has two taps
    if side < SHOWN_PX:
        head_rgb = np.asarray(cv2.resize(head_rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    x, y, w, h = box
    placed = crop.portrait_from_pixels(side)
    placed[:, 2] -= [x, y]
    return np.asarray(
        cv2.warpAffine(head_rgb, placed, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _box(portrait_from_pixels: F64, size_px: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return x, y, width and height of what of the crop lies in the picture; None if nothing."""
    corners = np.array([(x, y, 1.0) for x in (0, SHOWN_PX - 1) for y in (0, SHOWN_PX - 1)])
    places = corners @ portrait_from_pixels.T
    x0, y0 = np.maximum(np.floor(places.min(0)), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(places.max(0)) + 1, size_px).astype(int).tolist()
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _inside_rim(avatar: Avatar) -> F32:
    """1 within the person, 0 at the outline and outside; a picture's border is no outline."""
    solid = (avatar.person_alpha >= _SOLID).astype(np.uint8)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, 5) / avatar.inter_ocular_px
    return np.asarray(smoothstep((distance - _RIM) / _RIM_FADE), np.float32)


def _above_neck(avatar: Avatar, points: F32) -> F32:
    """1 on the head, 0 beyond the line of the jaw."""
    landmarks = avatar.landmarks_px[:, :2]
    chin, eyes = landmarks[CHIN], landmarks[OUTER_CORNERS].mean(0)
    down = (chin - eyes) / (chin - eyes).dot(chin - eyes)
    lower = smoothstep(((points - eyes) @ down - _JAW_FROM) / (_JAW_TO - _JAW_FROM))
    face = np.ones(points.shape[:2], np.uint8)
    cv2.fillPoly(face, [np.rint(landmarks[FACE_OVAL]).astype(np.int32)], 0)
    outside = cv2.distanceTransform(face, cv2.DIST_L2, 5) / np.float32(avatar.inter_ocular_px)
    return np.asarray(1.0 - lower * smoothstep((outside - _BEYOND_JAW) / _JAW_FADE), np.float32)


def _inside_crop(crop: FaceCrop, points: F32) -> F32:
    """1 within the crop, 0 at its border and outside."""
    crop_from_portrait = cv2.invertAffineTransform(crop.portrait_from_crop)
    places = cv2.transform(points, crop_from_portrait)
    margin = (1.0 - np.abs(places).max(-1)) / 2
    return np.asarray(smoothstep(margin.astype(np.float32) / _BORDER_FADE), np.float32)
