"""Shutting lids: skin that comes down from under the fold over the eyeball, and its lash line.

A lid hangs on its rim, like a blind: its picture (`lid_pictures`) is laid along the moved rim and appears
from under the moved fold. The skin is drawn before the eyeballs and the lash line after them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import EYES
from facepuppet.frames.cpu.render.lid_pictures import ABOVE, SIDE, LidPicture, lid_picture
from facepuppet.frames.cpu.render.patches import blend_into, region_around
from facepuppet.portrait.avatar import Avatar

N_CURVE = 64  # samples of a curve along the eye, from one side of the picture to the other
_SKIN_FROM, _SKIN_FULL = 0.1, 0.45  # closing at which the lid begins to show, and is all that shows
_LASH_FROM, _LASH_FULL = 0.2, 0.7
_OVERLAP = 0.025  # of the eye's width: how far a shut lid covers the wet rim of the lower one
_OVERLAP_FROM = 0.7  # closing from which it does
_NARROWEST = 0.2  # of the width that an eye has at rest
_ABOVE_FOLD = 0.06  # where a lid begins to appear, in eye widths
_EMERGING = 0.4  # of its height, over which it does
_SKIN_MARGIN, _LASH_MARGIN = 0.08, 0.15  # around rim and fold, in eye widths
_FLATTEST = 0.05  # determinant of a head's turn; nearer to its side no lids are seen
_U = np.linspace(-SIDE, 1.0 + SIDE, N_CURVE, dtype=np.float32)
_ARCH = np.sqrt(np.clip(4.0 * _U * (1.0 - _U), 0.0, 1.0))  # 0 at the corners
_RAMP = np.round(255 * smoothstep(np.arange(256) / 255)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class PlacedLid:
    """Where one lid is drawn in a moved portrait.

    Attributes:
        skin_box_px, lash_box_px: x, y, width and height of the regions that they lie in.
        frame_from_moved: (2, 3) float32, pixels of the moved portrait to (u, w).
        curves: (N_CURVE, 3) float32 from u = −SIDE to 1 + SIDE: w of the rim and of the fold, and 1 over the
            height in which the lid appears.
        skin_share, lash_share: how much of each is drawn, in [0, 1].
    """

    skin_box_px: tuple[int, int, int, int]
    lash_box_px: tuple[int, int, int, int]
    frame_from_moved: F32
    curves: F32
    skin_share: float
    lash_share: float


class LidLayer:
    """Draws the shutting lids of one portrait.

    Attributes:
        pictures: image-left eye first.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._size = avatar.size_px
        self.pictures = tuple(lid_picture(avatar, eye) for eye in EYES)
        self._open_folds = [_sampled_along(picture.fold) for picture in self.pictures]

    def draw_skin(self, rgba: U8, placed: Sequence[PlacedLid | None]) -> None:
        """Draw the skin of both lids into the warped picture, in place; eyeballs are still to be drawn."""
        for picture, lid in zip(self.pictures, placed, strict=True):
            if lid is not None:
                _blend(rgba, lid.skin_box_px, *_laid_along(picture, lid, skin=True))

    def draw_lashes(self, rgba: U8, placed: Sequence[PlacedLid | None]) -> None:
        """Draw both lash lines, in place, over everything else around the eyes."""
        for picture, lid in zip(self.pictures, placed, strict=True):
            if lid is not None and lid.lash_share > 0.0:
                _blend(rgba, lid.lash_box_px, *_laid_along(picture, lid, skin=False))

    def place(self, motion: Motion) -> tuple[PlacedLid | None, PlacedLid | None]:
        """Return where each lid goes; None while it is open, or when it left the picture."""
        left, right = (
            self._place_one(picture, open_fold, motion, 1.0 - opening) if opening < 1.0 - _SKIN_FROM else None
            for picture, open_fold, opening in zip(
                self.pictures, self._open_folds, motion.eye_opening.tolist(), strict=True
            )
        )
        return left, right

    def _place_one(
        self, picture: LidPicture, open_fold: F32, motion: Motion, closing: float
    ) -> PlacedLid | None:
        eye, moved = picture.topology, motion.landmarks_px[:, :2]
        outer, along = moved[eye.outer], moved[eye.inner] - moved[eye.outer]
        moved_from_rest = motion.head.scale * motion.head.rotation[:2, :2]
        linear = picture.frame_from_portrait @ _inverse(moved_from_rest, _FLATTEST)
        # The corners stay where u is 0 and 1, however a driver presses the eye together.
        linear[0] /= max(float(linear[0] @ along), _NARROWEST)
        rim_px, fold_px = moved[eye.upper_lid], moved[eye.upper_fold]
        outline = np.concatenate([rim_px, fold_px, picture.fold @ _inverse(linear).T + outer])
        width = float(np.hypot(*along))
        skin_box = region_around(outline, _SKIN_MARGIN * width, self._size)
        lash_box = region_around(rim_px, _LASH_MARGIN * width, self._size)
        if skin_box is None or lash_box is None:
            return None
        overlap = _OVERLAP * smoothstep((closing - _OVERLAP_FROM) / (1.0 - _OVERLAP_FROM))
        in_frame = (outline[: len(rim_px) + len(fold_px)] - outer) @ linear.T
        return PlacedLid(
            skin_box,
            lash_box,
            np.column_stack([linear, -linear @ outer]).astype(np.float32),
            _curves(in_frame[: len(rim_px)], in_frame[len(rim_px) :], open_fold, overlap),
            smoothstep((closing - _SKIN_FROM) / (_SKIN_FULL - _SKIN_FROM)),
            smoothstep((closing - _LASH_FROM) / (_LASH_FULL - _LASH_FROM)),
        )


def _inverse(matrix: F32, flattest: float = 1e-12) -> F32:
    """Of a (2, 2) matrix with a determinant of at least that much; NumPy's own takes five times as long."""
    (a, b), (c, d) = matrix.tolist()
    determinant = a * d - b * c
    if abs(determinant) < flattest:
        determinant = math.copysign(flattest, determinant)
    return np.array([[d, -b], [-c, a]], np.float32) / np.float32(determinant)


def _sampled_along(line: F32) -> F32:
    """W (N_CURVE,) of a line of points (u, w), outer to inner, along the eye."""
    return np.asarray(np.interp(_U, np.maximum.accumulate(line[:, 0]), line[:, 1]), np.float32)


def _curves(rim: F32, fold: F32, open_fold: F32, overlap: float) -> F32:
    """As of `PlacedLid`, from (9, 2) and (7, 2) points in (u, w) and the open eye's fold (N_CURVE,)."""
    w_rim = _sampled_along(rim)
    # The mesh's fold comes down and pulls the skin above it like rubber: that is covered, too.
    w_fold = np.minimum(_sampled_along(np.concatenate([rim[:1], fold, rim[-1:]])), open_fold)
    curves = np.empty((N_CURVE, 3), np.float32)
    curves[:, 0] = w_rim + np.float32(overlap) * _ARCH
    curves[:, 1] = w_fold - _ABOVE_FOLD
    curves[:, 2] = 1.0 / (_ABOVE_FOLD + _EMERGING * np.maximum(w_rim - w_fold, 0.02))
    return curves


def _laid_along(picture: LidPicture, lid: PlacedLid, *, skin: bool) -> tuple[U8, U8]:
    """Colour (h, w, 3) and coverage of one of the pictures, in its box."""
    x, y, width, height = lid.skin_box_px if skin else lid.lash_box_px
    scale = np.float32(picture.scale)
    (ux, uy, u0), (wx, wy, w0) = lid.frame_from_moved
    columns = np.arange(x, x + width, dtype=np.float32)
    rows = np.arange(y, y + height, dtype=np.float32)[:, None]
    u = (ux * columns + (u0 + np.float32(SIDE))) + uy * rows
    w = (wx * columns + w0) + wy * rows
    along, still = u * np.float32((N_CURVE - 1) / (1.0 + 2.0 * SIDE)), np.zeros_like(u)
    replicate = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    curves = lid.curves if skin else lid.curves[:, :1]
    rim, *others = cv2.split(cv2.remap(np.ascontiguousarray(curves[None]), along, still, **replicate))
    u *= scale
    down = cv2.addWeighted(w, picture.scale, rim, -picture.scale, picture.scale * ABOVE)
    seen = cv2.remap(picture.skin_rgba if skin else picture.lash_rgba, u, down, **replicate)
    colour, coverage = cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.extractChannel(seen, 3)
    if skin:
        fold, rise = others
        appeared = cv2.LUT(cv2.multiply(cv2.subtract(w, fold), rise, scale=255, dtype=cv2.CV_8U), _RAMP)
        coverage = cv2.multiply(coverage, appeared, scale=lid.skin_share / 255)
    elif lid.lash_share < 1.0:
        coverage = cv2.convertScaleAbs(coverage, alpha=lid.lash_share)
    return colour, coverage


def _blend(rgba: U8, box_px: tuple[int, int, int, int], colour: U8, coverage: U8) -> None:
    x, y, width, height = box_px
    blend_into(rgba[y : y + height, x : x + width], colour, coverage)
