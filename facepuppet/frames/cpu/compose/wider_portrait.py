"""A portrait whose side borders cut the person off inside the canvas: the picture goes on beyond them.

What is made up of the person moves with them like everything else. Behind them the picture is what the canvas
shows there: it gets softer towards the old border, and so does what a head takes along of it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8
from facepuppet.frames.cpu.compose.background import SOFT_FROM, Backdrop, canvas_background
from facepuppet.frames.cpu.compose.framing import Placement, cut_sides
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.beyond import Margins, person_beyond, reach_px

_ALONE, _WHOLE = 0.04, 0.16  # of the width from an old border: the person alone up to here, all from there
_DOUBTED, _SURE = 0.45, 0.9  # coverage that counts as none, and as all, at the old borders
_TRAVEL = 0.8  # inter-ocular distances that what is made up may move outwards: a lean, and a head's turn


def with_sides(avatar: Avatar, placement: Placement, canvas_px: tuple[int, int]) -> tuple[Avatar, Placement]:
    """Return a portrait with what goes on of the person beside it, and where it lies; itself if nothing."""
    x, y, shown_width, shown_height = placement.target_px
    u, v, width, height = placement.source_px
    scale = placement.scale
    rooms = x, canvas_px[0] - x - shown_width
    reaches = reach_px(avatar)
    left, right = (
        min(int(np.ceil(room / scale)), round(reach + _TRAVEL * avatar.inter_ocular_px)) if cut else 0
        for cut, room, reach in zip(cut_sides(avatar, placement, canvas_px), rooms, reaches, strict=True)
    )
    if avatar.whole is not None or not (left or right):
        return avatar, placement
    canvas = canvas_background(avatar, placement, canvas_px, Backdrop())
    wide = _with_margins(avatar, placement, canvas, left, right)
    more = round(left * scale), round(right * scale)
    target = (x - more[0], y, shown_width + sum(more), shown_height)
    return wide, Placement((u, v, width + left + right, height), target)


def _with_margins(avatar: Avatar, placement: Placement, canvas: U8, left: int, right: int) -> Avatar:
    """Paint on beyond the sides: the person over what the canvas shows there."""
    beyond = person_beyond(avatar, Margins(left, 0, right, 0))
    height, width = beyond.alpha.shape
    (x, y, *_), (u, v, *_), scale = placement.target_px, placement.source_px, placement.scale
    # Column i of the wide picture is column (i - left - u + 0.5) · scale + x - 0.5 of the canvas; rows alike.
    offset = [(0.5 - left - u) * scale + x - 0.5, (0.5 - v) * scale + y - 0.5]
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    plate = cv2.warpAffine(canvas, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    own = np.s_[:, left : width - right]
    # Farther inside the canvas shows the plate as it is.
    soft = round(SOFT_FROM * canvas.shape[0] / scale)
    sharp = np.s_[:, left + soft * (left > 0) : width - right - soft * (right > 0)]
    inner = np.s_[:, soft * (left > 0) : avatar.size_px[0] - soft * (right > 0)]
    plate[sharp] = avatar.background_rgb[inner]
    share = _whole_share(width - left - right, left > 0, right > 0)
    alpha: F32 = beyond.alpha[..., None].astype(np.float32) / 255
    # What the matte doubts there would be taken for the person's, with the old background in its colours.
    alpha[own] += (1 - share) * (smoothstep((alpha[own] - _DOUBTED) / (_SURE - _DOUBTED)) - alpha[own])
    picture = plate + alpha * (beyond.rgb.astype(np.float32) - plate)
    as_it_is = avatar.portrait_rgb + (1 - alpha[own]) * (
        plate[own].astype(np.float32) - avatar.background_rgb
    )
    picture[own] += share * (as_it_is - picture[own])
    offset_px = np.array([left, 0, 0], np.float32)
    return replace(
        avatar,
        portrait_rgb=np.clip(np.rint(picture), 0, 255).astype(np.uint8),
        landmarks_px=avatar.landmarks_px + offset_px,
        shoulders_px=avatar.shoulders_px + offset_px[:2],
        person_alpha=np.rint(255 * alpha[..., 0]).astype(np.uint8),
        foreground_rgb=beyond.rgb,
        background_rgb=np.asarray(plate, np.uint8),
    )


def _whole_share(width: int, left: bool, right: bool) -> F32:
    """How much of each column (1, W, 1) is the picture as it is; at the old borders it is the person alone.

    There a head would take along background that ends where the picture did.
    """
    from_left = np.linspace(0.0, 1.0, width, dtype=np.float32)
    share = np.ones_like(from_left)
    for wider, away in ((left, from_left), (right, 1.0 - from_left)):
        if wider:
            share *= smoothstep((away - _ALONE) / (_WHOLE - _ALONE))
    return share[None, :, None]
