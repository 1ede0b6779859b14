"""Clothes that a border cuts off go on by their broad colours and by their fine texture.

At the border they are mirrored, so that no seam shows; farther out nothing whole, such as a button or a
badge, is there twice.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8
from facepuppet.portrait.cut_person import CutPerson
from facepuppet.portrait.hair_beyond import SOFT, looked_up
from facepuppet.portrait.outline_beyond import Slope, Spread
from facepuppet.portrait.scattered_texture import scatter

# Of the picture's longer side:
_INWARDS = 0.05  # from so far inside the border broad colours come at most
_MIRRORED = 0.05  # so far beyond the border something is still mirrored
_PIECE = 0.04  # side of a piece of texture

_BELOW_EDGE = 0.03  # of the face's height: at an outline colours come from so far below it


def shoulder_coverage(person: CutPerson, slope: Slope, rows: F32, beyond_px: F32) -> F32:
    """How much of points a shoulder covers, at rows (n, 1) and distances (1, m) beyond the left border."""
    return np.clip(0.5 + slope.inside_px(rows, beyond_px) / max(SOFT * person.face_px, 1.0), 0, 1)


def shoulder_colours(person: CutPerson, slope: Slope, rows: F32, beyond_px: F32) -> U8:
    """Colours (n, m, 3) there; they follow the shoulder's slope."""
    fallen = np.minimum(slope.fallen_px(beyond_px), slope.fallen_px(np.array(0.9 * slope.arm_px)))
    row = np.maximum(rows - fallen, slope.top_px + _BELOW_EDGE * person.face_px)
    away, row = (np.ascontiguousarray(one, np.float32) for one in np.broadcast_arrays(beyond_px, row))
    return _colours(person, away, row, _lending(person))


def spread_coverage(person: CutPerson, spread: Spread, columns: F32, beyond_px: F32) -> F32:
    """How much of points a body covers, at columns (1, m) and distances (n, 1) below the bottom border."""
    return np.clip(0.5 + spread.inside_px(columns, beyond_px) / max(SOFT * person.face_px, 1.0), 0, 1)


def colours_below(person: CutPerson, columns: F32, beyond_px: F32) -> U8:
    """Colours (n, m, 3) at distances (n, 1) below the bottom border, whose columns (n, m) go on there."""
    away = np.broadcast_to(beyond_px, columns.shape)
    lending = np.ascontiguousarray(_lending(person)[::-1].T)
    away, columns = (np.ascontiguousarray(one.T) for one in (away, columns))
    turned = _colours(person.lying(), away, columns, lending)
    return np.ascontiguousarray(turned.swapaxes(0, 1))


def _colours(person: CutPerson, beyond_px: F32, row: F32, lends: npt.NDArray[np.bool_]) -> U8:
    """Colours (n, m, 3) at distances (n, m) beyond the left border, whose rows (n, m) go on there."""
    side = max(person.alpha.shape)
    inwards = np.float32(_INWARDS * side)
    broad = looked_up(person.broad_rgb, (inwards * np.tanh(beyond_px / inwards)).astype(np.float32), row)
    piece = max(6, round(_PIECE * side))
    made = broad + scatter(person.rgb, person.broad_rgb, lends, broad, piece)
    mirrored = looked_up(person.rgb, beyond_px, row)
    share = smoothstep(1.0 - beyond_px / (_MIRRORED * side))[..., None]
    return np.clip(np.rint(made + share * (mirrored - made)), 0, 255).astype(np.uint8)


def _lending(person: CutPerson) -> npt.NDArray[np.bool_]:
    """Where clothes are (H, W)."""
    clothes = person.alpha == 255
    clothes[: max(0, round(person.body_row))] = False
    return np.asarray(cv2.erode(clothes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
