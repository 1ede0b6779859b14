"""Closing lids: skin for the upper lid, and its lash line.

An open eye hides most of its upper lid in the fold. Stretching the visible strip would smear
lashes and make-up over the eye, so a closing lid takes the skin between fold and brow instead,
mirrored at the fold (continuous there), and the lash line is drawn along its rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import EYES, EyeTopology
from facepuppet.frames.cpu.render.patches import blend_into, region_around
from facepuppet.portrait.avatar import Avatar

_REACH = 0.45  # of the way from the fold to the brow
_FIRST, _FULL = 0.25, 0.75  # closing at which the hidden skin begins to show, and is all that shows
_LASH_WIDTH = 0.045  # of the eye's width
_LASH_STRENGTH = 0.75


class Lid:
    """Source coordinates of one upper lid's strip of triangles, as it unfolds.

    Args:
        landmarks_px: (478, 2) the portrait's own.
        eye: which eye.
        triangles: (T, 3) all triangles of the mesh.

    Attributes:
        triangle, corner: (n,) which corners of which triangles lie on the rim.
        hidden: (n, 2) where in the portrait their skin comes from when the lid is shut.
    """

    def __init__(self, landmarks_px: F32, eye: EyeTopology, triangles: npt.NDArray[np.int32]) -> None:
        rim, fold = eye.upper_lid[1:-1], eye.upper_fold
        strip = np.isin(triangles, np.concatenate([eye.upper_lid, fold])).all(axis=1)
        on_rim = np.isin(triangles, rim) & np.asarray(strip & np.isin(triangles, fold).any(axis=1))[:, None]
        self.triangle, self.corner = np.nonzero(on_rim)
        order = {int(index): k for k, index in enumerate(rim)}
        which = np.array([order[int(i)] for i in triangles[self.triangle, self.corner]], np.intp)
        brow = _along(landmarks_px[eye.brow_lower], landmarks_px[fold])
        rise = brow - landmarks_px[fold]
        longest = 1.5 * np.linalg.norm(landmarks_px[rim] - landmarks_px[eye.lower_lid[1:-1]], axis=1).max()
        length = np.maximum(np.linalg.norm(rise, axis=1, keepdims=True), 1e-3)
        rise *= np.minimum(1.0, longest / length)
        self._open = landmarks_px[rim][which]
        self.hidden = (landmarks_px[fold] + _REACH * rise)[which]

    def unfold(self, source: F32, closing: float) -> None:
        """Move the rim's source coordinates (T, 3, 3) towards the hidden skin, in place."""
        share = unfolding(closing)
        if share > 0.0:
            source[self.triangle, self.corner, :2] = self._open + share * (self.hidden - self._open)


@dataclass(frozen=True, slots=True)
class LashLine:
    """The lash line of one moved lid.

    Attributes:
        box_px: x, y, width and height of the region that it lies in.
        rim_px: (9, 2) float32, the lid's rim, in the portrait frame.
        thickness_px: of the line as OpenCV counts it, before it is softened.
        strength: in (0, LASH_STRENGTH].
    """

    box_px: tuple[int, int, int, int]
    rim_px: F32
    thickness_px: int
    strength: float

    @property
    def width_px(self) -> float:
        """Width of what OpenCV draws anti-aliased for that thickness, as measured."""
        return 1.37 if self.thickness_px == 1 else 1.37 + 2 * ((self.thickness_px + 1) // 2)

    @property
    def softness_px(self) -> float:
        """Standard deviation of the blur."""
        return 0.35 * self.thickness_px + 0.4


class Lashes:
    """Draws the lash line of closing lids, in the portrait's own darkest eye colour.

    Attributes:
        colours_rgb: of each eye, image-left first, (3,) float32.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._size = avatar.size_px
        self.colours_rgb = tuple(_lash_rgb(avatar, eye) for eye in EYES)

    def draw(self, rgba: U8, motion: Motion) -> None:
        """Draw into the warped picture, in place."""
        for colour, placed in zip(self.colours_rgb, self.place(motion), strict=True):
            if placed is not None:
                _draw_line(rgba, colour, placed)

    def place(self, motion: Motion) -> tuple[LashLine | None, LashLine | None]:
        """Return where each line goes; None when its lid is open or it left the picture."""
        left, right = (
            self._place_one(eye, motion, unfolding(1.0 - opening))
            for eye, opening in zip(EYES, motion.eye_opening.tolist(), strict=True)
        )
        return left, right

    def _place_one(self, eye: EyeTopology, motion: Motion, share: float) -> LashLine | None:
        rim = motion.landmarks_px[eye.upper_lid, :2]
        width = float(np.linalg.norm(rim[0] - rim[-1]))
        box = region_around(rim, 0.1 * width, self._size)
        if share <= 0.0 or box is None:
            return None
        return LashLine(box, rim, max(1, round(_LASH_WIDTH * width)), _LASH_STRENGTH * share)


def _draw_line(rgba: U8, colour_rgb: F32, placed: LashLine) -> None:
    x, y, w, h = placed.box_px
    line = np.zeros((h, w), np.uint8)
    points = np.round((placed.rim_px - (x, y)) * 16).astype(np.int32)
    cv2.polylines(line, [points], False, 255, placed.thickness_px, cv2.LINE_AA, 4)
    line = cv2.GaussianBlur(line, (0, 0), placed.softness_px)
    coverage = cv2.convertScaleAbs(line, alpha=placed.strength)
    flat = np.empty((h, w, 3), np.uint8)
    flat[:] = colour_rgb
    blend_into(rgba[y : y + h, x : x + w], flat, coverage)


def _along(polyline: F32, points: F32) -> F32:
    """Points of a polyline at the same relative positions as `points` have along their own line."""
    wanted = np.linspace(0, len(polyline) - 1, len(points))
    columns = [np.interp(wanted, np.arange(len(polyline)), polyline[:, k]) for k in range(2)]
    return np.stack(columns, axis=1).astype(np.float32)


def unfolding(closing: float) -> float:
    """How far a lid shows its hidden skin and lash line, in [0, 1]."""
    return smoothstep((closing - _FIRST) / (_FULL - _FIRST))


def _lash_rgb(avatar: Avatar, eye: EyeTopology) -> F32:
    """The darkest tenth around the upper rim: (3,) RGB."""
    rim = avatar.landmarks_px[eye.upper_lid, :2]
    mask = np.zeros(avatar.portrait_rgb.shape[:2], np.uint8)
    width = float(np.linalg.norm(rim[0] - rim[-1]))
    cv2.polylines(mask, [np.round(rim).astype(np.int32)], False, 255, max(2, round(0.12 * width)))
    pixels = avatar.portrait_rgb[mask > 0]
    if len(pixels) == 0:
        return np.array([40, 30, 28], np.float32)
    lightness = pixels.astype(np.float32).mean(1)
    darkest: F32 = pixels[lightness <= np.percentile(lightness, 15)].mean(0).astype(np.float32)
    return darkest
