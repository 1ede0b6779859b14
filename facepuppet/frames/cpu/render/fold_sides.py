"""What is seen on both sides of a fold, and the pixels between put together of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8, Floats
from facepuppet.frames.cpu.render.mesh import FacePatch
from facepuppet.frames.cpu.render.warp import Flow, Warp

JUMP_PX, SOFT_JUMP_PX = 2.0, 1.0  # in the portrait: a fold is mended from here, and wholly this much on
PROBES = (0.4, 1.1)  # cells before a fold in which it is looked for
Pixels = npt.NDArray[np.int32]

_ROWS = 30_000  # OpenCV's pictures have fewer than 32767


class Crossing(IntEnum):
    """Columns of a table of places where a row or column of pixels crosses a fold.

    UPRIGHT: 1 where a column crosses, 0 for a row. SIDE: 1 if what lies behind the fold is seen after that,
    -1 if before. SLOPE: how far the fold goes along the line from one to the next. LINE: its number. AT:
    where on it the fold is. SOURCE_X, SOURCE_Y: of the fold itself, in the enlarged texture. OWN: how far it
    keeps that, rather than giving way to what lies behind.
    """

    UPRIGHT = 0
    SIDE = 1
    SLOPE = 2
    LINE = 3
    AT = 4
    SOURCE_X = 5
    SOURCE_Y = 6
    OWN = 7


@dataclass(frozen=True, slots=True)
class _Sides:
    """What lies to both sides of folds; places on a line are counted towards what lies behind.

    Attributes:
        front, back: (n,) pixels, row by row, that surely show the one and the other.
        step: (n,) from one pixel of the line to the next.
        before, after: (n,) places of the two pixels.
        centre: (n,) place of the fold.
        reach: (n,) that far from it is sure.
        steep: (n,) cosine between the line and the fold's normal.
        source: (n, 2) of the fold, in the enlarged texture.
        strayed: (n,) whether what is seen before it comes from elsewhere.
        weight: (n,) how far it is to be mended, in [0, 1].
    """

    front: Pixels
    back: Pixels
    step: Pixels
    before: F32
    after: F32
    centre: F32
    reach: F32
    steep: F32
    source: F32
    strayed: npt.NDArray[np.bool_]
    weight: F32

    def chosen(self, which: npt.NDArray[np.intp]) -> _Sides:
        """Return some of them."""
        return _Sides(*(np.take(getattr(self, name), which, axis=0) for name in self.__slots__))


def mend(rgba: U8, flow: Flow, crossings: F32, warp: Warp, near: float, claims: Pixels) -> None:
    """Make the pixels around folds anew, in place.

    Args:
        rgba: (H, W, 4) the warped picture.
        flow: that it was warped by.
        crossings: (n, 8) `Crossing`; of several that claim a pixel the last has it.
        warp: whose texture it is.
        near: how far in the texture what is seen before a fold may come from elsewhere.
        claims: (H·W,) to be written to.
    """
    face = flow.face
    if face is None:
        return
    sides = _sides(crossings, flow, face, warp.scale, near)
    jumps = np.flatnonzero(sides.weight)
    sides = sides.chosen(jumps[_seen(np.take(crossings, jumps, axis=0), face, near)])
    if not len(sides.front):
        return
    pixels = rgba.reshape(-1, 4)
    which, on = _steps((sides.after - sides.before).astype(np.int32) - 1)
    index = sides.front[which] + on * sides.step[which]
    numbered = np.arange(len(index), dtype=np.int32)
    claims[index] = numbered  # where an index is repeated, NumPy leaves the last value
    last = np.flatnonzero(claims[index] == numbered)
    which, place, index = which[last], on[last].astype(np.float32), index[last]
    fold = (sides.centre - sides.before)[which]  # counted from the pixel before it, as `place` is
    covered = np.clip(0.5 - (place - fold) * sides.steep[which], 0.0, 1.0)
    made = _behind(pixels, sides, which, index, flow, face, warp)
    made += covered[:, None] * (_before(pixels, sides, warp, which, np.minimum(place / fold, 1.0)) - made)
    here = np.take(pixels, index, axis=0)
    made = np.rint(here + sides.weight[which, None] * (made - here)).astype(np.uint8)
    pixels.view(np.uint32)[index] = made.view(np.uint32)  # four channels at once


def _sides(crossings: F32, flow: Flow, face: FacePatch, scale: int, near: float) -> _Sides:
    """Find both sides of each crossing (n, 8)."""
    height, width = flow.texture_from_moved.shape[:2]
    upright, side, slope, line, at = (crossings[:, k] for k in range(5))
    reach = np.float32(face.size_px[0] / face.numbers.shape[1]) * (1.0 + np.abs(slope))
    centre = side * at
    before, after = np.floor(centre - reach), np.ceil(centre + reach)
    step = (side * (upright * np.float32(width - 1) + 1.0)).astype(np.int32)
    start = (line * (upright * np.float32(1 - width) + width)).astype(np.int32)
    inside = (np.minimum(side * before, side * after) > 0) & (line >= 0)
    inside &= np.maximum(side * before, side * after) < np.where(upright > 0, height, width) - 1
    inside &= line < np.where(upright > 0, width, height)
    front, back = (np.where(inside, start + end.astype(np.int32) * step, 0) for end in (before, after))
    moved = flow.texture_from_moved.reshape(-1, 2)
    front_source, back_source = np.take(moved, front, axis=0), np.take(moved, back, axis=0)
    own = crossings[:, Crossing.OWN :]
    source = back_source + own * (crossings[:, Crossing.SOURCE_X : Crossing.OWN] - back_source)
    # Beyond what both sides are apart in any picture.
    jump = np.minimum(
        _length(back_source - source) - scale * reach,
        _length(back_source - front_source) - scale * (after - before),
    )
    weight = np.clip((jump / scale - JUMP_PX) / SOFT_JUMP_PX, 0.0, 1.0) * inside
    strayed = _length(front_source - source) > near
    steep = 1.0 / np.sqrt(1.0 + slope * slope)
    return _Sides(front, back, step, before, after, centre, reach, steep, source, strayed, weight)


def _before(pixels: U8, sides: _Sides, warp: Warp, which: Pixels, toward: F32) -> F32:
    """Colours (n, 4) of what lies before folds, on the way from the pixel before to the fold itself."""
    fold = _look(warp.texture, sides.source)
    share = sides.before - sides.centre + sides.reach + np.float32(1.0)
    skin = _between(pixels, sides.front, -sides.step, share)
    skin[sides.strayed] = fold[sides.strayed]
    way: F32 = np.take(skin, which, axis=0) + toward[:, None] * np.take(fold - skin, which, axis=0)
    return way


def _behind(
    pixels: U8, sides: _Sides, which: Pixels, index: Pixels, flow: Flow, face: FacePatch, warp: Warp
) -> F32:
    """Colours (n, 4) of what lies behind folds: the body as it is there, other skin as it is next to it."""
    share = sides.centre + sides.reach + np.float32(1.0) - sides.after
    found = np.take(_between(pixels, sides.back, sides.step, share), which, axis=0)
    bare = np.flatnonzero(_bare(sides.back, flow.texture_from_moved.shape[1], face)[which])
    found[bare] = _look(warp.texture, _from_body(index[bare], flow))
    return found


def _seen(crossings: F32, face: FacePatch, near: float) -> npt.NDArray[np.bool_]:
    """Whether nothing hides the fold at each crossing: skin before it comes from about where it does."""
    upright, side, _, line, at = (crossings[:, k] for k in range(5))
    x, y = np.where(upright > 0, (line, at), (at, line))
    rows, columns = face.numbers.shape
    per_x, per_y = np.float32(columns / face.size_px[0]), np.float32(rows / face.size_px[1])
    column = (x - np.float32(face.origin_px[0] - 0.5)) * per_x - np.float32(0.5)
    row = (y - np.float32(face.origin_px[1] - 0.5)) * per_y - np.float32(0.5)
    down = side * upright
    across = side - down
    sources, numbers = face.source_from_patch.reshape(-1, 2), face.numbers.ravel()
    seen = np.zeros(len(crossings), bool)
    for probe in PROBES:
        cell = _cell(column - np.float32(probe) * across, row - np.float32(probe) * down, columns, rows)
        from_there = np.take(sources, cell, axis=0) - crossings[:, Crossing.SOURCE_X : Crossing.OWN]
        seen |= (_length(from_there) < near) & (numbers[cell] > 0)
    return seen


def _steps(counts: Pixels) -> tuple[Pixels, Pixels]:
    """1, 2, … to each count, all in one row, and whose they are."""
    ends = np.cumsum(counts, dtype=np.int32)
    which = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return which, np.arange(1, len(which) + 1, dtype=np.int32) - (ends - counts)[which]


def _between(pixels: U8, first: Pixels, step: Pixels, share: F32) -> F32:
    """Colours (n, 4) between each pixel and the next."""
    one = np.take(pixels, first, axis=0).astype(np.float32)
    found: F32 = one + share[:, None] * (np.take(pixels, first + step, axis=0) - one)
    return found


def _look(picture: npt.NDArray[Any], at: F32) -> F32:
    """Values (n, C) of a picture at points (n, 2)."""
    found = np.empty((len(at), picture.shape[2]), np.float32)
    for i in range(0, len(at), _ROWS):
        part = at[i : i + _ROWS, None]
        seen = cv2.remap(picture, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found[i : i + _ROWS] = seen[:, 0]
    return found


def _from_body(index: Pixels, flow: Flow) -> F32:
    """Where pixels come from that show no face: (n, 2)."""
    height, width = flow.texture_from_moved.shape[:2]
    rows, columns = flow.body.shape[:2]
    row, column = np.divmod(index, width)
    x, y = (column + 0.5) * (columns / width) - 0.5, (row + 0.5) * (rows / height) - 0.5
    return _look(flow.body, np.stack([x, y], axis=1).astype(np.float32))


def _bare(index: Pixels, width: int, face: FacePatch) -> npt.NDArray[np.bool_]:
    """Whether pixels show no face."""
    row, column = np.divmod(index, width)
    right, down = column - face.origin_px[0], row - face.origin_px[1]
    inside = (right >= 0) & (down >= 0) & (right < face.size_px[0]) & (down < face.size_px[1])
    rows, columns = face.numbers.shape
    x, y = (right + 0.5) * (columns / face.size_px[0]) - 0.5, (down + 0.5) * (rows / face.size_px[1]) - 0.5
    bare: npt.NDArray[np.bool_] = ~inside | (face.numbers.ravel()[_cell(x, y, columns, rows)] == 0)
    return bare


def _cell(x: Floats, y: Floats, columns: int, rows: int) -> npt.NDArray[np.intp]:
    """The cells, row by row, whose centres are nearest to points in cells."""
    column, row = np.clip(np.rint(x), 0, columns - 1), np.clip(np.rint(y), 0, rows - 1)
    cell: npt.NDArray[np.intp] = (row * columns + column).astype(np.intp)
    return cell


def _length(vectors: F32) -> F32:
    length: F32 = np.sqrt(vectors[:, 0] * vectors[:, 0] + vectors[:, 1] * vectors[:, 1])
    return length
