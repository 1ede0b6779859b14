"""What light falls on a face, and how much of it the skin gives back as light and shade: from one picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, F64, U8
from facepuppet.face.topology import N_MESH, face_triangles
from facepuppet.face.unwrapping import unwrapped_points
from facepuppet.frames.cpu.render.raster import affine_table, draw_numbers, sample_affine

Mask = npt.NDArray[np.bool_]

GAMMA = 2.2  # of pictures' values; near enough for shading
_DARKEST = 4.0  # levels added before logarithms
_FINE, _BROAD = 1 / 128, 5 / 128  # of sides; texture lies between, shading above
# Light of faces in pictures, ambient first, then by the normal's axes (head frame: y down, z away): from
# above and ahead. The picture has to argue against it, as albedo is not even.
_USUAL_LIGHT = (0.6, 0.0, -0.27, -0.33)
_LIGHT_SPREAD, _ALBEDO_SPREAD, _OBSERVATIONS = 0.12, 0.25, 40.0
_ROUNDS = 12
_TEXTURE = 0.04  # deviation of logarithms; of 31 clips of people the middle
_MOST = 1.5
_FLAT, _PLASTIC = 0.2, 0.5  # of _TEXTURE: drawings in flat colours lie below, photographs above
# Slopes down the forehead, of logarithms: young skin has .03 to .045, a lined one .07 to .11.
_SMOOTH, _LINED, _LINE = 0.045, 0.105, 2.5 / 128  # the last is a blur in sides, wider than a line
_OFF_SKIN, _NO_SKIN = 22.0, 45.0  # distances of colour (CIELAB, lightness halved) from the cheeks'
_BRIGHT, _BLOWN = 190.0, 0.85  # level from which shading is held back, and how far at most
# Points of the cheeks, level with the nose: skin on every face.
_CHEEKS = (50, 101, 36, 205, 280, 330, 266, 425)


@dataclass(frozen=True, slots=True)
class Complexion:
    """How a face is lit.

    Attributes:
        light: (4,) ambient, then by the axes of the normal: first-order spherical harmonics (R. Ramamoorthi
            and P. Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001), of
            linear light, in parts of the usual brightness of this face.
        strength: how strongly its skin shades against the middle of people; 0 for flat drawings.
        lines: how much of the lines that only some skin has it shows, in [0, 1].
        skin: (S, S) in [0, 1], what of the unwrapped face is of the cheeks' colour; less where it is so
            bright that pictures hardly tell more light from less.
    """

    light: F64
    strength: float
    lines: float
    skin: F32


def unwrapped(rgb: U8, landmarks_px: F32, side_px: int) -> U8:
    """Lay a face flat: (side_px, side_px, 3), in the frame of `unwrapping.unwrapped_points`.

    Args:
        rgb: (H, W, 3).
        landmarks_px: (478, 3) in its pixels.
        side_px: of the result.
    """
    flat = unwrapped_points(side_px)[face_triangles()]
    numbers = draw_numbers(flat, np.arange(len(flat)), (side_px, side_px))
    corners = landmarks_px[:N_MESH, :2].astype(np.float32)[face_triangles()]
    source = sample_affine(affine_table(flat, corners), numbers)
    side: U8 = cv2.remap(rgb, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return side


def log_luma(flat_rgb: U8) -> F32:
    """(S, S) logarithm of an unwrapped face's luma, without what is finer than a cell or so."""
    luma = cv2.cvtColor(flat_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred = cv2.GaussianBlur(luma, (0, 0), _FINE * len(luma))
    return np.asarray(np.log(blurred + _DARKEST), np.float32)


def skin_of(flat_rgb: U8) -> F32:
    """(S, S) in [0, 1]: how much of the cheeks' colour each place has."""
    side = len(flat_rgb)
    x, y = np.rint(unwrapped_points(side)[list(_CHEEKS)]).astype(int).T
    lab = cv2.cvtColor(flat_rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    away = (lab - np.median(lab[y, x], axis=0)) * (0.5, 1.0, 1.0)
    distance = np.linalg.norm(away, axis=-1).astype(np.float32)
    unlike = smoothstep((distance - _OFF_SKIN) / (_NO_SKIN - _OFF_SKIN))
    return np.asarray(cv2.GaussianBlur(1.0 - unlike, (0, 0), 0.012 * side), np.float32)


def complexion_of(flat_rgb: U8, normals: F32, skin: F32, lined: Mask) -> Complexion:
    """Estimate a face's light from its unwrapped picture.

    Args:
        flat_rgb: (S, S, 3) of `unwrapped`.
        normals: (S, S, 3) of the mean face.
        skin: (S, S) where bare skin usually is.
        lined: (S, S) where some skin has lines.
    """
    own = skin_of(flat_rgb)
    bare = (skin > 0.9) & (own > 0.9)
    if bare.sum() < 0.02 * bare.size:  # bearded all over, masked, painted
        return Complexion(np.array(_USUAL_LIGHT), 0.0, 0.0, own)
    logs = log_luma(flat_rgb)
    texture = _texture(logs, bare) / _TEXTURE
    strength = min(texture, _MOST) * smoothstep((texture - _FLAT) / (_PLASTIC - _FLAT))
    lines = smoothstep((_slope(logs, bare & lined) - _SMOOTH) / (_LINED - _SMOOTH))
    return Complexion(_light(logs[bare], normals[bare]), strength, lines, own * _headroom(flat_rgb))


def _headroom(flat_rgb: U8) -> F32:
    """(S, S) how steeply a picture's values still rise with the light."""
    luma = cv2.GaussianBlur(cv2.cvtColor(flat_rgb, cv2.COLOR_RGB2GRAY), (0, 0), 3.0).astype(np.float32)
    return np.asarray(1.0 - _BLOWN * smoothstep((luma - _BRIGHT) / (255 - _BRIGHT)), np.float32)


def shading(light: F64, normals: F32) -> F32:
    """(S, S) light that surfaces with these normals get, never near none."""
    lit = light[0] + normals @ light[1:].astype(np.float32)
    return np.asarray(np.maximum(lit, 0.35), np.float32)


def _light(logs: F32, normals: F32) -> F64:
    """The likeliest light of places (n,), under the usual one; patches of other albedo count less."""
    seen = np.exp(GAMMA * (logs - np.median(logs))).astype(np.float64)
    design = np.column_stack([np.ones(len(seen)), normals]).astype(np.float64)
    usual, weight = np.array(_USUAL_LIGHT), np.ones(len(seen))
    share = _OBSERVATIONS / len(seen) / _ALBEDO_SPREAD**2
    light = usual
    for _ in range(_ROUNDS):
        weighted = (design * weight[:, None]).T * share
        light = np.linalg.solve(
            weighted @ design + np.eye(4) / _LIGHT_SPREAD**2, weighted @ seen + usual / _LIGHT_SPREAD**2
        )
        weight = 1.0 / (1.0 + ((seen - design @ light) / _ALBEDO_SPREAD) ** 2)
    return light


def _texture(logs: F32, bare: Mask) -> float:
    """Standard deviation of what is finer than shading, of the bulk: no beard's edge, no mole."""
    inside = cv2.erode(bare.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if not inside.any():
        return 0.0
    fine = (logs - cv2.GaussianBlur(logs, (0, 0), _BROAD * len(logs)))[inside]
    return 1.48 * float(np.median(np.abs(fine - np.median(fine))))


def _slope(logs: F32, bare: Mask) -> float:
    """How steeply fine detail rises and falls downwards, in the middle."""
    down = cv2.Sobel(logs - cv2.GaussianBlur(logs, (0, 0), _LINE * len(logs)), cv2.CV_32F, 0, 1)
    return float(np.median(np.abs(down[bare]))) if bare.any() else 0.0
