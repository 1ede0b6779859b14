"""What of a person a picture cuts off, made up: they go on beyond its borders."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.clothes_beyond import (
    colours_below,
    shoulder_colours,
    shoulder_coverage,
    spread_coverage,
)
from facepuppet.portrait.cut_person import SOLID, CutPerson
from facepuppet.portrait.hair_beyond import arc_coverage, crown_colours, side_colours
from facepuppet.portrait.outline_beyond import RIM_PX, Arc, Slope, Spread, Stretch, crown, stretches

_OVER_CHIN = 0.1  # of the face's height: what a side cuts from higher up on is hair, and then a shoulder


@dataclass(frozen=True, slots=True)
class Margins:
    """Pixels beyond each border."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Beyond:
    """A person in their picture and around it.

    Attributes:
        rgb: (top + H + bottom, left + W + right, 3) uint8 their colours; the picture's own inside it.
        alpha: (the same) uint8 their coverage.
    """

    rgb: U8
    alpha: U8


def person_beyond(avatar: Avatar, margins: Margins) -> Beyond:
    """Return the person of a portrait with what goes on of them in margins around it."""
    person = CutPerson.of(avatar)
    person = replace(person, alpha=_to_borders(person.alpha))
    around = (margins.top, margins.bottom, margins.left, margins.right)
    rgb = cv2.copyMakeBorder(person.rgb, *around, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(person.alpha, *around, cv2.BORDER_CONSTANT)
    if margins.top:
        _round_off(person, rgb[: margins.top], alpha[: margins.top], margins.left)
    edge = margins.top + person.height
    if margins.left:
        _go_on_beside(person, rgb[:edge], alpha[:edge], margins.left)
    if margins.right:
        _go_on_beside(person.mirrored(), rgb[:edge, ::-1], alpha[:edge, ::-1], margins.right)
    if margins.bottom:
        _go_on_below(person, rgb, alpha, margins)
    return Beyond(rgb, alpha)


def reach_px(avatar: Avatar) -> tuple[float, float]:
    """Return how far what goes on of a person reaches beyond the left and the right border."""
    person = CutPerson.of(avatar)
    return _reach_px(person), _reach_px(person.mirrored())


def _reach_px(person: CutPerson) -> float:
    reaches = [0.0]
    for stretch in stretches(np.ascontiguousarray(person.alpha.T)):
        hair, body_px = _hair_and_body(person, stretch)
        reaches += [] if hair is None else [Arc.bulging(hair).height_px]
        reaches += [] if body_px is None else [Slope.of(person, body_px).arm_px]
    return max(reaches)


def _to_borders(alpha: U8) -> U8:
    """Let a coverage reach a border before which it ends, as a matte's may."""
    reaching = alpha.copy()
    for turned in (reaching, reaching[::-1], reaching.T, reaching.T[::-1]):
        before = np.where(turned[min(RIM_PX, len(turned) - 1)] >= SOLID, 255, 0).astype(np.uint8)
        if before.any() and np.median(turned[0][before > 0]) < SOLID:
            np.maximum(turned[:RIM_PX], before, out=turned[:RIM_PX])
    return reaching


def _round_off(person: CutPerson, rgb: U8, alpha: U8, left: int) -> None:
    """Draw what is above the top border, into a margin that begins `left` pixels beside the picture."""
    rows, columns = np.indices(alpha.shape, np.float32)
    along, beyond = columns - left, len(alpha) - 0.5 - rows
    for stretch in stretches(person.alpha):
        arc = crown(person, stretch)
        coverage = arc_coverage(person, arc, along, beyond)
        _lay(rgb, alpha, crown_colours(person, arc, along, beyond), coverage)


def _go_on_beside(person: CutPerson, rgb: U8, alpha: U8, margin_px: int) -> None:
    """Draw what is beside the left border, into the picture with its margin and perhaps one above."""
    rgb, alpha = rgb[:, :margin_px], alpha[:, :margin_px]
    rows = np.arange(len(alpha), dtype=np.float32)[:, None] - (len(alpha) - person.height)
    beyond = margin_px - 0.5 - np.arange(margin_px, dtype=np.float32)[None]
    for stretch in stretches(np.ascontiguousarray(person.alpha.T)):
        hair, body_px = _hair_and_body(person, stretch)
        if hair is not None:
            arc = Arc.bulging(hair)
            places = [np.ascontiguousarray(one) for one in np.broadcast_arrays(rows, beyond)]
            _lay(rgb, alpha, side_colours(person, arc, *places), arc_coverage(person, arc, *places))
        if body_px is not None:
            slope = Slope.of(person, body_px)
            coverage = shoulder_coverage(person, slope, rows, beyond)
            seen = np.s_[int(coverage.any(axis=1).argmax()) :]
            colours = shoulder_colours(person, slope, rows[seen], beyond)
            _lay(rgb[seen], alpha[seen], colours, coverage[seen])


def _go_on_below(person: CutPerson, rgb: U8, alpha: U8, margins: Margins) -> None:
    """Draw what is below the bottom border, into the picture with all its margins."""
    edge = margins.top + person.height
    beyond = np.arange(margins.bottom, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(alpha.shape[1], dtype=np.float32)[None]
    whole = person.within(rgb[:edge], alpha[:edge], (margins.left, margins.top))
    for stretch in stretches(np.ascontiguousarray(whole.alpha[::-1])):
        spread = Spread.of(stretch, whole.width)
        colours = colours_below(whole, spread.column_inside(columns, beyond), beyond)
        _lay(rgb[edge:], alpha[edge:], colours, spread_coverage(whole, spread, columns, beyond))


def _hair_and_body(person: CutPerson, stretch: Stretch) -> tuple[Stretch | None, float | None]:
    """Split what a side cuts: hair or a hat, and the row from which on it is the body down to the bottom."""
    if stretch.stop < person.height - 2:
        return stretch, None
    if stretch.start > person.chin_row - _OVER_CHIN * person.face_px:
        return None, stretch.start
    body = min(person.body_row, stretch.stop)
    return replace(stretch, stop=body), body


def _lay(rgb: U8, alpha: U8, colours: U8, coverage: F32) -> None:
    """Lay what was made up where it covers more than what is there, in place."""
    level = np.rint(255 * coverage).astype(np.uint8)
    more = level > alpha
    rgb[more] = colours[more]
    alpha[more] = level[more]
