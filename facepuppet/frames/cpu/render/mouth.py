"""The mouth's interior by geometry, until a trained painter takes it over.

Cavity, upper teeth and gums are fixed to the skull; tongue and lower teeth to the jaw, which hangs as low as
the chin says. All turn with the head in three dimensions. A portrait that shows its own teeth keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.head_pose import fit_head
from facepuppet.face.mouth_model import mouth_model
from facepuppet.face.topology import (
    CHIN,
    INNER_MOUTH_CORNERS,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
)
from facepuppet.frames.cpu.render.body import apply_head
from facepuppet.frames.cpu.render.dentition import Light, Palette, paint_layers, saturation
from facepuppet.frames.cpu.render.face_light import face_light
from facepuppet.frames.cpu.render.patches import (
    blend_into,
    fill_unknown,
    lay_layer,
    polygon_mask,
    region_around,
    to_u8,
)
from facepuppet.frames.cpu.render.relief import PlacedLayer, Relief
from facepuppet.portrait.avatar import Avatar

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_OPEN_PORTRAIT = 0.035  # inner-lip gap over inter-ocular distance from which the portrait shows its own teeth
# Of upper and lower teeth, more than the model shows: parted lips are shorter than pressed ones.
_SHOWN_CM = (0.1, 0.2)
# How far lower teeth rise above the lower lip's edge at most, and hide below it, whatever the chin says.
_ABOVE_LIP_CM, _BELOW_LIP_CM = 0.2, 0.2
_LIPS_OWN = 0.55  # how much less the jaw sank where the lip sank more than the chin
_PARTED = 0.8  # of a gap between resting lips, how much of it is the jaw's
_ASIDE = 0.5  # how far teeth follow the chin aside: on turned heads, trackers move it too
_OWN_CM = 1.2  # how much farther down own teeth may reach
_PALE, _GREY = 0.75, 0.1  # teeth are less colourful than lips, unless the picture has no colours
_RIM_CM = 0.07
_OWN_PX = 30  # fewer pixels between the lips tell no colour
_MOST_DROP = 1.2  # of the jaw
_TONGUE_CM = 0.5  # how much lower it lies than the model's, which fills the mouth


@dataclass(frozen=True, slots=True)
class PlacedMouth:
    """Where the interior is drawn in a moved portrait.

    Attributes:
        box_px: x, y, width and height of the region that it lies in.
        outline_px: (20, 2) float32, the moved inner lips, in the portrait frame.
        layers: where each layer goes in the region, in the order of `Mouth.layers`.
        strength: share in (0, 1] that it is drawn with.
    """

    box_px: tuple[int, int, int, int]
    outline_px: F32
    layers: tuple[PlacedLayer, ...]
    strength: float


class Mouth:
    """Draws the interior between the moved inner lips.

    Args:
        avatar: the portrait.
        white_rgb: (3,) the portrait's own white (of its eyes), which sets the teeth's colour.

    Attributes:
        shows_teeth: the portrait has teeth of its own to show.
        layers: cavity, tongue, lower and upper teeth, from the back to the front.
    """

    def __init__(self, avatar: Avatar, white_rgb: F32) -> None:
        self._size = avatar.size_px
        landmarks = avatar.landmarks_px
        self._model, self._pivot = mouth_model(), avatar.head_pivot_px
        # Line between the lips, upper lip, lower lip, chin.
        upper, lower = landmarks[[UPPER_LIP_INNER[5], LOWER_LIP_INNER[5]]]
        self._rest = np.stack([(upper + lower) / 2, upper, lower, landmarks[CHIN]])
        head = fit_head(landmarks)
        self._rest_from_model = (head.rotation @ self._model.head_from_model).astype(np.float32)
        self._px_per_cm = head.scale / self._model.cm_per_unit
        gap_px = float(np.linalg.norm(np.subtract(upper, lower)[:2]))
        self._rest_gap_cm = gap_px / self._px_per_cm
        self.shows_teeth = gap_px > _OPEN_PORTRAIT * avatar.inter_ocular_px
        lip_rgb = _mean_inside(avatar.portrait_rgb, landmarks[LIPS_OUTER, :2])
        palette, light = Palette.of(white_rgb, lip_rgb), face_light(avatar)
        if self.shows_teeth:
            palette = _with_own_teeth_colour(palette, avatar)
        light = Light(light.even, self._rest_from_model.T @ light.aimed)
        self.layers = paint_layers(self._model, palette, light, self._px_per_cm)
        if self.shows_teeth:
            self.layers["upper"] = self._with_own_teeth(avatar, self.layers["upper"])

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
        linear = motion.head.scale * self._px_per_cm * motion.head.rotation[:2] @ self._rest_from_model
        at_rest = apply_head(motion.head, self._rest[:, :2], self._rest[:, 2], self._pivot)
        skull = at_rest[0] + linear[:, 1] * np.float32(_SHOWN_CM[0])
        turn, jaw_cm = self._jaw(motion, linear, at_rest)
        on_jaw, jaw = linear @ turn, at_rest[0] + linear @ jaw_cm
        if self.shows_teeth:
            # The picture has no gums to show: own teeth follow a lip that would uncover them.
            skull = skull + np.minimum(moved[UPPER_LIP_INNER[5]] - at_rest[1], 0.0) * (0.0, 1.0)
        tongue = jaw + on_jaw[:, 1] * np.float32(_TONGUE_CM)
        places = {"lower": (on_jaw, jaw), "tongue": (on_jaw, tongue)}
        placed = tuple(
            layer.place(*places.get(name, (linear, skull)), box) for name, layer in self.layers.items()
        )
        return PlacedMouth(box, moved[LIPS_INNER], placed, strength)

    def _jaw(self, motion: Motion, linear: F32, at_rest: F32) -> tuple[F32, F32]:
        """Turn (3, 3) and shift (3,) cm of what the jaw carries, from how the model shows it."""
        model, moved = self._model, motion.landmarks_px[:, :2]
        sunk = np.stack([moved[CHIN] - at_rest[3], moved[LOWER_LIP_INNER[5]] - at_rest[2]])
        (chin_x, chin_y), (_, lip_y) = (sunk @ np.linalg.inv(linear[:, :2]).T).tolist()
        # Lips pulled off the teeth are not a dropped jaw, and a chin hidden by the tracker is not a shut one.
        by_chin, by_lip = chin_y / model.chin_cm, lip_y / model.lip_cm
        # Lips that are parted at rest show teeth, which are shut as a rule.
        drop = by_chin + _LIPS_OWN * (by_chin - by_lip) + _PARTED * self._rest_gap_cm / model.lip_cm
        lip = lip_y + self._rest_gap_cm / 2
        low, high = (lip - _ABOVE_LIP_CM) / model.teeth_cm, (lip + _BELOW_LIP_CM) / model.teeth_cm
        drop = min(max(drop, low, -0.05), high, _MOST_DROP)
        angle = model.jaw_rad * (drop - model.drop)
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]], np.float32)
        hinge = np.array([0.0, *model.hinge_cm], np.float32)
        shift: F32 = hinge - turn @ hinge
        shift += (_ASIDE * chin_x, -_SHOWN_CM[1], 0.0)
        return turn, shift

    def _strength(self, opening: float) -> float:
        """How much of the drawn interior replaces the warped one: none while the lips are shut."""
        if self.shows_teeth:
            return 1.0
        return float(np.clip((opening - 0.006) / 0.02, 0.0, 1.0))

    def _with_own_teeth(self, avatar: Avatar, drawn: Relief) -> Relief:
        """Put what the portrait shows between its lips in the place of the drawn teeth."""
        linear = np.float32(self._px_per_cm) * self._rest_from_model[:2]
        # The picture may show more than the model's teeth are long.
        more = round(_OWN_CM * drawn.px_per_cm)
        drawn = drawn.repainted(np.pad(drawn.rgba, ((0, more), (0, 0), (0, 0))))
        at = drawn.points_cm() @ linear.T + (self._rest[0, :2] + linear[:, 1] * np.float32(_SHOWN_CM[0]))
        x, y = cv2.split(at.astype(np.float32))
        own = cv2.remap(avatar.portrait_rgb, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        landmarks = avatar.landmarks_px[:, :2]
        known = cv2.erode(polygon_mask(landmarks[LIPS_INNER], (0, 0), self._size), np.ones((3, 3), np.uint8))
        known = cv2.remap(known, x, y, cv2.INTER_LINEAR)
        filled = fill_unknown(own.astype(np.float32), known.astype(np.float32) / 255)
        # Own pixels reach from above the upper lip down to the lower lip; the cavity opens below.
        lower = landmarks[LOWER_LIP_INNER]
        across, up = np.subtract(*landmarks[INNER_MOUTH_CORNERS[::-1]]), -linear[:, 1] * 3
        ends = [lower[-1] + across, lower[-1] + across + up, lower[0] - across + up, lower[0] - across]
        above = polygon_mask(np.concatenate([lower, ends]).astype(np.float32), (0, 0), self._size)
        rim = np.ones(
            (2 * round(_RIM_CM * drawn.px_per_cm) + 1, 1), np.uint8
        )  # of the lower lip, in their edge
        coverage = cv2.erode(cv2.remap(above, x, y, cv2.INTER_LINEAR), rim)
        coverage = cv2.GaussianBlur(coverage, (0, 0), 1.0)
        coverage[:, [0, -1]] = coverage[-1] = 0
        colour = cv2.multiply(to_u8(filled), cv2.merge([coverage] * 3), scale=1 / 255)
        return drawn.repainted(np.dstack([colour, coverage]))

    def _interior(self, placed: PlacedMouth) -> U8:
        size = placed.box_px[2:]
        back, *others = zip(self.layers.values(), placed.layers, strict=True)
        front = back[0].sample(back[1], size)
        for layer, where in others:
            lay_layer(front, layer.sample(where, size))
        return np.ascontiguousarray(front[..., :3])


def _shade(coverage: U8) -> U8:
    """Darken towards the lips, most under the upper one, as light enters from the middle."""
    height, width = coverage.shape
    soft = cv2.blur(coverage, (max(3, int(0.25 * width)) | 1, max(3, int(0.5 * height)) | 1))
    shade: U8 = cv2.convertScaleAbs(soft, alpha=0.75, beta=70)
    return shade


def _with_own_teeth_colour(palette: Palette, avatar: Avatar) -> Palette:
    """Drawn teeth are coloured as the portrait's own, where what shines between its lips can be teeth."""
    width, height = avatar.size_px
    inside = polygon_mask(avatar.landmarks_px[LIPS_INNER, :2], (0, 0), (width, height)) > 254
    pixels = avatar.portrait_rgb[inside].astype(np.float32)
    if len(pixels) < _OWN_PX:
        return palette
    lightness = pixels.mean(1)
    shining = pixels[lightness >= np.percentile(lightness, 70)].mean(0)
    flesh = palette.flesh_rgb
    pale = saturation(shining) < _PALE * saturation(flesh) or saturation(flesh) < _GREY
    return replace(palette, tooth_rgb=shining) if pale and shining.mean() > flesh.mean() else palette


def _mean_inside(picture: U8, outline_px: F32) -> F32:
    height, width = picture.shape[:2]
    mask = polygon_mask(outline_px, (0, 0), (width, height))
    return np.array(cv2.mean(picture, mask)[:3], np.float32)
