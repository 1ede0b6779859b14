"""What of a portrait moves: with its own background the picture itself at rest, before others the person."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, RESAMPLED, assert_pictures_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet import Backdrop, Composer, Corner, load_avatar, sample_portrait_path
from facepuppet.core.types import U8, Expression, Motion
from facepuppet.frames.cpu.render.cutout import Surroundings, cut_out, person_and_rim
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.working_picture import Whole
from facepuppet.retarget import Retargeter
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

OWN = Surroundings(own=True)


def at_rest(avatar: Avatar) -> Motion:
    return Retargeter(avatar).update(Expression.absent(0, 0))


def shown_at_rest(avatar: Avatar, surroundings: Surroundings, backdrop: Backdrop | None = None) -> U8:
    renderer = Renderer(avatar, engine="cpu")
    renderer.stand_before(surroundings)
    composer = Composer(avatar, None, label=Corner.OFF, backdrop=backdrop)
    return composer.compose(renderer.render(at_rest(avatar))).rgb


def departure(given: U8, truth: U8) -> tuple[float, float]:
    """Mean difference in levels, and the 99.9th percentile of that of means over 5x5 pixels."""
    blurred = [cv2.blur(picture.astype(np.float32), (5, 5)) for picture in (given, truth)]
    return (
        float(np.abs(given.astype(int) - truth).mean()),
        float(np.percentile(np.abs(blurred[0] - blurred[1]).mean(axis=2), 99.9)),
    )


def test_at_rest_the_output_is_the_picture() -> None:
    """Of the person alone the sample's departs by 2.6 levels, and by 116 where a flag was filled."""
    avatar = load_avatar(sample_portrait_path())
    mean, worst = departure(shown_at_rest(avatar, OWN), avatar.portrait_rgb)
    assert mean <= 1.5 and worst <= 12.0
    before = departure(shown_at_rest(avatar, Surroundings()), avatar.portrait_rgb)
    assert before[0] > 2 * mean and before[1] > 5 * worst, "what this is for"


def test_before_another_background_no_rim_of_the_old_one_is_left() -> None:
    avatar = hopper()
    alone = cut_out(avatar, Surroundings())
    assert_pictures_equal(alone.rgb, avatar.foreground_rgb, EXACT)
    assert (alone.alpha == avatar.person_alpha).all()


def test_where_the_cutout_ends_the_background_is_the_pictures() -> None:
    avatar = hopper()
    cut = person_and_rim(avatar)
    soft = cut.alpha < 255
    assert soft.any() and np.abs(avatar.background_rgb.astype(int) - avatar.portrait_rgb)[soft].max() <= 2
    assert (cut.alpha >= avatar.person_alpha).all() and (cut.alpha == 0).any()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_whatever_was_filled_at_rest_it_is_the_picture(seed: int) -> None:
    """By the cutout's own sums, without the warp: cutout over background is the picture."""
    random = np.random.default_rng(seed)
    picture, plate = random.integers(0, 256, (2, 40, 60, 3)).astype(np.uint8)
    known = cv2.GaussianBlur(random.random((40, 60)).astype(np.float32), (0, 0), 4) > 0.5
    plate[known] = picture[known]
    alpha = np.where(known, 0, 255).astype(np.uint8)
    avatar = replace(
        hopper(), portrait_rgb=picture, background_rgb=plate, foreground_rgb=picture, person_alpha=alpha
    )
    cut = cut_out(avatar, OWN)
    share = cut.alpha[..., None] / 255.0
    laid = share * cut.rgb + (1 - share) * plate
    assert np.abs(laid - picture).max() <= 1.5


@pytest.mark.parametrize("word", ["portrait", "blur", "#00ff00"])
def test_the_scene_chooses(word: str) -> None:
    from facepuppet import Puppet, Scene

    puppet = Puppet(hopper(), Composer(hopper(), (320, 180)), engine="cpu")
    puppet.set_scene(Scene(Backdrop.parse(word)))
    warp = puppet.maker.renderer.warp  # type: ignore[attr-defined]
    assert warp.stand_before(Surroundings(word == "portrait")) is False


def test_around_a_crop_the_whole_picture_stands_still() -> None:
    """Head and shoulders of a picture with a small face move in it; at rest it is the picture."""
    avatar = hopper()
    around = cv2.copyMakeBorder(avatar.portrait_rgb, 0, 70, 100, 60, cv2.BORDER_REFLECT)
    avatar = replace(avatar, whole=Whole(np.asarray(around, np.uint8), (100, 0, 512, 600)))
    composer = Composer(avatar, None, label=Corner.OFF)
    assert composer.canvas_px == (672, 670)
    renderer = Renderer(composer.at_shown_size().avatar, engine="cpu")
    renderer.stand_before(OWN)
    still = composer.compose(renderer.render(at_rest(avatar))).rgb
    mean, worst = departure(still, around)
    assert mean <= 1.5 and worst <= 12.0
    lean = replace(Deltas.rest(), lean=np.array([0.3, -0.3], np.float32))
    moved = composer.compose(renderer.render(Target(avatar).motion(lean))).rgb
    assert_pictures_equal(moved[600:], around[600:], EXACT)
    assert_pictures_equal(moved[:, :100], around[:, :100], EXACT)
    assert_pictures_equal(moved[597:600], still[597:600], RESAMPLED)
    assert np.abs(moved[200:400, 250:450].astype(int) - around[200:400, 250:450]).mean() > 10, "she moves"
    assert Composer(avatar, (640, 360)).avatar.whole is None
