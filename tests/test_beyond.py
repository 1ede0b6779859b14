"""What a picture cuts off goes on: rounded hair, falling shoulders, nothing where nothing is cut."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from test_compose import RED, avatar_with, sloping

from facepuppet.face.topology import CHIN, FACE_OVAL, FOREHEAD
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.beyond import Margins, person_beyond
from facepuppet.portrait.outline_beyond import Arc, Stretch, stretches
from facepuppet.portrait.scattered_texture import scatter

AROUND = Margins(60, 120, 70, 50)


def cropped(avatar: Avatar, left: int = 0, top: int = 0, right: int | None = None, bottom: int | None = None):
    """The avatar of a part of a portrait, not analysed anew."""
    part = np.s_[top:bottom, left:right]
    corner = np.array([left, top, 0], np.float32)
    return replace(
        avatar,
        portrait_rgb=avatar.portrait_rgb[part],
        foreground_rgb=avatar.foreground_rgb[part],
        background_rgb=avatar.background_rgb[part],
        person_alpha=avatar.person_alpha[part],
        landmarks_px=avatar.landmarks_px - corner,
        shoulders_px=avatar.shoulders_px - corner[:2],
    )


def test_inside_is_the_picture_and_twice_is_the_same() -> None:
    avatar = cropped(hopper(), 120, 90, 400, 450)
    first, again = person_beyond(avatar, AROUND), person_beyond(avatar, AROUND)
    inside = np.s_[AROUND.top : AROUND.top + 360, AROUND.left : AROUND.left + 280]
    assert_pictures_equal(first.rgb[inside], avatar.foreground_rgb, EXACT)
    well_inside = np.s_[4:-4, 4:-4]  # a matte may end a little before a border
    assert (first.alpha[inside][well_inside] == avatar.person_alpha[well_inside]).all()
    assert_pictures_equal(first.rgb, again.rgb, EXACT)
    assert (first.alpha == again.alpha).all()


def test_beside_borders_that_cut_nobody_nothing_goes_on() -> None:
    beyond = person_beyond(avatar_with((512, 512), shoulders=0.5), AROUND)
    assert not beyond.alpha[: AROUND.top].any()
    assert not beyond.alpha[:, : AROUND.left].any() and not beyond.alpha[:, -AROUND.right :].any()
    assert beyond.alpha[-AROUND.bottom :].any(), "the body is cut"


@pytest.mark.parametrize("cut", [20, 60, 100])
def test_a_round_head_is_round_again(cut: int) -> None:
    """A disc of radius 127 about (256, 204), whose upper rows are cut off."""
    top = 204 - 127 + cut
    avatar = cropped(avatar_with(), top=top)
    landmarks = avatar.landmarks_px.copy()
    landmarks[FACE_OVAL, 0] = np.linspace(190, 322, len(FACE_OVAL))
    landmarks[FOREHEAD, 1], landmarks[CHIN, 1] = 204 - 100 - top, 204 + 110 - top
    made = person_beyond(replace(avatar, landmarks_px=landmarks), Margins(0, 150, 0, 0)).alpha > 127
    ys, xs = np.mgrid[0 : len(made), 0:512]
    truth = (xs - 256) ** 2 + (ys - 150 + top - 204) ** 2 < 127**2
    above = np.s_[:150]
    assert (made[above] & truth[above]).sum() / (made[above] | truth[above]).sum() > 0.8


def test_hair_goes_on_as_hair() -> None:
    """Her hat's brim is black; the face below it, not."""
    avatar = cropped(hopper(), top=round(float(hopper().landmarks_px[FOREHEAD, 1])) - 30)
    beyond = person_beyond(avatar, AROUND)
    crown = beyond.rgb[: AROUND.top][beyond.alpha[: AROUND.top] > 200]
    assert len(crown) > 1000 and np.median(crown.max(axis=1)) < 60


def test_shoulders_fall_outwards_in_their_own_colours() -> None:
    beyond = person_beyond(sloping(), Margins(60, 0, 60, 0))
    outlines = [
        np.where(side.any(axis=0), side.argmax(axis=0), 600)
        for side in (beyond.alpha[:, :60][:, ::-1] > 127, beyond.alpha[:, -60:] > 127)
    ]
    for outline in outlines:
        assert outline[0] < 520 and (np.diff(outline) >= 0).all() and outline[-1] > outline[0] + 40
    assert np.abs(beyond.rgb[beyond.alpha > 200].astype(int) - RED).max() <= 2


def test_a_stretch_leans_as_its_outline_does() -> None:
    alpha = np.zeros((200, 300), np.uint8)
    cv2.fillPoly(alpha, [np.array([[100, 0], [200, 0], [300, 200], [0, 200]])], (255,))
    (stretch,) = stretches(alpha)
    assert (stretch.start, stretch.stop) == pytest.approx((100, 201), abs=2)
    assert stretch.leaning == pytest.approx((0.5, 0.5), abs=0.1)
    upright = Arc.over(Stretch(0, 100), 1000.0)
    assert upright.height_px == pytest.approx(50, abs=1), "half a circle"
    assert Arc.over(stretch, 1000.0).height_px < 35


def test_scattered_texture_is_as_lively_as_what_lends_it_and_shows_no_thing_twice() -> None:
    random = np.random.default_rng(1)
    broad = np.full((200, 200, 3), 90, np.uint8)
    rgb = np.clip(90 + 12 * random.standard_normal((200, 200, 1)), 0, 255).repeat(3, 2).astype(np.uint8)
    rgb[90:110, 90:110] = 255  # a button
    made = scatter(rgb, broad, np.ones((200, 200), bool), broad[:80, :80], 16)
    assert made.shape == (80, 80, 3) and 7 < made.std() < 15 and abs(made.mean()) < 2
    assert np.abs(made).max() < 90
    nothing = scatter(rgb, broad, np.zeros((200, 200), bool), broad[:80, :80], 16)
    assert not nothing.any()
