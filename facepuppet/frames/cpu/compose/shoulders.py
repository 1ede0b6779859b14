"""Shoulders that the portrait's side borders cut off: let them slope away softly instead.

A little inside such a border one column of the moving puppet is taken and continued outwards and
downwards, as shoulders run, softly; the puppet itself fades into this continuation. What is cut off
above the shoulders (hair, an ear) only ends softly.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8
from facepuppet.face.topology import CHIN, OUTER_CORNERS
from facepuppet.frames.cpu.compose.blend import weighted
from facepuppet.frames.cpu.compose.framing import RIM_PX, Placement, cut_sides
from facepuppet.frames.cpu.compose.placed import Placed, widened
from facepuppet.portrait.avatar import Avatar

_BAND = 0.15  # of the portrait's shown width; its inner half shows the fading puppet
_SLOPES = (0.5, 2.5)  # rows down per column outwards: as the portrait's own shoulder, within these
# Of the canvas height, how far a shoulder may rise and still be continued, as it does when it leans outwards:
# the first where hair hangs above it, which must not be drawn out, the second where nothing does.
_RISE, _FREE_RISE = 0.05, 0.10
_LEAN = 0.45  # inter-ocular distances that a torso leans; what lies so far inwards comes to the border
_HAIR_BAND = 0.25  # of the band, over which what is cut off above the shoulders fades
_ONSET = 0.03  # of the canvas height: how softly the continuation begins at its top
_SOFTNESS = 0.012  # of the canvas height: blur of the continuation
SOFT_ACROSS_PX = 1.0  # its blur across, of columns no farther than
REACH_PX = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One border and what is precomputed for it.

    Attributes:
        column: of the shown puppet, which is continued.
        fading: columns of the shown puppet from the border to where it is whole.
        puppet_weight: (h, fading, 4) how much of the puppet remains there, 255 is all.
        fades: rows and columns of the shown puppet where it loses anything, and their part of that weight.
        canvas: rows and columns of the canvas that the continuation reaches; from even ones to even ones.
        source_row: row of the shown puppet that each of its pixels repeats.
        weight: (rows, columns, 4) how much of the continuation is seen.
    """

    column: int
    fading: slice
    puppet_weight: U8
    fades: tuple[tuple[slice, slice, U8], ...]
    canvas: tuple[slice, slice]
    source_row: npt.NDArray[np.intp]
    weight: U8


class Shoulders:
    """Continues a puppet over the borders that cut it off; does nothing where none does.

    Attributes:
        cut: whether the left border does, and the right one.
        sides: the borders that do.
        softness_px: sigma of the blur down the continued column.
    """

    def __init__(self, avatar: Avatar, placement: Placement, canvas_px: tuple[int, int]) -> None:
        self.softness_px = max(_SOFTNESS * canvas_px[1], 0.5)
        self._across = _across()
        self.cut = cut_sides(avatar, placement, canvas_px)
        self.sides = [
            _side(avatar, placement, canvas_px, is_left)
            for is_left, is_cut in zip((True, False), self.cut, strict=True)
            if is_cut
        ]

    def continuations(self, shown: U8) -> list[Placed]:
        """Return what continues the puppet, to be laid behind it.

        Args:
            shown: (h, w, 4) premultiplied puppet at canvas scale, not faded.
        """
        return [self._continuation(side, shown) for side in self.sides]

    def fade(self, shown: U8) -> None:
        """Fade the puppet (h, w, 4), in place, where its continuation begins."""
        for side in self.sides:
            for rows, columns, weight in side.fades:
                part = shown[rows, columns]
                weighted(part, weight, out=part)

    def _continuation(self, side: Side, shown: U8) -> Placed:
        continued = np.take(self._column(shown, side.column), side.source_row)
        rgba = continued.view(np.uint8).reshape(side.weight.shape)
        return Placed(weighted(rgba, side.weight, out=rgba), *side.canvas)

    def _column(self, shown: U8, x: int) -> npt.NDArray[np.uint32]:
        """One softened column of the puppet, (h,), each pixel as one number."""
        near = shown[:, x - REACH_PX : x + REACH_PX + 1]
        across = np.einsum("rck,c->rk", near.astype(np.float32), self._across)  # no BLAS, no threads
        n = softening_taps(self.softness_px)
        along = cv2.GaussianBlur(across[None], (n, 1), self.softness_px, borderType=cv2.BORDER_REPLICATE)
        soft = np.rint(along[0]).astype(np.uint8)
        return np.asarray(soft.view(np.uint32).ravel(), np.uint32)


def softening_taps(sigma_px: float) -> int:
    """In how many pixels OpenCV blurs bytes by this sigma."""
    return round(6 * sigma_px + 1) | 1


def _across() -> F32:
    """Weights of the pixels beside a column, whose outermost stand for all that lies farther, too."""
    n = softening_taps(SOFT_ACROSS_PX)
    taps = cv2.getGaussianKernel(n, SOFT_ACROSS_PX, cv2.CV_32F).ravel()
    places = np.clip(np.arange(n) - n // 2, -REACH_PX, REACH_PX) + REACH_PX
    return np.asarray(np.bincount(places, taps), np.float32)


def _side(avatar: Avatar, placement: Placement, canvas_px: tuple[int, int], is_left: bool) -> Side:
    width, height = canvas_px
    x, y, w, h = placement.target_px
    band = max(4, round(_BAND * w))
    half = band // 2
    columns = slice(0, x + band) if is_left else slice(x + w - band, width)
    column = half if is_left else w - 1 - half
    at_border = _shoulder_px(avatar, placement, 0 if is_left else w - 1)
    slope = float(np.clip((at_border - _shoulder_px(avatar, placement, column)) / half, *_SLOPES))
    top = at_border - slope * half - _rise_px(avatar, placement, column, is_left, height)
    rows = slice(int(np.clip(y + top, 0, height - 1)), min(y + h, height))

    xs = np.arange(columns.start, columns.stop, dtype=np.float32)
    away = np.maximum((x + column - xs) if is_left else (xs - x - column), 0.0)[None, :]
    row = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - y - slope * away
    weight = np.rint(255 * smoothstep((row - top) / (_ONSET * height))).astype(np.uint8)
    source_row = np.clip(np.rint(row), 0, h - 1).astype(np.intp)
    seen = _seen(weight)
    canvas = _part(rows, seen[0]), _part(columns, seen[1])
    even = widened(canvas[0], height), widened(canvas[1], width)
    margins = [(one.start - two.start, two.stop - one.stop) for one, two in zip(canvas, even, strict=True)]
    fading = slice(0, band) if is_left else slice(w - band, w)
    inwards = np.rint(255 * _puppet_weight(h, band, top, _ONSET * height))
    puppet_weight = _of_all_channels(inwards[:, :: 1 if is_left else -1])
    return Side(
        column=column,
        fading=fading,
        puppet_weight=puppet_weight,
        fades=_fades(puppet_weight, fading, int(np.clip(top, 0, h))),
        canvas=even,
        source_row=np.pad(source_row[seen], margins, "edge"),
        weight=_of_all_channels(np.pad(weight[seen], margins)),
    )


def _fades(weight: U8, fading: slice, shoulder: int) -> tuple[tuple[slice, slice, U8], ...]:
    """Return the parts above and below a row in which a weight is not whole: one is narrow, one wide."""
    fades = []
    for rows in (slice(0, shoulder), slice(shoulder, len(weight))):
        if rows.start < rows.stop and (weight[rows] < 255).any():
            lost = np.asarray(255 - weight[rows, :, 0], np.uint8)
            down, across = _seen(lost)
            part = np.ascontiguousarray(weight[rows][down, across])
            fades.append((_part(rows, down), _part(fading, across), part))
    return tuple(fades)


def _seen(weight: U8) -> tuple[slice, slice]:
    """Rows and columns of the smallest part, of one pixel at least, outside of which a weight is 0."""
    x, y, width, height = cv2.boundingRect(weight)
    return slice(y, y + max(height, 1)), slice(x, x + max(width, 1))


def _part(whole: slice, part: slice) -> slice:
    return slice(whole.start + part.start, whole.start + part.stop)


def _puppet_weight(height: int, band: int, top: float, onset: float) -> F32:
    """Weight (height, band) from the border inwards: wide fading below `top`, narrow above."""
    inwards = (np.arange(band, dtype=np.float32) + 0.5)[None, :] / band
    below = smoothstep((np.arange(height, dtype=np.float32)[:, None] - top) / onset)
    wide, narrow = smoothstep(2.0 * inwards - 1.0), smoothstep(inwards / _HAIR_BAND)
    weight: F32 = below * wide + (1.0 - below) * narrow
    return weight


def _shoulder_px(avatar: Avatar, placement: Placement, column: int) -> float:
    """Row of the shown portrait from which, below the chin, a column is body down to the bottom."""
    (u, v, _, _), scale = placement.source_px, placement.scale
    width = avatar.person_alpha.shape[1]
    x = int(np.clip(u + column / scale, RIM_PX // 2, width - RIM_PX // 2))
    strip = avatar.person_alpha[:, max(x - RIM_PX // 2, 0) : x + RIM_PX // 2]
    empty = np.flatnonzero(strip.max(axis=1) < 128)
    chin = float(avatar.landmarks_px[CHIN, 1])
    return (max(chin, float(empty[-1] + 1) if empty.size else 0.0) - v) * scale


def _rise_px(avatar: Avatar, placement: Placement, column: int, is_left: bool, height: int) -> float:
    """How far (canvas px) the shoulder may rise at `column` before hair would be continued with it."""
    (u, v, source_width, source_height), scale = placement.source_px, placement.scale
    eyes = avatar.landmarks_px[OUTER_CORNERS, :2]
    inwards = round(column / scale if is_left else source_width - column / scale)
    reach = min(inwards + round(_LEAN * float(np.linalg.norm(eyes[1] - eyes[0]))), source_width)
    start = u + RIM_PX // 2 if is_left else u + source_width - reach
    person = avatar.person_alpha[v : v + source_height, start : start + reach - RIM_PX // 2] >= 128
    chin = float(avatar.landmarks_px[CHIN, 1]) - v
    free = min(_free_rows(person[:, x], chin) for x in range(person.shape[1])) * scale - _ONSET * height
    return float(np.clip(free, _RISE * height, _FREE_RISE * height))


def _free_rows(person: npt.NDArray[np.bool_], chin: float) -> int:
    """Rows without person (h,) between the body, which goes down to the bottom, and what hangs above it."""
    empty = np.flatnonzero(~person)
    if not empty.size or empty[-1] < chin:
        return 0  # hair down to the body, or the neck itself
    above = np.flatnonzero(person[: empty[-1]])
    return int(empty[-1] - above[-1]) if above.size else person.size


def _of_all_channels(weight: npt.NDArray[np.generic]) -> U8:
    """Return whole numbers (H, W) of 0 to 255 as (H, W, 4) bytes."""
    return np.repeat(weight.astype(np.uint8)[..., None], 4, axis=2)
