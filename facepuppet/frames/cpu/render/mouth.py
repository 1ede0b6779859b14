"""The mouth's interior by geometry, until a trained painter takes it over.

A cavity and the upper teeth are fixed to the skull; tongue and lower teeth follow the jaw. A portrait
that shows its own teeth keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import (
    INNER_MOUTH_CORNERS,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
    MOUTH_CORNERS,
    UPPER_LIP_INNER,
)
from facepuppet.frames.cpu.render.body import apply_head
from facepuppet.frames.cpu.render.dentition import PATCH_PX, paint_jaw, paint_skull
from facepuppet.frames.cpu.render.patches import (
    blend_into,
    fill_unknown,
    polygon_mask,
    region_around,
    sample,
    to_u8,
)
from facepuppet.portrait.avatar import Avatar

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_OPEN_PORTRAIT = 0.035  # inner-lip gap over inter-ocular distance from which the portrait shows its own teeth


@dataclass(frozen=True, slots=True)
class PlacedMouth:
    """Where the interior is drawn in a moved portrait.

    Attributes:
        box_px: x, y, width and height of the region that it lies in.
        outline_px: (20, 2) float32, the moved inner lips, in the portrait frame.
        skull_from_box, jaw_from_box: (2, 3) float32, pixels of the region to pixels of the patches.
        strength: share in (0, 1] that it is drawn with.
    """

    box_px: tuple[int, int, int, int]
    outline_px: F32
    skull_from_box: F32
    jaw_from_box: F32
    strength: float


class Mouth:
    """Draws the interior between the moved inner lips.

    Args:
        avatar: the portrait.
        white_rgb: (3,) the portrait's own white (of its eyes), which sets the teeth's colour.

    Attributes:
        shows_teeth: the portrait has teeth of its own to show.
        skull: (h, w, 4) uint8, cavity and upper teeth, with the teeth's coverage.
        jaw: (h, w, 4) uint8, tongue and lower teeth, premultiplied.
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
        self.shows_teeth = (
            np.linalg.norm(np.subtract(*middle[:, :2])) > _OPEN_PORTRAIT * avatar.inter_ocular_px
        )
        lip_rgb = _mean_inside(avatar.portrait_rgb, landmarks[LIPS_OUTER, :2])
        self.jaw = paint_jaw(white_rgb, lip_rgb)
        self.skull = paint_skull(white_rgb, lip_rgb)
        if self.shows_teeth:
            self.skull = self._with_own_teeth(avatar)

    def draw(self, rgba: U8, motion: Motion) -> None:
        """Draw into the warped picture, in place; nothing where the lips are shut."""
        placed = self.place(motion)
        if placed is None:
            return
        x, y, width, height = placed.box_px
        # Slivers between touching lips are not an opening.
        mask = polygon_mask(placed.outline_px, (x, y), (width, height))
        coverage = cv2.blur(cv2.erode(mask, _CROSS), (3, 3))
        colour = self._interior(placed)
        if not self.shows_teeth:  # own pixels carry their own shading
            colour = cv2.multiply(colour, cv2.merge([_shade(coverage)] * 3), scale=1 / 255)
        if placed.strength < 1.0:
            coverage = cv2.convertScaleAbs(coverage, alpha=placed.strength)
        blend_into(rgba[y : y + height, x : x + width], colour, coverage)

    def place(self, motion: Motion) -> PlacedMouth | None:
        """Return where the interior goes; None when the lips are shut or left the picture."""
        strength = self._strength(motion.mouth_opening)
        moved = motion.landmarks_px[:, :2]
        box = region_around(moved[LIPS_INNER], 2.0, self._size)
        if strength <= 0.0 or box is None:
            return None
        skull, upper, lower = apply_head(motion.head, self._rest[:, :2], self._rest[:, 2], self._pivot)
        jaw = skull + moved[LOWER_LIP_INNER[5]] - lower
        if self.shows_teeth:
            # The picture has no gums to show: own teeth follow a lip that would uncover them.
            skull = skull + np.minimum(moved[UPPER_LIP_INNER[5]] - upper, 0.0) * (0.0, 1.0)
        return PlacedMouth(
            box,
            moved[LIPS_INNER],
            self._patch_from_box(self.skull, motion, skull, box),
            self._patch_from_box(self.jaw, motion, jaw, box),
            strength,
        )

    def _strength(self, opening: float) -> float:
        """How much of the drawn interior replaces the warped one: none while the lips are shut."""
        if self.shows_teeth:
            return 1.0
        return float(np.clip((opening - 0.006) / 0.02, 0.0, 1.0))

    def _with_own_teeth(self, avatar: Avatar) -> U8:
        """Put what the portrait shows between its lips in the place of the drawn teeth."""
        patch = self.skull.copy()
        height, width = patch.shape[:2]
        rest_from_patch = self._upright * self._half_px / (PATCH_PX / 2)
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
        blend_into(patch, to_u8(filled), coverage)
        patch[..., 3] = coverage
        return patch

    def _interior(self, placed: PlacedMouth) -> U8:
        size = placed.box_px[2:]
        skull_rgba = sample(self.skull, placed.skull_from_box, size)
        colour, teeth = np.ascontiguousarray(skull_rgba[..., :3]), skull_rgba[..., 3]
        jaw_rgba = sample(self.jaw, placed.jaw_from_box, size)
        back = cv2.multiply(colour, cv2.merge([255 - jaw_rgba[..., 3]] * 3), scale=1 / 255)
        front = cv2.add(back, np.ascontiguousarray(jaw_rgba[..., :3]))
        blend_into(front, colour, teeth)
        return np.asarray(front)

    def _patch_from_box(
        self, patch: U8, motion: Motion, centre: F32, box_px: tuple[int, int, int, int]
    ) -> F32:
        """The (2, 3) map from a region of the moved portrait to a patch, centred on the resting lip line."""
        patch_scale = self._half_px / (PATCH_PX / 2)
        linear = motion.head.scale * motion.head.rotation[:2, :2] @ self._upright * patch_scale
        middle = np.array([patch.shape[1] / 2, patch.shape[0] / 2])
        inverse = np.linalg.inv(linear)
        offset: F32 = middle - inverse @ (centre - box_px[:2])
        return np.column_stack([inverse, offset]).astype(np.float32)


def _shade(coverage: U8) -> U8:
    """Darken towards the lips, most under the upper one, as light enters from the middle."""
    height, width = coverage.shape
    soft = cv2.blur(coverage, (max(3, int(0.25 * width)) | 1, max(3, int(0.5 * height)) | 1))
    shade: U8 = cv2.convertScaleAbs(soft, alpha=0.75, beta=70)
    return shade


def _mean_inside(picture: U8, outline_px: F32) -> F32:
    height, width = picture.shape[:2]
    mask = polygon_mask(outline_px, (0, 0), (width, height))
    return np.array(cv2.mean(picture, mask)[:3], np.float32)
