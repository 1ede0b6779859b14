"""Eyes as layers: an eyeball behind the lids, with an iris that moves under them.

The portrait shows only a part of the eyeball. When it is loaded, the sclera is completed behind
iris and lids, and the iris to a full disc (mirrored from below where the upper lid hides it), so
that gaze can move the iris and the lids can open wider without pulling the picture like rubber.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Floats, Motion
from facepuppet.face.topology import EYES, EyeTopology
from facepuppet.frames.cpu.render.patches import (
    blend_into,
    fill_unknown,
    polygon_mask,
    region_around,
    sample,
    to_u8,
)
from facepuppet.portrait.avatar import Avatar

_EYE_WIDTH_PX = 96  # resolution at which eyeballs are kept, unless the portrait's own is finer
_INSET = 0.14  # rim of the opening that belongs to lashes and lids, as a share of the aperture
_WIDEST_INSET = 0.05  # of the eye's width: on eyes wide open lashes are no longer than on others
_SHUT = 0.02  # opening below which nothing of the eyeball is seen
_IRIS_EDGE = 0.16  # softness of the iris' rim, as a share of its radius


@dataclass(frozen=True, slots=True)
class Eyeball:
    """One completed eye in its own patch.

    Attributes:
        patch_from_portrait: (2, 3) float32 affine.
        sclera_rgb: (h, w, 3) uint8, iris and lids removed.
        iris_rgba: (h, w, 4) uint8, premultiplied, the iris completed where it was hidden.
    """

    topology: EyeTopology
    patch_from_portrait: F32
    sclera_rgb: U8
    iris_rgba: U8


@dataclass(frozen=True, slots=True)
class PlacedEye:
    """Where one eyeball is drawn in a moved portrait.

    Attributes:
        box_px: x, y, width and height of the region that it lies in.
        outline_px: (16, 2) float32, what is seen of it, in the portrait frame.
        sclera_from_box, iris_from_box: (2, 3) float32, pixels of the region to pixels of its pictures.
        closing: 0 is as open as in the portrait, 1 is shut.
        fade: share in [0, 1] that it is drawn with.
    """

    box_px: tuple[int, int, int, int]
    outline_px: F32
    sclera_from_box: F32
    iris_from_box: F32
    closing: float
    fade: float


class Eyes:
    """Draws both eyeballs behind the moved lids.

    Attributes:
        eyeballs: image-left first.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._size = avatar.size_px
        self._rest = avatar.landmarks_px[:, :2]
        self.eyeballs = tuple(_build_eyeball(avatar, eye) for eye in EYES)

    @property
    def white_rgb(self) -> F32:
        """Colour (3,) of the lightest tenth of the whites, a reference for teeth."""
        pixels = np.concatenate([eyeball.sclera_rgb.reshape(-1, 3) for eyeball in self.eyeballs])
        lightness = pixels.mean(1)
        white: F32 = pixels[lightness >= np.percentile(lightness, 90)].mean(0).astype(np.float32)
        return white

    def draw(self, rgba: U8, motion: Motion) -> None:
        """Draw into the warped picture, in place."""
        for eyeball, placed in zip(self.eyeballs, self.place(motion), strict=True):
            if placed is not None:
                _draw_one(rgba, eyeball, placed)

    def place(self, motion: Motion) -> tuple[PlacedEye | None, PlacedEye | None]:
        """Return where each eyeball goes; None when its lids are shut or it left the picture."""
        rest_from_moved = np.linalg.inv(motion.head.scale * motion.head.rotation[:2, :2])
        left, right = (
            self._place_one(eyeball, motion, opening, rest_from_moved) if opening > _SHUT else None
            for eyeball, opening in zip(self.eyeballs, motion.eye_opening.tolist(), strict=True)
        )
        return left, right

    def _place_one(
        self, eyeball: Eyeball, motion: Motion, opening: float, rest_from_moved: F32
    ) -> PlacedEye | None:
        eye, moved = eyeball.topology, motion.landmarks_px[:, :2]
        outline = opening_outline(moved, eye)
        box = region_around(outline, 2.0, self._size)
        if box is None:
            return None
        # The white turns about the middle between the eye's corners, the iris about its own.
        (outer, inner), iris = moved[[eye.outer, eye.inner]], moved[eye.iris_centre]
        (rest_outer, rest_inner), rest_iris = self._rest[[eye.outer, eye.inner]], self._rest[eye.iris_centre]
        turn = eyeball.patch_from_portrait[:, :2] @ rest_from_moved
        return PlacedEye(
            box,
            outline,
            _patch_from_box(eyeball, turn, (outer + inner) / 2, (rest_outer + rest_inner) / 2, box),
            _patch_from_box(eyeball, turn, iris, rest_iris, box),
            1.0 - opening,
            min(1.0, opening / 0.12),
        )


def opening_outline(landmarks_px: F32, eye: EyeTopology) -> F32:
    """Outline (16, 2) of the visible eyeball: the lids' rims, drawn in by the width of the lashes."""
    upper, lower = landmarks_px[eye.upper_lid, :2], landmarks_px[eye.lower_lid, :2]
    aperture = lower - upper
    width = np.linalg.norm(upper[0] - upper[-1])
    height = np.maximum(np.linalg.norm(aperture, axis=1, keepdims=True), 1e-6)
    inset = aperture * np.minimum(_INSET, _WIDEST_INSET * width / height)
    outline: F32 = np.concatenate([upper + inset, (lower - inset)[-2:0:-1]])
    return outline


def _build_eyeball(avatar: Avatar, eye: EyeTopology) -> Eyeball:
    landmarks = avatar.landmarks_px[:, :2]
    width_px = float(np.linalg.norm(landmarks[eye.outer] - landmarks[eye.inner]))
    scale = max(1.0, _EYE_WIDTH_PX / max(width_px, 1.0))
    centre = landmarks[[eye.outer, eye.inner]].mean(0)
    size = (int(2.0 * width_px * scale), int(1.4 * width_px * scale))
    offset = np.array(size, np.float32) / 2 - scale * centre
    patch_from_portrait = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float32)
    picture = cv2.warpAffine(
        avatar.portrait_rgb, patch_from_portrait, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    outline = opening_outline(landmarks, eye) * scale + offset
    open_area = polygon_mask(outline, (0, 0), size).astype(np.float32) / np.float32(255)
    iris_centre = landmarks[eye.iris_centre] * scale + offset
    ring = landmarks[eye.iris_ring] * scale + offset
    radius = float(np.linalg.norm(ring - iris_centre, axis=1).mean())
    gx, gy = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    from_centre = np.hypot(gx - iris_centre[0], gy - iris_centre[1]) / max(radius, 1.0)
    sclera = _complete_sclera(picture, open_area, from_centre)
    iris = _complete_iris(picture, open_area, iris_centre, radius)
    alpha = np.clip((1.0 + _IRIS_EDGE - from_centre) / (2 * _IRIS_EDGE), 0.0, 1.0)
    iris_rgba = np.dstack([iris * alpha[..., None], 255 * alpha])
    return Eyeball(eye, patch_from_portrait, to_u8(sclera), to_u8(iris_rgba))


def _complete_sclera(picture: F32, open_area: F32, from_centre: F32) -> F32:
    """Remove iris and lids by filling from the visible white."""
    known = open_area * (from_centre > 1.0 + 1.5 * _IRIS_EDGE)
    if known.sum() < 12:  # hardly any white is visible: a pale tint of what is there
        tint = picture[open_area > 0.5].mean(0) if (open_area > 0.5).any() else picture.mean((0, 1))
        return np.broadcast_to(0.4 * tint + 0.6 * 205.0, picture.shape).astype(np.float32)
    return fill_unknown(picture, known.astype(np.float32))


def _complete_iris(picture: F32, open_area: F32, centre: Floats, radius: float) -> F32:
    """Complete the iris disc in polar coordinates: mirror top from bottom, else the ring's mean."""
    n_angles, n_radii = 180, 48
    size = (n_radii, n_angles)
    reach = radius * (1 + 2 * _IRIS_EDGE)
    middle = (float(centre[0]), float(centre[1]))
    # Without the second flag OpenCV leaves what lies outside uninitialised.
    flags = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    polar = cv2.warpPolar(picture, size, middle, reach, flags)
    known = cv2.warpPolar(open_area, size, middle, reach, flags) > 0.05
    mirrored = -np.arange(n_angles) % n_angles  # angle θ ↦ −θ: top and bottom change places
    take = ~known & known[mirrored]
    polar[take] = polar[mirrored][take]
    known |= take
    count = known.sum(0)
    mean = (polar * known[..., None]).sum(0) / np.maximum(count, 1)[:, None]
    seen = np.flatnonzero(count)
    if len(seen) == 0:
        return picture
    nearest = seen[np.abs(np.arange(n_radii)[:, None] - seen[None]).argmin(1)]
    polar = np.where(known[..., None], polar, mean[nearest][None])
    height, width = picture.shape[:2]
    completed: F32 = cv2.warpPolar(
        polar.astype(np.float32), (width, height), middle, reach, flags | cv2.WARP_INVERSE_MAP
    )
    return completed


def _patch_from_box(
    eyeball: Eyeball, turn: F32, moved_px: F32, rest_px: F32, box_px: tuple[int, int, int, int]
) -> F32:
    """The (2, 3) map from a region of the moved portrait to an eyeball's pictures.

    Args:
        eyeball: of the eye.
        turn: (2, 2) its linear part.
        moved_px: a point (2,) of the moved portrait.
        rest_px: what is seen there, in the portrait at rest.
        box_px: x, y, width and height of the region.
    """
    in_patch = eyeball.patch_from_portrait[:, :2] @ rest_px + eyeball.patch_from_portrait[:, 2]
    offset = in_patch - turn @ (moved_px - box_px[:2])
    patch_from_box: F32 = np.column_stack([turn, offset]).astype(np.float32)
    return patch_from_box


def _draw_one(rgba: U8, eyeball: Eyeball, placed: PlacedEye) -> None:
    x, y, width, height = placed.box_px
    sclera = sample(eyeball.sclera_rgb, placed.sclera_from_box, (width, height))
    iris = sample(eyeball.iris_rgba, placed.iris_from_box, (width, height))
    colour = cv2.multiply(sclera, cv2.merge([255 - iris[..., 3]] * 3), scale=1 / 255)
    colour = cv2.add(colour, np.ascontiguousarray(iris[..., :3]))
    coverage = polygon_mask(placed.outline_px, (x, y), (width, height))
    colour = _shade_under_lid(colour, coverage, placed.closing)
    if placed.fade < 1.0:
        coverage = cv2.convertScaleAbs(coverage, alpha=placed.fade)
    blend_into(rgba[y : y + height, x : x + width], colour, coverage)


def _shade_under_lid(colour: U8, coverage: U8, closing: float) -> U8:
    """A lid that has come down casts a shadow on the eyeball below its rim."""
    if closing <= 0.05:
        return colour
    height = coverage.shape[0]
    soft = cv2.blur(coverage, (1, max(3, int(0.4 * height)) | 1))
    shade = cv2.convertScaleAbs(soft, alpha=0.55 * closing, beta=255 * (1 - 0.55 * closing))
    shaded: U8 = cv2.multiply(colour, cv2.merge([shade] * 3), scale=1 / 255)
    return shaded
