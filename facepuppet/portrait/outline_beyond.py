"""How the outline of a person goes on beyond the borders that cut them off.

A head is rounded off: the arc of the circle on which the outline reaches the border, no higher than a
skull over this face would be. Shoulders fall on as they fell, down to an arm. Hair,
hats and what else a side cuts above the shoulders bulges a little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, U8, Floats
from facepuppet.face.topology import FACE_OVAL, FOREHEAD
from facepuppet.portrait.cut_person import SOLID, CutPerson

RIM_PX = 4  # lines of a border that tell what it cuts: a matte may end a little before it
_SHORTEST = 0.02  # of the border; shorter stretches are specks
_LOOK_BACK = 0.05  # of the picture's longer side: over so much an outline's direction is measured
_LEANING = (-0.3, 3.0)
_SKULL = 0.39  # of the face's height: so far a head rises over the forehead's landmark at most, hair included
_LEAST_SKULL = 0.05  # the same over a border that is higher than that
_HEAD = 0.45  # of the face's height: half a head's width at least
_BULGE = 0.35  # an arc over what is no head, at most so high, in half lengths of its stretch
_SLOPES = (0.15, 4.0)  # rows down per column outwards of a shoulder
_SLOPE_OVER = 0.1  # it is measured over so many inter-ocular distances
_LOWER = 0.3  # a shoulder may cross the border so much lower than it comes near it, likewise
_ARM = (0.35, 1.4)  # how far beyond the border an arm ends, at least and at most, likewise
_BESIDE_JOINT = 0.55  # an arm ends so far beside the shoulder joint, likewise
_ARM_DROP = 0.9  # a shoulder falls by so much from where it is flat to where it is an arm, likewise
_SPREADS = (0.0, 1.5)  # columns per row by which a body gets broader below the picture, on either side
_ENDLESS_PX = 1e6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a border that cuts the person off.

    Attributes:
        start, stop: pixels along the border, from its first to one past its last.
        leaning: how far its two ends lean towards each other just before the border, in pixels per pixel;
            0 where the stretch ends in a corner.
        back_px: over so many pixels that was measured.
    """

    start: float
    stop: float
    leaning: tuple[float, float] = (0.0, 0.0)
    back_px: int = 1

    @property
    def middle(self) -> float:
        """Along the border."""
        return (self.start + self.stop) / 2

    @property
    def half_px(self) -> float:
        """Half its length."""
        return (self.stop - self.start) / 2


def stretches(alpha: U8) -> list[Stretch]:
    """Return what the top border of a coverage (H, W) cuts off, from the left; transposed, the left one."""
    cut = alpha[0] >= SOLID
    if not cut.any():
        cut = alpha[:RIM_PX].max(axis=0) >= SOLID
    back = min(max(2, round(_LOOK_BACK * max(alpha.shape))), len(alpha) - 1)
    behind = _runs(alpha[back] >= SOLID)
    found = []
    for start, stop in _runs(cut):
        if stop - start < max(2, _SHORTEST * len(cut)):
            continue
        inner = max(behind, key=lambda run: min(run[1], stop) - max(run[0], start), default=(start, stop))
        if min(inner[1], stop) <= max(inner[0], start):
            inner = (start, stop)
        left = 0.0 if start == 0 else (start - inner[0]) / back
        right = 0.0 if stop == len(cut) else (inner[1] - stop) / back
        found.append(Stretch(float(start), float(stop), (left, right), back))
    return found


@dataclass(frozen=True, slots=True)
class Arc:
    """A circle's arc over a stretch, stretched to a height.

    Attributes:
        middle, half_px: of the stretch.
        height_px: how far it reaches beyond the border.
        angle_rad: by how much its ends lean towards each other.
    """

    middle: float
    half_px: float
    height_px: float
    angle_rad: float

    @classmethod
    def over(cls, stretch: Stretch, most_px: float) -> Arc:
        """Complete the circle through a stretch's ends and those some way back, up to a height."""
        half, back = max(stretch.half_px, 1.0), stretch.back_px
        behind = half + back * float(np.clip(np.mean(stretch.leaning), *_LEANING))
        to_centre = (behind**2 - half**2 + back**2) / (2 * back)
        radius = math.hypot(half, to_centre)
        return cls(stretch.middle, half, min(radius - to_centre, most_px), math.asin(to_centre / radius))

    @classmethod
    def bulging(cls, stretch: Stretch) -> Arc:
        """Go on a little, as what is no head does."""
        return cls.over(stretch, _BULGE * stretch.half_px)

    def half_width_px(self, beyond_px: Floats) -> F32:
        """Half the width of what is inside, at distances beyond the border; 0 above the top."""
        radius, low = self._circle()
        up = low + (radius - low) * beyond_px / max(self.height_px, 1e-3)
        return np.asarray(np.sqrt(np.maximum(radius**2 - up**2, 0)), np.float32)

    def inside_px(self, along_px: F32, beyond_px: F32) -> F32:
        """Distance to the outline, about, at points along the border and beyond it; positive inside."""
        radius, low = self._circle()
        offset = np.abs(along_px - self.middle)
        across = np.where(beyond_px < self.height_px, self.half_width_px(beyond_px) - offset, -np.inf)
        top = (np.sqrt(np.maximum(radius**2 - offset**2, 0)) - low) * self.height_px / max(radius - low, 1e-3)
        return inside_of(across, np.where(offset < self.half_px, top - beyond_px, -np.inf))

    def _circle(self) -> tuple[float, float]:
        """Radius, and how far above its centre the border is."""
        radius = self.half_px / math.cos(self.angle_rad)
        return radius, radius * math.sin(self.angle_rad)


def crown(person: CutPerson, stretch: Stretch) -> Arc:
    """Round off what the top border cuts: a head as high as the skull that its face has."""
    middle = float(person.landmarks_px[FACE_OVAL, 0].mean())
    if not stretch.start <= middle <= stretch.stop:
        return Arc.bulging(stretch)
    rises_px = _SKULL * person.face_px - float(person.landmarks_px[FOREHEAD, 1])
    most_px = max(rises_px, _LEAST_SKULL * person.face_px)
    # In a corner nothing tells how wide it is: as wide as on the other side.
    reach = [middle - stretch.start, stretch.stop - middle]
    known = [
        px for px, open_ in zip(reach, (stretch.start > 0, stretch.stop < person.width), strict=True) if open_
    ]
    if len(known) < 2:
        half = max([*known, _HEAD * person.face_px] if known else [*reach, _HEAD * person.face_px])
        stretch = replace(stretch, start=middle - half, stop=middle + half)
    return Arc.over(stretch, most_px)


@dataclass(frozen=True, slots=True)
class Slope:
    """A shoulder beyond the left border.

    Attributes:
        top_px: row at which its outline crosses the border.
        steepness: rows down per column outwards, there.
        arm_px: columns from the border to the arm's outline.
        drop_px: rows by which it has fallen there besides.
    """

    top_px: float
    steepness: float
    arm_px: float
    drop_px: float

    @classmethod
    def of(cls, person: CutPerson, top_px: float) -> Slope:
        """Let a shoulder that crosses the left border at a row fall on as it falls before it."""
        unit = person.unit_px
        solid = person.alpha >= SOLID
        columns = np.arange(RIM_PX, min(RIM_PX + max(3, round(_SLOPE_OVER * unit)), person.width))
        tops = [_top_of_body(solid[:, x], top_px, unit) for x in columns.tolist()]
        slope, at_border = np.polyfit(columns + 0.5, tops, 1) if len(columns) > 1 else (0.0, top_px)
        steepness = -float(slope)
        top_px = float(np.clip(at_border, top_px - RIM_PX, top_px + _LOWER * unit))
        arm = -float(person.shoulders_px[0, 0]) + _BESIDE_JOINT * unit
        arm = float(np.clip(arm, _ARM[0] * unit, _ARM[1] * unit))
        return cls(top_px, float(np.clip(steepness, *_SLOPES)), arm, _ARM_DROP * unit)

    def fallen_px(self, beyond_px: Floats) -> F32:
        """How far the outline is below the border's point, at distances beyond; endless beside the arm."""
        share = np.minimum(beyond_px / self.arm_px, 1.0)
        fallen = self.steepness * beyond_px + self.drop_px * (1.0 - np.sqrt(1.0 - share**2))
        return np.where(share < 1.0, fallen, _ENDLESS_PX).astype(np.float32)

    def inside_px(self, rows: F32, beyond_px: F32) -> F32:
        """Distance to the outline, about, at rows (n, 1) and distances (1, m) beyond; positive inside."""
        below = rows - self.top_px
        out = np.linspace(0.0, 0.999 * self.arm_px, 200)
        across = np.interp(below, self.fallen_px(out), out) - beyond_px
        return inside_of(np.where(below >= 0, across, -np.inf), below - self.fallen_px(beyond_px))


@dataclass(frozen=True, slots=True)
class Spread:
    """A body below the bottom border, which goes on as broad or broader.

    Attributes:
        start, stop: columns of the stretch.
        steps: columns per row by which its ends move outwards.
    """

    start: float
    stop: float
    steps: tuple[float, float]

    @classmethod
    def of(cls, stretch: Stretch, width_px: int) -> Spread:
        """Go on in the directions of a stretch's ends; in a corner as broad as it is."""
        left, right = (float(np.clip(-leaning, *_SPREADS)) for leaning in stretch.leaning)
        start = stretch.start if stretch.start > 0 else -_ENDLESS_PX
        return cls(start, stretch.stop if stretch.stop < width_px else _ENDLESS_PX, (left, right))

    def inside_px(self, columns: F32, beyond_px: F32) -> F32:
        """Distance to the outline, about, at columns (1, m) and distances (n, 1) below; positive inside."""
        (left, right), rest = self.steps, (columns - self.start, self.stop - columns)
        return np.minimum(
            (rest[0] + left * beyond_px) / math.hypot(1.0, left),
            (rest[1] + right * beyond_px) / math.hypot(1.0, right),
        ).astype(np.float32)

    def column_inside(self, columns: F32, beyond_px: F32) -> F32:
        """Which column (n, m) of the border goes on at points below it."""
        left, right = self.start - self.steps[0] * beyond_px, self.stop + self.steps[1] * beyond_px
        if self.start == -_ENDLESS_PX or self.stop == _ENDLESS_PX:
            return np.clip(columns + 0 * beyond_px, self.start, self.stop).astype(np.float32)
        return (self.start + (columns - left) / (right - left) * (self.stop - self.start)).astype(np.float32)


def inside_of(across: Floats, down: Floats) -> F32:
    """Distance to an outline that is so far away across and down; -inf where it is not met that way."""
    inside = (across > 0) & (down > 0)
    ways = np.minimum(np.abs(across), _ENDLESS_PX), np.minimum(np.abs(down), _ENDLESS_PX)
    nearest = ways[0] * ways[1] / np.maximum(np.hypot(*ways), 1e-3)
    return np.where(inside, nearest, -nearest).astype(np.float32)


def _runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where a mask (n,) is true, as starts and stops."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask, [0]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _top_of_body(column: npt.NDArray[np.bool_], near: float, unit: float) -> float:
    """Row of the outline in a column, looked for within half an inter-ocular distance."""
    first, last = int(max(near - 0.5 * unit, 0)), int(min(near + 0.5 * unit, len(column) - 1))
    empty = np.flatnonzero(~column[first : last + 1])
    return float(first + empty[-1] + 1) if empty.size else float(first)
