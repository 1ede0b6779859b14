"""Shutting lids: skin that comes down from under the fold over the eyeball, and its lash line.

A lid hangs on its rim, like a blind: its picture (`lid_pictures`) is laid along the moved rim and appears
from under the moved fold. The skin is drawn before the eyeballs and the lash line after them.
"""

from __future__ import annotations

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

    def draw_skin(self, rgba: U8, placed: Sequence[PlacedLid | None]) -> None:
        """Draw the skin of both lids into the warped picture, in place; eyeballs are still to be drawn."""
        for picture, lid in zip(self.pictures, placed, strict=True):
            if lid is not None:
                colour, coverage, appeared = _sampled(picture.skin_rgba, picture.scale, lid, lid.skin_box_px)
                coverage = cv2.multiply(coverage, appeared, scale=lid.skin_share / 255)
                _blend(rgba, lid.skin_box_px, colour, coverage)

    def draw_lashes(self, rgba: U8, placed: Sequence[PlacedLid | None]) -> None:
        """Draw both lash lines, in place, over everything else around the eyes."""
        for picture, lid in zip(self.pictures, placed, strict=True):
            if lid is not None and lid.lash_share > 0.0:
                colour, coverage, _ = _sampled(picture.lash_rgba, picture.scale, lid, lid.lash_box_px)
                if lid.lash_share < 1.0:
                    coverage = cv2.convertScaleAbs(coverage, alpha=lid.lash_share)
                _blend(rgba, lid.lash_box_px, colour, coverage)

    def place(self, motion: Motion) -> tuple[PlacedLid | None, PlacedLid | None]:
        """Return where each lid goes; None while it is open, or when it left the picture."""
        left, right = (
            self._place_one(picture, motion, 1.0 - opening) if opening < 1.0 - _SKIN_FROM else None
            for picture, opening in zip(self.pictures, motion.eye_opening.tolist(), strict=True)
        )
        return left, right

    def _place_one(self, picture: LidPicture, motion: Motion, closing: float) -> PlacedLid | None:
        eye, moved = picture.topology, motion.landmarks_px[:, :2]
        outer, along = moved[eye.outer], moved[eye.inner] - moved[eye.outer]
        moved_from_rest = motion.head.scale * motion.head.rotation[:2, :2]
        linear = picture.frame_from_portrait @ np.linalg.inv(moved_from_rest)
        # The corners stay where u is 0 and 1, however a driver presses the eye together.
        linear[0] /= max(float(linear[0] @ along), _NARROWEST)
        open_fold = picture.fold @ np.linalg.inv(linear).T + outer
        width = float(np.linalg.norm(along))
        rim_px, fold_px = moved[eye.upper_lid], moved[eye.upper_fold]
        skin_box = region_around(
            np.concatenate([rim_px, fold_px, open_fold]), _SKIN_MARGIN * width, self._size
        )
        lash_box = region_around(rim_px, _LASH_MARGIN * width, self._size)
        if skin_box is None or lash_box is None:
            return None
        rim, fold = ((line - outer) @ linear.T for line in (rim_px, fold_px))
        overlap = _OVERLAP * smoothstep((closing - _OVERLAP_FROM) / (1.0 - _OVERLAP_FROM))
        return PlacedLid(
            skin_box,
            lash_box,
            np.column_stack([linear, -linear @ outer]).astype(np.float32),
            _curves(rim, fold, picture.fold, overlap),
            smoothstep((closing - _SKIN_FROM) / (_SKIN_FULL - _SKIN_FROM)),
            smoothstep((closing - _LASH_FROM) / (_LASH_FULL - _LASH_FROM)),
        )


def _curves(rim: F32, fold: F32, open_fold: F32, overlap: float) -> F32:
    """As of `PlacedLid`, from (9, 2) and (7, 2) points in (u, w)."""
    u = np.linspace(-SIDE, 1.0 + SIDE, N_CURVE, dtype=np.float32)
    ends = np.concatenate([rim[:1], fold, rim[-1:]])
    w_rim, w_fold, w_open = (
        np.interp(u, np.maximum.accumulate(line[:, 0]), line[:, 1]) for line in (rim, ends, open_fold)
    )
    # The mesh's fold comes down and pulls the skin above it like rubber: that is covered, too.
    w_fold = np.minimum(w_fold, w_open)
    emerging = 1.0 / (_ABOVE_FOLD + _EMERGING * np.maximum(w_rim - w_fold, 0.02))
    w_fold = w_fold - _ABOVE_FOLD
    inside = np.clip(u, 0.0, 1.0)
    w_rim += overlap * np.sqrt(np.clip(4.0 * inside * (1.0 - inside), 0.0, 1.0))
    curves: F32 = np.stack([w_rim, w_fold, emerging], axis=1).astype(np.float32)
    return curves


def _sampled(
    picture: U8, scale: float, lid: PlacedLid, box_px: tuple[int, int, int, int]
) -> tuple[U8, U8, U8]:
    """Colour (h, w, 3) and coverage of a picture laid along the rim, and how far the lid has appeared."""
    x, y, width, height = box_px
    (ux, uy, u0), (wx, wy, w0) = lid.frame_from_moved
    columns = np.arange(x, x + width, dtype=np.float32)
    rows = np.arange(y, y + height, dtype=np.float32)[:, None]
    u = np.add(ux * columns + (u0 + np.float32(SIDE)), uy * rows)
    w = np.add(wx * columns + w0, wy * rows)
    along = u * np.float32((N_CURVE - 1) / (1.0 + 2.0 * SIDE))
    replicate = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    rim, fold, rise = cv2.split(cv2.remap(lid.curves[None], along, np.zeros_like(along), **replicate))
    u *= np.float32(scale)
    down = np.float32(scale) * (w - rim) + np.float32(scale * ABOVE)
    seen = cv2.remap(picture, u, down, **replicate)
    appeared = cv2.LUT(cv2.multiply(cv2.subtract(w, fold), rise, scale=255, dtype=cv2.CV_8U), _RAMP)
    return cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.extractChannel(seen, 3), appeared


def _blend(rgba: U8, box_px: tuple[int, int, int, int], colour: U8, coverage: U8) -> None:
    x, y, width, height = box_px
    blend_into(rgba[y : y + height, x : x + width], colour, coverage)
