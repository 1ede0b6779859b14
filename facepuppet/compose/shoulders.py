"""Shoulders that the portrait's side borders cut off: let them slope away softly instead.

The body is continued once, in the still background: each border column runs on outwards and
downwards, as shoulders do, ever softer. The moving puppet fades into it over a narrow band.
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.compose.background import smoothstep
from facepuppet.compose.framing import Placement, cut_sides
from facepuppet.topology import CHIN
from facepuppet.types import F32, U8

_BAND = 0.10  # of the portrait's shown width, over which the puppet fades into the continuation
_RIM = 0.01  # of that width: not continued, because pictures often end in a line
_SLOPE = 0.75  # rows down per column outwards
_HAIR_REACH = 0.06  # of the canvas height
_SOFTNESS = 0.012  # of the canvas height: blur of the continuation


def border_depth(avatar: Avatar, placement: Placement, canvas_px: tuple[int, int]) -> F32 | None:
    """Depth behind the nearest cutting border along the shown portrait's width, in bands.

    Returns (w,) float32, 0 at the border, 1 and more where nothing fades; None when nothing is cut off.
    """
    left, right = cut_sides(avatar, placement, canvas_px)
    if not (left or right):
        return None
    width = placement.target_px[2]
    inside = (np.arange(width, dtype=np.float32) + 0.5) / (_BAND * width)
    uncut = np.full(width, np.inf, dtype=np.float32)
    depth: F32 = np.minimum(inside if left else uncut, inside[::-1] if right else uncut)
    return depth


def puppet_weight(depth: F32) -> F32:
    """How much of the moving puppet shows: all of it from half a band inwards."""
    return smoothstep(2.0 * depth)


def continue_shoulders(canvas: U8, avatar: Avatar, placement: Placement, depth: F32) -> U8:
    """Return the background (H, W, 3) with the cut-off body continued beyond the portrait's sides.

    The continuation stands in full behind the outer half of the band, so that nothing shines
    through where the puppet fades, and ends within the inner half, so that it is no ghost.
    """
    height, width = canvas.shape[:2]
    x, y, w, _ = placement.target_px
    chin = y + (float(avatar.landmarks_px[CHIN, 1]) - placement.source_px[1]) * placement.scale
    body = _running_on(_still_body(avatar, placement, (width, height)), placement, chin)
    blurred = cv2.GaussianBlur(body, (0, 0), max(_SOFTNESS * height, 0.5), borderType=cv2.BORDER_REPLICATE)
    weight = np.ones(width, dtype=np.float32)
    shown = slice(max(x, 0), min(x + w, width))
    weight[shown] = 1.0 - smoothstep(2.0 * depth[shown.start - x : shown.stop - x] - 1.0)
    soft = np.asarray(blurred, dtype=np.float32) * weight[None, :, None]
    blended = soft[..., :3] + canvas * (1.0 - soft[..., 3:] / 255.0)
    picture: U8 = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
    return picture


def _still_body(avatar: Avatar, placement: Placement, canvas_px: tuple[int, int]) -> U8:
    """The unmoved person on the canvas: (H, W, 4), premultiplied, its border pixels repeated outwards."""
    alpha = avatar.person_alpha[..., None]
    colour = np.rint(avatar.foreground_rgb * (alpha / np.float32(255.0))).astype(np.uint8)
    return placement.spread(np.concatenate([colour, alpha], axis=2), canvas_px, cv2.BORDER_REPLICATE)


def _running_on(body: U8, placement: Placement, chin_px: float) -> F32:
    """Shear the border columns outwards and down; what lies above the chin (hair) ends soon."""
    height, width = body.shape[:2]
    x, _, w, _ = placement.target_px
    xs = np.arange(width, dtype=np.float32)
    rim = max(1, round(_RIM * w))
    border = np.clip(xs, x + rim, x + w - 1 - rim)
    away = np.abs(xs - border)[None, :]
    map_x = np.ascontiguousarray(np.broadcast_to(border, (height, width)), dtype=np.float32)
    map_y = np.arange(height, dtype=np.float32)[:, None] - _SLOPE * away
    continued = cv2.remap(body, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR)
    shoulder = smoothstep((map_y - chin_px) / (_HAIR_REACH * height))
    kept: F32 = continued * np.maximum(shoulder, np.exp(-away / (_HAIR_REACH * height)))[..., None]
    return kept
