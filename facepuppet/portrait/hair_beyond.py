"""Hair that a border cuts off goes on, mirrored strand by strand, under a soft and ragged outline."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Floats
from facepuppet.face.topology import FACE_OVAL
from facepuppet.portrait.cut_person import SOLID, CutPerson
from facepuppet.portrait.outline_beyond import Arc

# Of the face's height:
_HAIRLINE = 0.06  # the face reaches so far over its landmarks at least
_DEEPEST = 0.5  # rows of hair under a border that are looked at
_LEAST_DEPTH = 0.03  # so many rows go on where the border cuts a bare forehead
_LOCK, _STRAND = 0.036, 0.009  # how broad they are
_RAGGED, SOFT = 0.006, 0.018  # how far locks stick out of an outline, and how soft it is
ENOUGH_HAIR = 0.06  # rows of hair under a border that tell how it goes on
_GROWN = 0.06  # so far beyond the border the outline is as ragged as it gets
_BESIDE = 0.08  # columns that are mirrored beyond a side

_FULL = 0.75  # of the rows down to the hairline
_LONGER = 2.5  # strands may get so many times longer
_WITHIN = 0.96  # of an arc's half width: farther out the picture's own edge is soft
_BARE = (9, 151, 50, 280, 1)  # landmarks on bare skin: brow, forehead, cheeks, nose


def arc_coverage(person: CutPerson, arc: Arc, along_px: F32, beyond_px: F32) -> F32:
    """How much of points an arc covers, in 0..1, (h, w) along a border and beyond it."""
    face = person.face_px
    ragged = _RAGGED * face * _noise(along_px.shape, face) * smoothstep(beyond_px / (_GROWN * face))
    distance = arc.inside_px(along_px, beyond_px) + ragged
    return np.clip(0.5 + distance / max(SOFT * face, 1.0), 0, 1).astype(np.float32)


def crown_colours(person: CutPerson, arc: Arc, along_px: F32, beyond_px: F32) -> U8:
    """Colours (h, w, 3) of points (h, w) along the top border and beyond it.

    Outline goes onto outline, rows there and back through the hair.
    """
    column = np.clip(_followed(arc, along_px, beyond_px), 0, person.width - 1)
    depths = hair_depth(person)
    column = _lending(depths, arc, ENOUGH_HAIR * person.face_px)[np.rint(column).astype(np.intp)]
    # Hair gets thin towards the hairline.
    depth_px = _FULL * depths[np.rint(column).astype(np.intp)]
    longer = np.clip(arc.height_px / depth_px, 1.0, _LONGER)
    return looked_up(person.rgb, column, there_and_back(beyond_px / longer, depth_px))


def side_colours(person: CutPerson, arc: Arc, along_px: F32, beyond_px: F32) -> U8:
    """The same beyond the left border, along which rows count."""
    column = there_and_back(beyond_px, np.array(_BESIDE * person.face_px))
    return looked_up(person.rgb, column, _followed(arc, along_px, beyond_px))


def _followed(arc: Arc, along_px: F32, beyond_px: F32) -> F32:
    """Where along the border points come from: what is at the outline from its end."""
    share = np.clip((along_px - arc.middle) / np.maximum(arc.half_width_px(beyond_px), 1.0), -1, 1)
    return np.asarray(arc.middle + _WITHIN * share * arc.half_px, np.float32)


def _lending(depths: F32, arc: Arc, enough_px: float) -> F32:
    """Which column (W,) lends hair to each: at a parting one beside it, if elsewhere there is enough."""
    columns = np.arange(len(depths))
    under = (np.abs(columns - arc.middle) < arc.half_px) & (depths >= enough_px)
    if under.sum() < 0.5 * arc.half_px:
        return columns.astype(np.float32)
    there = np.flatnonzero(under)
    nearest = there[np.abs(columns[:, None] - there).argmin(axis=1)].astype(np.float32)
    return np.asarray(cv2.blur(nearest[None], (2 * round(enough_px) + 1, 1))[0], np.float32)


def hair_depth(person: CutPerson) -> F32:
    """How many rows (W,) under the top border look like what is cut there: hair, not the face below it."""
    face = person.face_px
    rows = min(person.height, max(2, round(_DEEPEST * face)))
    colours = cv2.cvtColor(cv2.blur(person.rgb[:rows], (5, 5)), cv2.COLOR_RGB2LAB).astype(np.float32)
    other = np.zeros((rows, person.width), np.uint8)
    oval = person.landmarks_px[FACE_OVAL, :2] - (0, _HAIRLINE * face)
    cv2.fillPoly(other, [np.rint(oval).astype(np.int32)], (1,))
    other |= person.alpha[:rows] < SOLID
    to_skin, to_hair = (np.linalg.norm(colours - one, axis=2) for one in (_skin_lab(person), colours[:1]))
    other |= to_skin < to_hair
    other[-1] = 1
    near = np.ones((1, 2 * round(0.02 * face) + 1), np.uint8)
    depth = cv2.erode(other.argmax(axis=0).astype(np.float32)[None], near)
    depth = cv2.GaussianBlur(depth, (0, 0), max(0.03 * face, 0.5))[0]
    return np.asarray(np.maximum(depth, max(2.0, _LEAST_DEPTH * face)), np.float32)


def _skin_lab(person: CutPerson) -> F32:
    """The colour (3,) of bare skin."""
    points = np.rint(person.landmarks_px[list(_BARE), :2]).astype(int)
    x, y = np.clip(points, 0, (person.width - 1, person.height - 1)).T
    lab = cv2.cvtColor(np.ascontiguousarray(person.rgb[y, x][None]), cv2.COLOR_RGB2LAB)
    return np.asarray(np.median(lab[0], axis=0), np.float32)


def _noise(shape: tuple[int, ...], face_px: float) -> F32:
    """Noise (h, w) of about ±1: locks, and strands in them, longer than broad."""
    random = np.random.default_rng(0)  # the same portrait shall always look the same
    total = np.zeros(shape, np.float32)
    for size, weight in ((_LOCK, 0.7), (_STRAND, 0.35)):
        sigma = max(size * face_px, 0.4)
        noise = random.standard_normal(shape).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), sigma, sigmaY=2.5 * sigma)
        total += weight * soft / max(float(soft.std()), 1e-6)
    return total


def there_and_back(way: F32, length: Floats) -> F32:
    """Fold an endless way into [0, length]."""
    turn = np.mod(way, 2 * length)
    return np.where(turn > length, 2 * length - turn, turn).astype(np.float32)


def looked_up(picture: U8, column: F32, row: F32) -> U8:
    """Sample a picture (H, W, 3) at (h, w) places; beyond its borders it stays as at them."""
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(picture, column, row, cv2.INTER_LINEAR, borderMode=border), np.uint8)
