"""The inside of a mouth, painted once from a portrait's own colours.

Everything is given in half mouth widths, about 25 mm on an adult, with the origin on the lip line
at rest; a central incisor of some 8.5 by 10.5 mm is then 0.34 by 0.42. Widths are those seen from
the front, where the row bends away. Colours follow the whites of the eyes (teeth) and the lips
(gums, tongue, cavity), so that paintings and grey photographs keep their palette; how much lighter
or darker than those was read off true pictures of open mouths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Floats
from facepuppet.frames.cpu.render.patches import to_u8

PATCH_PX = 160  # patch pixels per mouth width

# Shares of the lips' colour in full light.
_THROAT = np.array([0.34, 0.24, 0.24], np.float32)
_CHEEK = np.array([0.62, 0.48, 0.47], np.float32)
_TONGUE = np.array([1.02, 1.0, 0.98], np.float32)
_GUM = np.array([0.92, 0.84, 0.83], np.float32)
_TONGUE_IN_SHADE = 0.55  # where lower teeth or the palate keep the light off
_LOWER_ROW = 0.87  # how light lower teeth are beside upper ones


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of teeth, from the middle to the corner; the upper one is described, the lower one mirrored.

    Attributes:
        bounds: gaps between the crowns.
        lift: how far each crown's edge stays behind the row's.
        height: of each crown.
        point: how much each edge comes to a point.
        edge: where the row ends, at the middle.
        bend: how far the row has turned up at |u| = 1.
        fade: |u| from and to which it is lost in the shade of the cheeks.
    """

    bounds: tuple[float, ...]
    lift: tuple[float, ...]
    height: tuple[float, ...]
    point: tuple[float, ...]
    edge: float
    bend: float
    fade: tuple[float, float]


# Central and lateral incisor, canine, two premolars.
_UPPER = _Row(
    (0.0, 0.34, 0.58, 0.78, 0.91, 1.0),
    (0.0, 0.035, 0.01, 0.05, 0.07),
    (0.42, 0.36, 0.40, 0.33, 0.30),
    (0.0, 0.008, 0.05, 0.03, 0.02),
    edge=0.16,
    bend=-0.10,
    fade=(0.5, 1.05),
)
_LOWER = _Row(
    (0.0, 0.21, 0.43, 0.62, 0.76, 0.88),
    (0.0, 0.005, 0.0, 0.03, 0.04),
    (0.34, 0.34, 0.38, 0.32, 0.30),
    (0.0, 0.0, 0.035, 0.03, 0.02),
    edge=0.06,
    bend=0.25,
    fade=(0.40, 0.95),
)


def _patch_grid() -> tuple[F32, F32]:
    """Coordinates of patch pixels in half mouth widths, origin at its centre."""
    height, width = int(PATCH_PX * 1.4), int(PATCH_PX * 1.2)
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return (u - width / 2) / (PATCH_PX / 2), (v - height / 2) / (PATCH_PX / 2)


def paint_skull(white_rgb: F32, lip_rgb: F32) -> U8:
    """Cavity and upper teeth, (h, w, 4) with the teeth's coverage as the last channel."""
    u, v = _patch_grid()
    away = smoothstep(np.hypot(u, (v - 0.45) * 0.8) / 0.95)[..., None]  # from the throat
    flesh = _flesh(lip_rgb)
    cavity = flesh * (_THROAT * (1 - away) + _CHEEK * away)
    row, coverage = _paint_row(_UPPER, u, v, white_rgb, flesh)
    colour = cavity * (1 - coverage[..., None]) + row * coverage[..., None]
    return to_u8(np.dstack([colour, 255 * coverage]))


def paint_jaw(white_rgb: F32, lip_rgb: F32) -> U8:
    """Tongue and lower teeth, (h, w, 4) premultiplied, origin on the lower lip's rest."""
    u, v = _patch_grid()
    flesh = _flesh(lip_rgb)
    top = -0.52 + 0.6 * u**2
    tongue = _soft_step((v - top) / 0.22) * _soft_step((0.74 - np.abs(u)) / 0.22)
    hump = np.exp(-(((v + 0.30) / 0.24) ** 2)) * (1 - 0.5 * u**2)
    light = _TONGUE_IN_SHADE + (1 - _TONGUE_IN_SHADE) * hump
    light *= 1 - 0.06 * np.exp(-((u / 0.06) ** 2))  # the groove along its middle
    row, teeth = _paint_row(_LOWER, u, -v, white_rgb, flesh)
    colour = flesh * _TONGUE * (light * tongue * (1 - teeth))[..., None]
    colour = colour + row * (_LOWER_ROW * teeth)[..., None]
    return to_u8(np.dstack([colour, 255 * (tongue * (1 - teeth) + teeth)]))


def _paint_row(row: _Row, u: F32, v: F32, white_rgb: F32, flesh: F32) -> tuple[F32, F32]:
    """Crowns and the gum above them.

    Returns:
        colour (h, w, 3) float32 and coverage (h, w) float32.
    """
    across, bounds = np.abs(u), np.array(row.bounds, np.float32)
    crown = np.clip(np.searchsorted(bounds, across, side="right") - 1, 0, len(row.lift) - 1)
    lift, height, point = (
        np.array(values, np.float32)[crown] for values in (row.lift, row.height, row.point)
    )
    middle, half = (bounds[crown] + bounds[crown + 1]) / 2, np.diff(bounds)[crown] / 2
    aside = np.clip(np.abs(across - middle) / half, 0, 1)  # 0 along a crown's middle, 1 at its gaps
    bent = row.edge + row.bend * u**2 - lift
    edge = bent - point * aside**1.5 - 0.035 * aside**5
    gum = bent - height + 0.09 * aside**2.5
    crowns = _tooth_rgb(white_rgb, flesh) * _crown_light(v, edge, gum, aside, half)[..., None]
    fold = 0.6 * smoothstep((gum - 0.05 - v) / 0.2)  # gums darken towards where the lip begins
    in_gum = _soft_step((gum - v) / 0.03)[..., None]
    corner = 1 - 0.55 * smoothstep((across - row.fade[0]) / (row.fade[1] - row.fade[0]))
    colour = crowns * (1 - in_gum) + flesh * _GUM * (1 - fold)[..., None] * in_gum
    coverage = _soft_step((edge - v) / 0.025) * _soft_step((row.bounds[-1] - 0.03 - across) / 0.08)
    return colour * corner[..., None], np.asarray(coverage, np.float32)


def _crown_light(v: Floats, edge: Floats, gum: Floats, aside: Floats, half: Floats) -> F32:
    """Crowns are round, and a little darker in their gaps, at the gum and at the edge."""
    gap = np.exp(-(((1 - aside) * half / 0.014) ** 2)) * _soft_step((edge - v) / 0.03 + 0.5)
    light = (1 - 0.09 * aside**2) * (1 - 0.07 * gap)
    light = light * (1 - 0.10 * _soft_step((gum + 0.10 - v) / 0.2))
    return np.asarray(light * (1 - 0.08 * _soft_step((v - edge + 0.05) / 0.06)), np.float32)


def _tooth_rgb(white_rgb: F32, flesh: F32) -> F32:
    """Ivory: lighter than the whites of the eyes, and warmer as far as the picture has colours at all."""
    white, colourful = float(white_rgb.mean()), _saturation(flesh)
    light = min(max(1.28 * white, 1.42 * float(flesh.mean()), 70.0), 235.0)  # whites may lie in shade
    tint = white_rgb / max(white, 1.0) - 1
    # Small or tired eyes hardly have whites: teeth are never as red as lips.
    limit = 0.75 * colourful
    tint *= min(1.0, limit / max(float(np.ptp(tint)) - limit * float(tint.max()), 1e-3))
    warm = np.float32(min(colourful / 0.4, 1.0)) * np.array([0.05, -0.01, -0.09], np.float32)
    colour: F32 = np.float32(light) * (1 + np.float32(0.6) * tint) * (1 + warm)
    return colour


def _saturation(rgb: F32) -> float:
    return float(np.ptp(rgb)) / max(float(rgb.max()), 1.0)


def _flesh(lip_rgb: F32) -> F32:
    """The colour of wet skin inside, in full light: that of the lips, unless those are very dark or pale."""
    light = float(lip_rgb.mean())
    return lip_rgb * np.float32(np.clip(light, 60, 190) / max(light, 1.0))


def _soft_step(t: Floats) -> F32:
    """A smoothstep whose middle, not its foot, is at 0."""
    return smoothstep(t + 0.5)
