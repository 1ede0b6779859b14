"""Views in the picture: each where it is like what is wanted, nowhere else, and never a jump."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from views import NO_ENGINES, motion, view_of

from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import EYES, LIPS_INNER, N_MESH, NOSE_TIP
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.patches import polygon_mask
from facepuppet.frames.cpu.render.view_choice import ViewChooser
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.views import View, view_box

GREEN = np.array([20, 230, 40], np.uint8)
OPEN, TURNED, SHUT = 0, 1, 2
OPEN_JAW, TURN = 0.7, 0.35


def mask_of(points_px: F32, shape: tuple[int, ...], grow_px: int = 0) -> np.ndarray:
    mask = polygon_mask(points_px, (0, 0), (shape[1], shape[0]))
    if grow_px:
        side = 2 * abs(grow_px) + 1
        mask = (cv2.dilate if grow_px > 0 else cv2.erode)(mask, np.ones((side, side), np.uint8))
    return mask > 127


def paint_interior(rgb: U8, moved: Motion) -> None:
    rgb[mask_of(moved.landmarks_px[LIPS_INNER, :2], rgb.shape)] = GREEN


def paint_cheek(rgb: U8, moved: Motion) -> None:
    cv2.circle(rgb, cheek(moved), 14, GREEN.tolist(), cv2.FILLED)


def paint_lids(rgb: U8, moved: Motion) -> None:
    for eye in EYES:
        around = np.concatenate([moved.landmarks_px[eye.upper_fold, :2], moved.landmarks_px[eye.ring, :2]])
        rgb[mask_of(cv2.convexHull(around)[:, 0], rgb.shape)] = GREEN


def cheek(moved: Motion) -> tuple[int, int]:
    """Between nose and ear on the side that the turned view shows better."""
    x, y = moved.landmarks_px[[NOSE_TIP, 234], :2].mean(0)
    return round(float(x)), round(float(y))


@cache
def avatar() -> Avatar:
    views = (
        view_of(motion(jaw=OPEN_JAW), paint_interior),
        view_of(motion(yaw=TURN), paint_cheek),
        view_of(motion(eyes=0.0), paint_lids),
    )
    return replace(hopper(), views=views)


@cache
def renderer() -> Renderer:
    return Renderer(avatar(), NO_ENGINES)


def render(moved: Motion, **options) -> U8:
    return renderer().render(moved, **options).rgba


def greenness(rgba: U8) -> F32:
    pixels = rgba[..., :3].astype(np.float32)
    return pixels[..., 1] - pixels[..., [0, 2]].max(-1)


def test_with_all_views_left_out_it_is_the_portrait_alone():
    alone = Renderer(hopper(), NO_ENGINES)
    for moved in (motion(), motion(jaw=OPEN_JAW), motion(yaw=-0.2, eyes=0.3)):
        assert_pictures_equal(render(moved, left_out={0, 1, 2}), alone.render(moved).rgba, EXACT)


def test_at_rest_no_view_shows():
    assert greenness(render(motion())).max() < 60


def test_the_own_mouth_opens():
    moved = motion(jaw=OPEN_JAW)
    rgba = render(moved)
    inside = mask_of(moved.landmarks_px[LIPS_INNER, :2], rgba.shape, -2)
    assert inside.sum() > 100
    assert np.median(greenness(rgba)[inside]) > 150
    assert greenness(render(moved, left_out={OPEN}))[inside].max() < 60


def test_the_own_cheek_turns_into_sight():
    moved = motion(yaw=TURN)
    x, y = cheek(moved)
    spot = np.s_[y - 5 : y + 6, x - 5 : x + 6]
    assert greenness(render(moved))[spot].min() > 120
    assert greenness(render(moved, left_out={TURNED}))[spot].max() < 60


def test_the_own_lids_shut():
    moved = motion(eyes=0.0)
    rgba = render(moved)
    for eye in EYES:
        lid = np.concatenate(
            [moved.landmarks_px[eye.upper_fold, :2], moved.landmarks_px[eye.upper_lid[::-1], :2]]
        )
        inside = mask_of(lid, rgba.shape, -2)
        assert np.percentile(greenness(rgba)[inside], 25) > 100


def test_nothing_outside_the_face_is_touched():
    for moved in (motion(jaw=OPEN_JAW), motion(yaw=TURN), motion(eyes=0.0)):
        changed = (render(moved) != render(moved, left_out={0, 1, 2})).any(-1)
        face = mask_of(
            cv2.convexHull(np.ascontiguousarray(moved.landmarks_px[:N_MESH, :2]))[:, 0], changed.shape, 2
        )
        assert changed.any()
        assert not (changed & ~face).any()


def test_colour_never_exceeds_its_coverage():
    rgba = render(motion(jaw=OPEN_JAW, yaw=TURN))
    assert (rgba[..., :3].max(-1).astype(int) - rgba[..., 3]).max() <= 2


def test_a_face_that_has_left_the_picture_is_no_trouble():
    moved = motion(jaw=OPEN_JAW)
    away = moved.landmarks_px + np.array([4000, 0, 0], np.float32)
    assert render(replace(moved, landmarks_px=away)).shape == (600, 512, 4)


@pytest.mark.parametrize("scale", [0.6, 1.7])
def test_views_land_in_their_place_in_portraits_of_any_size(scale: float):
    """Larger faces are sampled on a grid coarser than their pixels."""
    large = resized(avatar(), scale)
    moved = motion(jaw=OPEN_JAW, avatar=large)
    rgba = Renderer(large, NO_ENGINES).render(moved).rgba
    outline = moved.landmarks_px[LIPS_INNER, :2]
    assert np.median(greenness(rgba)[mask_of(outline, rgba.shape, -2)]) > 150
    beyond = mask_of(outline, rgba.shape, round(6 * max(scale, 1)))
    assert greenness(rgba)[~beyond].max() < 60


def resized(small: Avatar, scale: float) -> Avatar:
    size = tuple(round(side * scale) for side in small.size_px)

    def picture(rgb: U8) -> U8:
        return cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)

    def view(given: View) -> View:
        landmarks = given.landmarks_px * np.float32(scale)
        x, y, width, height = view_box(landmarks)
        (x0, y0) = given.origin_px
        matrix = np.array([[scale, 0, scale * x0 - x], [0, scale, scale * y0 - y]], np.float32)
        rgb = cv2.warpAffine(given.rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return View(landmarks, rgb)

    return replace(
        small,
        portrait_rgb=picture(small.portrait_rgb),
        landmarks_px=small.landmarks_px * np.float32(scale),
        shoulders_px=small.shoulders_px * np.float32(scale),
        person_alpha=picture(small.person_alpha),
        foreground_rgb=picture(small.foreground_rgb),
        background_rgb=picture(small.background_rgb),
        views=tuple(view(given) for given in small.views),
    )


def share_of(shares: tuple[tuple[int, float], ...], view: int) -> float:
    return dict(shares).get(view, 0.0)


def test_a_motion_like_a_view_takes_it():
    chooser = ViewChooser(avatar())
    assert share_of(chooser.choose(motion(jaw=OPEN_JAW)).mouth, OPEN) > 0.95
    assert share_of(chooser.choose(motion(yaw=TURN)).face, TURNED) > 0.95
    assert min(share_of(lid, SHUT) for lid in chooser.choose(motion(eyes=0.0)).lids) > 0.9


def test_at_rest_the_portrait_keeps_its_own():
    chosen = ViewChooser(avatar()).choose(motion())
    # Shut eyes change neither pose nor mouth: such a view may share in both.
    assert share_of(chosen.mouth, OPEN) < 0.05
    assert share_of(chosen.face, TURNED) < 0.05
    assert all(share_of(lid, SHUT) < 0.05 for lid in chosen.lids)


def test_shares_move_without_a_jump():
    chooser, before = ViewChooser(avatar()), None
    for t in np.linspace(0, 1, 80):
        chosen = chooser.choose(motion(jaw=OPEN_JAW * t, yaw=TURN * t, eyes=1 - t))
        now = [
            share_of(part, view) for part in (chosen.face, chosen.mouth, *chosen.lids) for view in range(3)
        ]
        assert all(sum(share for _, share in part) <= 1.0 + 1e-6 for part in (chosen.face, chosen.mouth))
        if before is not None:
            assert np.abs(np.subtract(now, before)).max() < 0.15
        before = now


def test_what_is_left_out_serves_nothing():
    chosen = ViewChooser(avatar()).choose(motion(jaw=OPEN_JAW), left_out={OPEN})
    assert share_of(chosen.mouth, OPEN) == 0.0


def test_shut_lips_are_never_stretched_into_an_open_mouth():
    chosen = ViewChooser(avatar()).choose(motion(jaw=OPEN_JAW))
    assert chosen.interior[OPEN] == 1.0
    assert chosen.interior[TURNED] == 0.0
