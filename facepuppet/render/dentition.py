"""The inside of a mouth, painted once from a portrait's own colours.

Everything is given in half mouth widths, about 25 mm on an adult, with the origin on the lip line
at rest; a central incisor of some 8.5 mm is then a third of a unit. The proportions beyond that
were chosen by eye on contact sheets.
"""

from __future__ import annotations

import numpy as np

from facepuppet.geometry import smoothstep
from facepuppet.render.patches import to_u8
from facepuppet.types import F32, U8

PATCH_PX = 160  # patch pixels per mouth width
_TOOTH_EDGES = (0.0, 0.34, 0.60, 0.84)  # between incisors, canine and first premolar
_TEETH_SHOWN = 0.17  # below the resting lip line, at the middle


def _patch_grid() -> tuple[F32, F32]:
    """Coordinates of patch pixels in half mouth widths, origin at its centre."""
    height, width = int(PATCH_PX * 1.4), int(PATCH_PX * 1.2)
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return (u - width / 2) / (PATCH_PX / 2), (v - height / 2) / (PATCH_PX / 2)


def paint_skull(white_rgb: F32, lip_rgb: F32) -> U8:
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
    return to_u8(np.dstack([colour, 255 * coverage]))


def paint_jaw(white_rgb: F32, lip_rgb: F32) -> U8:
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
    return to_u8(np.dstack([colour, 255 * (tongue * (1 - teeth) + teeth)]))


def _near_tooth_edge(u: F32) -> F32:
    """1 on the gaps between teeth, 0 between them."""
    gaps = [np.exp(-(((np.abs(u) - edge) / 0.018) ** 2)) for edge in _TOOTH_EDGES]
    return np.asarray(np.max(gaps, axis=0), np.float32)


def _tooth_rgb(white_rgb: F32) -> F32:
    """Teeth are a little warmer and lighter than the whites of the eyes."""
    light = float(np.clip(white_rgb.mean() * 1.08, 60, 225))
    tint = white_rgb / max(float(white_rgb.mean()), 1.0)
    colour: F32 = light * (0.6 + 0.4 * tint) * np.array([1.03, 1.0, 0.93], np.float32)
    return colour


def _dark(lip_rgb: F32) -> F32:
    dark: F32 = lip_rgb * np.array([0.30, 0.22, 0.22], np.float32)
    return dark


def _soft_step(t: F32) -> F32:
    """A smoothstep whose middle, not its foot, is at 0."""
    return smoothstep(t + 0.5)
