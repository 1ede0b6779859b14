"""The mouth's interior by geometry, until a trained painter takes it over.

A cavity and the upper teeth are fixed to the skull; tongue and lower teeth follow the jaw. A portrait
that shows its own teeth keeps them.

Proportions are those of an average adult: lips 50 mm wide at rest, upper central incisors 8.5 mm
wide with 2 mm showing below the resting lip line (Tjan, Miller & The 1984, "Some esthetic factors
in a smile"), so everything is given in half mouth widths (25 mm).
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.render.body import apply_head
from facepuppet.render.patches import blend_into, fill_unknown, polygon_mask, region_around
from facepuppet.topology import (
    INNER_MOUTH_CORNERS,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
    MOUTH_CORNERS,
    OUTER_CORNERS,
    UPPER_LIP_INNER,
)
from facepuppet.types import F32, U8, Motion

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_PATCH_PX = 160  # patch pixels per mouth width
_TOOTH_EDGES = (0.0, 0.34, 0.60, 0.84)  # between incisors, canine and first premolar
_TEETH_SHOWN = 0.17  # below the resting lip line, at the middle
_OPEN_PORTRAIT = 0.035  # inner-lip gap over inter-ocular distance from which the portrait shows its own teeth


class Mouth:
    """Draws the interior between the moved inner lips.

    Args:
        avatar: the portrait.
        white_rgb: (3,) the portrait's own white (of its eyes), which sets the teeth's colour.
    """

    def __init__(self, avatar: Avatar, white_rgb: F32) -> None:
        self._size = avatar.size_px
        landmarks = avatar.landmarks_px
        middle = landmarks[[UPPER_LIP_INNER[5], LOWER_LIP_INNER[5]]]
        self._pivot = avatar.head_pivot_px
        self._rest = np.stack([middle.mean(0), *middle])  # line between the lips, upper lip, lower lip
        self._half_px = float(np.linalg.norm(np.subtract(*landmarks[MOUTH_CORNERS, :2]))) / 2
        axis = np.subtract(*landmarks[INNER_MOUTH_CORNERS[::-1], :2])
        axis /= np.linalg.norm(axis)
        self._upright = np.array([[axis[0], -axis[1]], [axis[1], axis[0]]], np.float32)
        unit_px = np.linalg.norm(np.subtract(*landmarks[OUTER_CORNERS, :2]))
        self._shows_teeth = np.linalg.norm(np.subtract(*middle[:, :2])) > _OPEN_PORTRAIT * unit_px
        lip_rgb = _mean_inside(avatar.portrait_rgb, landmarks[LIPS_OUTER, :2])
        self._jaw = _paint_jaw(white_rgb, lip_rgb)
        self._skull = _paint_skull(white_rgb, lip_rgb)
        if self._shows_teeth:
            self._skull = self._with_own_teeth(avatar)

    def draw(self, rgba: U8, motion: Motion) -> None:
        """Draw into the warped picture, in place; nothing where the lips are shut."""
        strength = self._strength(motion.mouth_opening)
        outline = motion.landmarks_px[LIPS_INNER, :2]
        region = region_around(outline, 2.0, self._size)
        if strength <= 0.0 or region is None:
            return
        x, y, width, height = region
        # Slivers between touching lips are not an opening.
        coverage = cv2.blur(cv2.erode(polygon_mask(outline, (x, y), (width, height)), _CROSS), (3, 3))
        colour = self._interior(motion, region)
        if not self._shows_teeth:  # own pixels carry their own shading
            colour = cv2.multiply(colour, cv2.merge([_shade(coverage)] * 3), scale=1 / 255)
        if strength < 1.0:
            coverage = cv2.convertScaleAbs(coverage, alpha=strength)
        blend_into(rgba[y : y + height, x : x + width], colour, coverage)

    def _strength(self, opening: float) -> float:
        """How much of the drawn interior replaces the warped one: none while the lips are shut."""
        if self._shows_teeth:
            return 1.0
        return float(np.clip((opening - 0.006) / 0.02, 0.0, 1.0))

    def _with_own_teeth(self, avatar: Avatar) -> U8:
        """Put what the portrait shows between its lips in the place of the drawn teeth."""
        patch = self._skull.copy()
        height, width = patch.shape[:2]
        rest_from_patch = self._upright * self._half_px / (_PATCH_PX / 2)
        offset = self._rest[0, :2] - rest_from_patch @ (width / 2, height / 2)
        matrix = np.column_stack([rest_from_patch, offset]).astype(np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        own = cv2.warpAffine(avatar.portrait_rgb, matrix, (width, height), flags=flags)
        to_patch = np.linalg.inv(rest_from_patch).T
        inner = (avatar.landmarks_px[LIPS_INNER, :2] - offset) @ to_patch
        known = cv2.erode(polygon_mask(inner, (0, 0), (width, height)), np.ones((3, 3), np.uint8)) / 255.0
        filled = fill_unknown(own.astype(np.float32), known.astype(np.float32))
        # Own pixels reach from above the upper lip down to the lower lip; the cavity opens below.
        lower = (avatar.landmarks_px[LOWER_LIP_INNER, :2] - offset) @ to_patch
        above = np.concatenate([lower, [[width, lower[-1, 1]], [width, 0], [0, 0], [0, lower[0, 1]]]])
        coverage = cv2.GaussianBlur(
            polygon_mask(above.astype(np.float32), (0, 0), (width, height)), (0, 0), 1.5
        )
        blend_into(patch, _to_u8(filled), coverage)
        patch[..., 3] = coverage
        return patch

    def _interior(self, motion: Motion, region: tuple[int, int, int, int]) -> U8:
        skull, upper, lower = apply_head(motion.head, self._rest[:, :2], self._rest[:, 2], self._pivot)
        moved = motion.landmarks_px[:, :2]
        jaw = skull + moved[LOWER_LIP_INNER[5]] - lower
        if self._shows_teeth:
            # The picture has no gums to show: own teeth follow a lip that would uncover them.
            skull = skull + np.minimum(moved[UPPER_LIP_INNER[5]] - upper, 0.0) * (0.0, 1.0)
        colour = self._place(self._skull[..., :3], motion, skull, region)
        jaw_rgba = self._place(self._jaw, motion, jaw, region)
        teeth = self._place(np.dstack([self._skull[..., 3]] * 3), motion, skull, region)[..., 0]
        back = cv2.multiply(colour, cv2.merge([255 - jaw_rgba[..., 3]] * 3), scale=1 / 255)
        front = cv2.add(back, np.ascontiguousarray(jaw_rgba[..., :3]))
        blend_into(front, colour, teeth)
        return np.asarray(front)

    def _place(self, patch: U8, motion: Motion, centre: F32, region: tuple[int, int, int, int]) -> U8:
        """Sample a patch (centred on the resting lip line) into a region of the moved portrait."""
        x, y, width, height = region
        patch_scale = self._half_px / (_PATCH_PX / 2)
        linear = motion.head.scale * motion.head.rotation[:2, :2] @ self._upright * patch_scale
        middle = np.array([patch.shape[1] / 2, patch.shape[0] / 2])
        patch_from_region = np.linalg.inv(linear)
        offset = middle - patch_from_region @ (centre - (x, y))
        matrix = np.column_stack([patch_from_region, offset]).astype(np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        placed: U8 = cv2.warpAffine(
            patch, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return placed


def _patch_grid() -> tuple[F32, F32]:
    """Coordinates of patch pixels in half mouth widths, origin at its centre."""
    height, width = int(_PATCH_PX * 1.4), int(_PATCH_PX * 1.2)
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return (u - width / 2) / (_PATCH_PX / 2), (v - height / 2) / (_PATCH_PX / 2)


def _paint_skull(white_rgb: F32, lip_rgb: F32) -> U8:
    """Cavity and upper teeth, (h, w, 4) with the teeth's coverage as the last channel."""
    u, v = _patch_grid()
    depth = np.clip(np.hypot(u * 0.9, (v - 0.25) * 1.3), 0, 1)[..., None]
    cavity = _dark(lip_rgb) * (0.35 + 0.65 * depth)
    edge = _TEETH_SHOWN * (1.0 - 0.55 * u**2) - 0.03 * _near_tooth_edge(u)
    coverage = _soft_step((edge - v) / 0.02) * _soft_step((0.98 - np.abs(u)) / 0.06)
    shade = (1.0 - 0.62 * np.clip(np.abs(u), 0, 1) ** 1.6) * (0.86 + 0.14 * _soft_step((v + 0.25) / 0.3))
    shade *= 1.0 - 0.12 * _near_tooth_edge(u)
    teeth = _tooth_rgb(white_rgb) * shade[..., None]
    colour = cavity * (1 - coverage[..., None]) + teeth * coverage[..., None]
    return _to_u8(np.dstack([colour, 255 * coverage]))


def _paint_jaw(white_rgb: F32, lip_rgb: F32) -> U8:
    """Tongue and the tips of the lower teeth, (h, w, 4) premultiplied, origin on the lower lip's rest."""
    u, v = _patch_grid()
    tongue_top = -0.36 + 0.42 * u**2
    tongue = 0.9 * _soft_step((v - tongue_top) / 0.22) * _soft_step((0.8 - np.abs(u)) / 0.25)
    tongue_rgb = lip_rgb * np.array([0.62, 0.52, 0.52], np.float32)
    top = 0.0 + 0.12 * u**2 + 0.02 * _near_tooth_edge(u * 1.35)
    teeth = 0.8 * _soft_step((v - top) / 0.02) * _soft_step((0.62 - np.abs(u)) / 0.1)
    shade = 0.62 * (1.0 - 0.7 * np.abs(u))[..., None] * (1.0 - 0.12 * _near_tooth_edge(u * 1.35))[..., None]
    colour = tongue_rgb * tongue[..., None] * (1 - teeth[..., None])
    colour = colour + _tooth_rgb(white_rgb) * shade * teeth[..., None]
    return _to_u8(np.dstack([colour, 255 * (tongue * (1 - teeth) + teeth)]))


def _near_tooth_edge(u: F32) -> F32:
    """1 on the gaps between teeth, 0 between them."""
    gaps = [np.exp(-(((np.abs(u) - edge) / 0.018) ** 2)) for edge in _TOOTH_EDGES]
    return np.asarray(np.max(gaps, axis=0), np.float32)


def _shade(coverage: U8) -> U8:
    """Darken towards the lips, most under the upper one, as light enters from the middle."""
    height, width = coverage.shape
    soft = cv2.blur(coverage, (max(3, int(0.25 * width)) | 1, max(3, int(0.5 * height)) | 1))
    shade: U8 = cv2.convertScaleAbs(soft, alpha=0.75, beta=70)
    return shade


def _tooth_rgb(white_rgb: F32) -> F32:
    """Teeth are a little warmer and lighter than the whites of the eyes."""
    light = float(np.clip(white_rgb.mean() * 1.08, 60, 225))
    tint = white_rgb / max(float(white_rgb.mean()), 1.0)
    colour: F32 = light * (0.6 + 0.4 * tint) * np.array([1.03, 1.0, 0.93], np.float32)
    return colour


def _dark(lip_rgb: F32) -> F32:
    dark: F32 = lip_rgb * np.array([0.30, 0.22, 0.22], np.float32)
    return dark


def _mean_inside(picture: U8, outline_px: F32) -> F32:
    height, width = picture.shape[:2]
    mask = polygon_mask(outline_px, (0, 0), (width, height))
    return np.array(cv2.mean(picture, mask)[:3], np.float32)


def _soft_step(t: F32) -> F32:
    t = np.clip(t + 0.5, 0.0, 1.0)
    step: F32 = t * t * (3.0 - 2.0 * t)
    return step


def _to_u8(picture: F32) -> U8:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
