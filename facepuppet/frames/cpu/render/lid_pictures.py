"""Pictures of shut lids, made once a portrait from its own skin, strokes and lashes.

No portrait with open eyes shows its lids. Their colour goes on from the skin above the eye with its light;
their grain (pores, brush strokes, cracks) is that of the cheek below, mirrored; the lash line takes its
colour from the upper rim and its softness from the sharpest edges around the eye.

Everything lies in the eye's own frame: u runs from the outer corner (0) to the inner one (1), w downwards
across it, both in eye widths. Rows of a picture are counted from the rim of the lid, whatever its curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Floats
from facepuppet.face.topology import EyeTopology
from facepuppet.frames.cpu.render.patches import fill_unknown, polygon_mask, to_u8
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.sharpness import edge_blur_px
from facepuppet.retarget.lids import MEETING_HEIGHT

SIDE, ABOVE, BELOW = 0.15, 0.75, 0.25  # what a picture shows beyond the corners and on both sides of the rim
_TOP, _BOTTOM = -0.95, 1.1  # of the straightened surroundings of an eye
_LEAST_PX, _MOST_PX = 96, 320  # of an eye's width in the pictures
_FROM_FOLD, _TO_BROW, _HIGHEST = 0.1, 0.7, 0.6  # of the way, between which skin is known to be skin
_UNDER = 0.2  # of skin below the eye
_FILLED_PX = 40  # of an eye's width, where colours are carried on
_CREASE, _BULGE = (0.18, 0.12), (0.5, 0.2)  # place and reach between fold (0) and rim (1)
_CREASE_SHADE, _BULGE_LIGHT, _RIM_SHADE = 0.07, 0.02, 0.1
_LINE_WIDTH = 0.046
_CRISP, _SOFT = 0.022, 0.055  # bounds of the softness of the line, which follows that of the picture's edges
_LASH_STRENGTH, _LASH_SOFTER = 0.8, 0.2  # of the line among sharp edges, and how much less among soft ones
_SHADOW_STRENGTH, _SHADOW_REACH = 0.35, 0.05
_N_LASHES, _LASH_LENGTH, _LASH_DARKNESS = 30, 0.1, 0.55


@dataclass(frozen=True, slots=True)
class LidPicture:
    """What one eye shows when it shuts.

    Attributes:
        topology: which eye.
        frame_from_portrait: (2, 2) float32, differences in the portrait at rest to (u, w).
        scale: pixels of the pictures to an eye's width.
        fold: (9, 2) float32, the fold of the open eye between its corners, in (u, w).
        skin_rgba, lash_rgba: (h, w, 4) uint8, not premultiplied.
    """

    topology: EyeTopology
    frame_from_portrait: F32
    scale: float
    fold: F32
    skin_rgba: U8
    lash_rgba: U8


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """An eye of the portrait, straightened.

    Attributes:
        picture: (h, w, 3) float32.
        scale: pixels to an eye's width.
        points: (478, 2) float32, the portrait's landmarks as (u, w).
    """

    picture: F32
    scale: float
    points: F32

    def column(self, u: Floats) -> F32:
        """Columns of the picture."""
        return np.asarray((u + SIDE) * self.scale, np.float32)

    def row(self, w: Floats) -> F32:
        """Rows of the picture."""
        return np.asarray((w - _TOP) * self.scale, np.float32)

    def mask(self, outline: F32) -> F32:
        """Coverage (h, w) in [0, 1] of a closed outline (n, 2) in (u, w)."""
        height, width = self.picture.shape[:2]
        pixels = np.stack([self.column(outline[:, 0]), self.row(outline[:, 1])], axis=1)
        return polygon_mask(pixels, (0, 0), (width, height)).astype(np.float32) / np.float32(255)


def frame_of(landmarks_px: F32, eye: EyeTopology) -> F32:
    """(2, 2) from differences in the portrait at rest to (u, w)."""
    along = landmarks_px[eye.inner, :2] - landmarks_px[eye.outer, :2]
    across = np.array([-along[1], along[0]], np.float32)
    if along[0] < 0:  # downwards in both eyes
        across = -across
    frame: F32 = (np.stack([along, across]) / max(float(along @ along), 1e-6)).astype(np.float32)
    return frame


def lid_picture(avatar: Avatar, eye: EyeTopology) -> LidPicture:
    """Make the pictures of one lid."""
    around = _surroundings(avatar, eye)
    points = around.points
    aperture = points[eye.lower_lid] - points[eye.upper_lid]
    rim = points[eye.lower_lid] - MEETING_HEIGHT * aperture
    fold = np.concatenate([rim[:1], points[eye.upper_fold], rim[-1:]])
    u = (np.arange(round((1 + 2 * SIDE) * around.scale), dtype=np.float32) / around.scale) - SIDE
    d = (np.arange(round((ABOVE + BELOW) * around.scale), dtype=np.float32) / around.scale)[:, None] - ABOVE
    w = d + np.interp(u, *rim.T).astype(np.float32)
    blur = edge_blur_px(to_u8(around.picture), np.ones(around.picture.shape[:2], bool)) / around.scale
    skin = _skin(around, eye, u, w) * _shading(w, u, rim, fold)[..., None]
    alpha = smoothstep((0.03 - d) / 0.03) * smoothstep((u + 0.04) / 0.16) * smoothstep((1.04 - u) / 0.16)
    lash = np.empty((*w.shape, 3), np.float32)
    lash[:] = _lash_rgb(around, eye)
    return LidPicture(
        eye,
        frame_of(avatar.landmarks_px, eye),
        around.scale,
        fold,
        to_u8(np.dstack([skin, 255 * alpha])),
        to_u8(np.dstack([lash, 255 * _lash_alpha(u, d, around.scale, blur)])),
    )


def _surroundings(avatar: Avatar, eye: EyeTopology) -> _Surroundings:
    landmarks = avatar.landmarks_px[:, :2]
    frame = frame_of(avatar.landmarks_px, eye)
    points = ((landmarks - landmarks[eye.outer]) @ frame.T).astype(np.float32)
    width_px = float(np.linalg.norm(landmarks[eye.inner] - landmarks[eye.outer]))
    scale = min(max(width_px, _LEAST_PX), _MOST_PX)
    linear = scale * frame
    offset = scale * np.array([SIDE, -_TOP]) - linear @ landmarks[eye.outer]
    size = (round((1 + 2 * SIDE) * scale), round((_BOTTOM - _TOP) * scale))
    picture = cv2.warpAffine(
        avatar.portrait_rgb,
        np.column_stack([linear, offset]),
        size,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return _Surroundings(picture.astype(np.float32), scale, points)


def _skin(around: _Surroundings, eye: EyeTopology, u: F32, w: F32) -> F32:
    """Colour (h, w, 3) of the bare lid: that of the skin above, with the grain of the cheek."""
    base = _filled(around.picture, _known_skin(around, eye), around.scale)
    grain = around.picture - cv2.GaussianBlur(around.picture, (0, 0), 0.03 * around.scale)
    mirror = around.points[eye.lower_fold, 1].max() + 0.05
    columns = np.broadcast_to(around.column(u), w.shape)
    reflect = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    cheek = cv2.remap(grain, columns, around.row(2 * mirror - w), **reflect)
    usual = 2.5 * 1.4826 * np.median(np.abs(cheek), axis=(0, 1)) + 0.5
    skin: F32 = cv2.remap(base, columns, around.row(w), **reflect) + np.clip(cheek, -usual, usual)
    return skin


def _filled(picture: F32, known: F32, scale: float) -> F32:
    """Carry the known colours on everywhere, without detail: small pictures will do, and are soon filled."""
    height, width = known.shape
    size = (round(width * _FILLED_PX / scale), round(height * _FILLED_PX / scale))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    filled = fill_unknown(small / np.maximum(weight, 1e-3)[..., None], weight)
    filled = cv2.GaussianBlur(filled, (0, 0), 0.06 * _FILLED_PX)
    large: F32 = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    return large


def _known_skin(around: _Surroundings, eye: EyeTopology) -> F32:
    """Where (h, w) skin is seen above and below an eye, without brow, lashes, shadows, glasses and glints."""
    points = around.points
    fold, below = points[eye.upper_fold], points[eye.lower_fold]
    rise = _along(points[eye.brow_lower], len(fold)) - fold
    rise *= np.minimum(1.0, _HIGHEST / np.maximum(np.linalg.norm(rise, axis=1, keepdims=True), 1e-3))
    down = np.array([0.0, _UNDER], np.float32)
    above = around.mask(np.concatenate([fold + _TO_BROW * rise, (fold + _FROM_FOLD * rise)[::-1]]))
    under = around.mask(np.concatenate([below, (below + down)[::-1]]))
    light = around.picture.mean(2)
    return np.maximum(_usual(above, light), _usual(under, light))


def _usual(known: F32, light: F32) -> F32:
    """Leave out of what is known what is darker or much lighter than the rest."""
    seen = light[known > 0.5]
    if len(seen) == 0:
        return known
    middle = float(np.median(seen))
    spread = max(1.4826 * float(np.median(np.abs(seen - middle))), 4.0)
    usual: F32 = known * ((light > middle - 1.0 * spread) & (light < middle + 2.5 * spread))
    return usual


def _shading(w: F32, u: F32, rim: F32, fold: F32) -> F32:
    """Factor (h, w) of light: dark in the crease, lightest on the ball, dark towards the rim."""
    top, bottom = np.interp(u, *fold.T), np.interp(u, *rim.T)
    t = np.asarray((w - top) / np.maximum(bottom - top, 0.06), np.float32)
    crease, bulge = (np.exp(-(((t - at) / reach) ** 2)) for at, reach in (_CREASE, _BULGE))
    shading: F32 = (
        1.0 - _CREASE_SHADE * crease + _BULGE_LIGHT * bulge - _RIM_SHADE * smoothstep((t - 0.6) / 0.4)
    )
    return shading


def _lash_alpha(u: F32, d: F32, scale: float, blur: float) -> F32:
    """Coverage (h, w) in [0, 1] of the lash line and of the lashes below it."""
    softness = min(max(2.0 * blur, _CRISP), _SOFT)
    strength = _LASH_STRENGTH - _LASH_SOFTER * (softness - _CRISP) / (_SOFT - _CRISP)
    ends = smoothstep((u + 0.05) / 0.12) * smoothstep((1.0 - u) / 0.3)
    half = 0.5 * _LINE_WIDTH * ends * (0.3 + 0.7 * smoothstep((1.0 - u) / 0.6))
    line = ends * smoothstep((half + softness - np.abs(d)) / (2 * softness))
    shadow = (
        ends * np.exp(-((np.maximum(d, 0.0) / _SHADOW_REACH) ** 2)) * smoothstep((d + softness) / softness)
    )
    lashes = cv2.GaussianBlur(_strokes(line.shape, scale), (0, 0), 0.35 * softness * scale + 0.3)
    clear = (1.0 - strength * line) * (1.0 - _SHADOW_STRENGTH * shadow) * (1.0 - _LASH_DARKNESS * lashes)
    alpha: F32 = 1.0 - clear
    return alpha


def _strokes(shape: tuple[int, ...], scale: float) -> F32:
    """Single lashes (h, w) in [0, 1], fanned out, longest at the outer end, of uneven length."""
    plane = np.zeros(shape, np.uint8)
    for number in range(_N_LASHES):
        share = number / (_N_LASHES - 1)
        uneven = math.sin(12.9898 * (number + 1)) * 0.5
        root = 0.02 + 0.94 * share + 0.008 * uneven
        length = _LASH_LENGTH * (0.55 + 0.45 * math.cos(0.5 * math.pi * share) + 0.25 * uneven)
        lean = 0.7 - 1.1 * share + 0.25 * uneven  # away from the nose at the outer end
        bend = np.linspace(0.0, 1.0, 5)
        path = np.stack([SIDE + root - length * lean * bend**2, ABOVE + length * bend], axis=1)
        points = np.round(path * scale * 16).astype(np.int32)
        cv2.polylines(plane, [points], False, 255, max(1, round(0.01 * scale)), cv2.LINE_AA, 4)
    return plane.astype(np.float32) / np.float32(255)


def _lash_rgb(around: _Surroundings, eye: EyeTopology) -> F32:
    """The darkest fifth around the upper rim: (3,) RGB."""
    rim = around.points[eye.upper_lid]
    reach = np.array([0.0, 0.06], np.float32)
    pixels = around.picture[around.mask(np.concatenate([rim - reach, (rim + reach)[::-1]])) > 0.5]
    if len(pixels) == 0:
        return np.array([40, 30, 28], np.float32)
    light = pixels.mean(1)
    darkest: F32 = pixels[light <= np.percentile(light, 22)].mean(0)
    return darkest


def _along(polyline: F32, n: int) -> F32:
    """N points evenly along the corners of a polyline."""
    wanted = np.linspace(0, len(polyline) - 1, n)
    return np.stack([np.interp(wanted, np.arange(len(polyline)), axis) for axis in polyline.T], axis=1)
