"""Lids shut in the portrait's own skin, one alone if need be; each eye looks where the driver's does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, Tolerance, assert_pictures_equal
from fakes import Follower

from facepuppet.core.types import U8, Motion
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import EYES, EyeTopology
from facepuppet.frames.cpu.render.eyes import Eyes, opening_outline
from facepuppet.frames.cpu.render.lid_layer import LidLayer
from facepuppet.frames.cpu.render.lid_pictures import ABOVE, SIDE, lid_picture
from facepuppet.frames.cpu.render.patches import polygon_mask
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

BOTH = range(2)


@cache
def parts() -> tuple[Warp, LidLayer, Eyes]:
    """What draws eyes, of the sample portrait."""
    return Warp(hopper()), LidLayer(hopper()), Eyes(hopper())


def motion(*openings: float) -> Motion:
    return Target(hopper()).motion(replace(Deltas.rest(), eye_opening=np.array(openings, np.float32)))


def drawn(moved: Motion) -> U8:
    """Warp, lids and eyeballs alone: (H, W, 4)."""
    warp, lids, eyes = parts()
    rgba, placed = warp.render(moved), lids.place(moved)
    lids.draw_skin(rgba, placed)
    eyes.draw(rgba, moved)
    lids.draw_lashes(rgba, placed)
    return rgba


def around(eye: EyeTopology) -> tuple[slice, slice]:
    """Rows and columns around one eye of the portrait."""
    points = hopper().landmarks_px[np.concatenate([eye.ring, eye.upper_fold, eye.lower_fold]), :2].astype(int)
    (left, top), (right, bottom) = points.min(0) - 8, points.max(0) + 8
    return slice(top, bottom), slice(left, right)


def seen_by_driver(second: float, landmarks_head: np.ndarray) -> Tracking:
    """A tracker's view of a head-frame face."""
    points = 170.0 * landmarks_head + np.array([640.0, 300.0, 0.0])
    return Tracking(
        Face.of(points.astype(np.float32)), None, (1280, 720), int(second * 30), int(second * 1e9)
    )


def test_open_lids_draw_nothing() -> None:
    lids = parts()[1]
    assert lids.place(motion(1.0, 1.0)) == (None, None)
    assert lids.place(motion(1.3, 0.95)) == (None, None)
    outside = motion(0.0, 0.0)
    far = replace(outside, landmarks_px=outside.landmarks_px + np.float32(5000))
    assert lids.place(far) == (None, None)


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.2, -0.5, 0.2), (-0.2, 0.6, 0.0)])
def test_all_that_is_drawn_of_a_lid_lies_in_its_box(turn: tuple[float, float, float]) -> None:
    """In a larger box the picture is the same: nothing ends at the box's edge."""
    warp, lids, _ = parts()
    deltas = replace(Deltas.rest(), eye_opening=np.zeros(2, np.float32), turn=np.array(turn, np.float32))
    moved = Target(hopper()).motion(deltas)
    rgba, placed = warp.render(moved), lids.place(moved)
    wider = [
        replace(lid, skin_box_px=_grown(lid.skin_box_px), lash_box_px=_grown(lid.lash_box_px))
        for lid in placed
        if lid is not None
    ]
    assert len(wider) == 2
    tight, loose = rgba.copy(), rgba.copy()
    for picture, given in ((tight, placed), (loose, wider)):
        lids.draw_skin(picture, given)
        lids.draw_lashes(picture, given)
    assert_pictures_equal(tight, loose, Tolerance(mean=0.01, most=3))


def _grown(box_px: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    x, y, width, height = box_px
    return x - 12, y - 12, width + 24, height + 24


@pytest.mark.parametrize("side", BOTH)
def test_a_wink_leaves_the_other_eye_as_it_was(side: int) -> None:
    openings = [1.0, 1.0]
    openings[side] = 0.0
    rest, winking = motion(1.0, 1.0), motion(*openings)
    placed = parts()[1].place(winking)
    assert placed[side] is not None and placed[1 - side] is None
    still, moved = EYES[1 - side], EYES[side]
    ring = np.concatenate([still.ring, still.upper_fold, still.iris])
    np.testing.assert_allclose(winking.landmarks_px[ring], rest.landmarks_px[ring], atol=1e-4)
    before, after = drawn(rest), drawn(winking)
    assert_pictures_equal(after[around(still)], before[around(still)], EXACT)
    assert np.abs(after[around(moved)].astype(int) - before[around(moved)]).mean() > 3


def test_a_drivers_wink_reaches_the_picture_alone() -> None:
    """From landmarks of a driver: the shut lid's eye is covered, the other one keeps its opening."""
    follower, rest = Follower(hopper()), canonical_landmarks()
    for second in (0.0, 1.0):
        follower.update(seen_by_driver(second, rest))
    shut = rest.copy()
    shut[EYES[0].upper_lid] = shut[EYES[0].lower_lid]
    found = follower.update(seen_by_driver(2.0, shut))
    placed = parts()[1].place(found)
    assert placed[0] is not None and placed[0].skin_share == 1.0
    assert placed[1] is None and found.eye_opening[1] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("inwards", [0.14, -0.14])
def test_crossed_and_diverging_eyes_reach_the_picture(inwards: float) -> None:
    """From landmarks of a driver whose irises move towards the nose (or away) to where the dark is drawn."""
    follower, rest = Follower(hopper()), canonical_landmarks()
    for second in (0.0, 1.0):
        follower.update(seen_by_driver(second, rest))
    straight = follower.update(seen_by_driver(2.0, rest))
    crossed = rest.copy()
    for eye in EYES:
        crossed[eye.iris] += inwards * (rest[eye.inner] - rest[eye.outer])
    moved = follower.update(seen_by_driver(3.0, crossed))
    before, after = drawn(straight), drawn(moved)
    for eye, towards_nose in zip(EYES, (1, -1), strict=True):
        shift = _dark_x(after, moved, eye) - _dark_x(before, straight, eye)
        assert shift * towards_nose * np.sign(inwards) > 1.0


def _dark_x(rgba: U8, shown: Motion, eye: EyeTopology) -> float:
    """Where the darkest part of one eye lies."""
    area = polygon_mask(opening_outline(shown.landmarks_px, eye), (0, 0), hopper().size_px) > 128
    ys, xs = np.nonzero(area)
    light = rgba[ys, xs, :3].mean(-1)
    weight = np.clip(np.percentile(light, 35) - light, 0, None)
    return float((xs * weight).sum() / weight.sum())


@pytest.mark.parametrize("eye", EYES)
def test_a_shut_lid_is_skin_above_a_dark_line(eye: EyeTopology) -> None:
    """Nothing of the eyeball is left, and the darkest row across the middle is the lash line's."""
    shut = motion(0.0, 0.0)
    rgb = drawn(shut)[..., :3].astype(np.float32).mean(-1)
    rim, fold = shut.landmarks_px[eye.upper_lid[4], :2], hopper().landmarks_px[eye.upper_fold[3], :2]
    x, top, bottom = round(float(rim[0])), int(fold[1]), round(float(rim[1])) + 5
    column = rgb[top:bottom, x - 3 : x + 4].mean(1)
    line = top + int(column.argmin())
    assert abs(line - rim[1]) <= 3
    ball = column[int(0.4 * (line - top)) : line - top - 4]  # below the crease
    assert ball.min() > column.min() + 25
    assert np.abs(np.diff(ball)).max() < 12  # no slit, no second rim


def test_the_lid_takes_its_colour_from_the_portraits_own_skin() -> None:
    """In a greener portrait lids are greener by as much."""
    avatar = hopper()
    tinted = replace(avatar, portrait_rgb=_tinted(avatar))
    for eye in EYES:
        own, other = lid_picture(avatar, eye), lid_picture(tinted, eye)
        rows = slice(int(0.5 * ABOVE * own.scale), int(0.9 * ABOVE * own.scale))
        columns = slice(int((SIDE + 0.3) * own.scale), int((SIDE + 0.7) * own.scale))
        change = other.skin_rgba[rows, columns, :3].astype(int) - own.skin_rgba[rows, columns, :3]
        red, green, blue = change.mean((0, 1))
        assert green == pytest.approx(30, abs=6)
        assert abs(red) < 3 and abs(blue) < 3


def test_lash_lines_are_softer_in_softer_pictures() -> None:
    avatar = hopper()
    soft = replace(avatar, portrait_rgb=cv2.GaussianBlur(avatar.portrait_rgb, (0, 0), 3.0))
    sharp_line, soft_line = (
        lid_picture(one, EYES[0]).lash_rgba[..., 3].astype(int) for one in (avatar, soft)
    )
    steepest = [np.abs(np.diff(line, axis=0)).max() for line in (sharp_line, soft_line)]
    assert steepest[1] < 0.8 * steepest[0]


def _tinted(avatar: Avatar) -> U8:
    rgb = avatar.portrait_rgb.astype(int)
    rgb[..., 1] += 30
    return np.clip(rgb, 0, 255).astype(np.uint8)
