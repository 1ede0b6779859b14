"""What an analysed portrait is made of, checked on public-domain photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from compare import EXACT, LAYERS, RESAMPLED, Tolerance, assert_pictures_equal, levels
from pictures import astronaut_rgb, hopper_rgb

from facepuppet.core.types import U8
from facepuppet.face.topology import CHIN, FACE_OVAL
from facepuppet.portrait.analyse import analyse_portrait
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.foreground import estimate_foreground
from facepuppet.portrait.inpaint import fill_background
from facepuppet.portrait.load import load_avatar
from facepuppet.portrait.shoulder_line import place_shoulders
from facepuppet.portrait.texture import copy_texture
from facepuppet.vision.still import BodyView

ART = [
    *(f"art_{number}.png" for number in (7, 10, 13, 14, 19)),
    *("cartoon_3d.jpg", "girl_with_pearl_earring.jpg", "painting_black_dress.jpg"),
    *("painting_veil.jpg", "photo_1921_mono.jpg", "terracotta.jpg"),
]


def analysed(rgb: U8) -> Avatar:
    return analyse_portrait(rgb, name="test", source_sha256="00" * 32)


@pytest.fixture(scope="module")
def hopper() -> Avatar:
    return analysed(hopper_rgb())


def face_area(avatar: Avatar) -> npt.NDArray[np.bool_]:
    """The face oval without its outermost pixels, where the cheek may meet the background."""
    area = np.zeros(avatar.person_alpha.shape, np.uint8)
    cv2.fillPoly(area, [np.rint(avatar.landmarks_px[FACE_OVAL, :2]).astype(np.int32)], (1,))
    return cv2.erode(area, np.ones((max(avatar.size_px) // 48,) * 2, np.uint8)) > 0


def composed(avatar: Avatar) -> U8:
    coverage = avatar.person_alpha[..., None] / 255
    rgb = coverage * avatar.foreground_rgb + (1 - coverage) * avatar.background_rgb
    return np.rint(rgb).astype(np.uint8)


def assert_sound(avatar: Avatar) -> None:
    width, height = avatar.size_px
    assert width * height <= 1024 * 1024 and max(width, height) <= 2048
    for layer in (avatar.portrait_rgb, avatar.foreground_rgb, avatar.background_rgb):
        assert layer.shape == (height, width, 3)
        assert layer.dtype == np.uint8
    assert avatar.person_alpha.shape == (height, width)
    assert avatar.landmarks_px.shape == (478, 3)
    assert avatar.shoulders_px.shape == (2, 2)
    assert avatar.shoulders_px[0, 0] < avatar.shoulders_px[1, 0]
    assert (avatar.shoulders_px[:, 1] > avatar.landmarks_px[1, 1]).all()
    assert (avatar.person_alpha[face_area(avatar)] == 255).all()
    assert 0.1 < (avatar.person_alpha > 127).mean() < 0.95


def test_a_picture_that_fits_is_kept_as_it_is(hopper: Avatar) -> None:
    assert_pictures_equal(hopper.portrait_rgb, hopper_rgb(), EXACT)


def test_the_parts_fit_together(hopper: Avatar) -> None:
    assert_sound(hopper)


def test_shoulders_are_where_she_wears_them(hopper: Avatar) -> None:
    np.testing.assert_allclose(hopper.shoulders_px, [[96, 423], [456, 428]], atol=25)


def test_the_person_is_one_piece_without_holes(hopper: Avatar) -> None:
    person = (hopper.person_alpha > 127).astype(np.uint8)
    assert cv2.connectedComponents(person)[0] == 2
    assert cv2.connectedComponents(1 - person, connectivity=4)[0] <= 3  # sky and flag


def test_the_torso_is_solid_down_to_the_border(hopper: Avatar) -> None:
    assert (hopper.person_alpha[430:, 150:400] == 255).all()
    assert (hopper.person_alpha[-1, 20:-20] == 255).all()
    assert hopper.person_alpha[100, 480] == 0  # sky
    assert hopper.person_alpha[60, 20] == 0  # flag


def test_edges_are_soft_but_narrow(hopper: Avatar) -> None:
    soft = (hopper.person_alpha > 0) & (hopper.person_alpha < 255)
    assert 0.005 < soft.mean() < 0.12


def test_the_layers_compose_to_the_portrait(hopper: Avatar) -> None:
    solid = hopper.person_alpha == 255
    assert_pictures_equal(hopper.foreground_rgb, hopper.portrait_rgb, EXACT, solid)
    clear = cv2.erode((hopper.person_alpha == 0).astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    soft = ~solid & (hopper.person_alpha > 0)
    together = composed(hopper)
    assert_pictures_equal(together, hopper.portrait_rgb, LAYERS)
    assert_pictures_equal(together, hopper.portrait_rgb, Tolerance(percentile=50, at_percentile=0), clear)
    assert_pictures_equal(together, hopper.portrait_rgb, LAYERS.but(mean=30), soft)


def test_no_one_is_left_on_the_plate(hopper: Avatar) -> None:
    inside = cv2.erode((hopper.person_alpha == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.median(levels(hopper.background_rgb, hopper.portrait_rgb).max(-1)[inside]) > 40
    sky = hopper.background_rgb[40:200, 300:500].reshape(-1, 3).mean(axis=0)
    assert sky[2] > sky[0] + 40  # blue continues behind the head


def test_of_a_large_picture_with_a_small_face_head_and_shoulders_are_analysed() -> None:
    large = cv2.resize(hopper_rgb(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    wide = cv2.copyMakeBorder(large, 0, 0, 2500, 2500, cv2.BORDER_REPLICATE).astype(np.uint8)
    avatar = analysed(wide)
    assert_sound(avatar)
    width, height = avatar.size_px
    assert width < 1.4 * height  # most of the wide margins is gone: it was three times as wide as high
    assert face_area(avatar).mean() > 0.05
    assert avatar.whole is not None
    x, y, w, h = avatar.whole.box_px
    part = cv2.resize(avatar.portrait_rgb, (w, h), interpolation=cv2.INTER_AREA)
    assert_pictures_equal(part, avatar.whole.rgb[y : y + h, x : x + w], RESAMPLED)


def test_another_photo() -> None:
    assert_sound(analysed(astronaut_rgb()))


def test_the_same_picture_gives_the_same_avatar(hopper: Avatar) -> None:
    again = analysed(hopper_rgb())
    np.testing.assert_allclose(again.landmarks_px, hopper.landmarks_px, atol=0.05)
    assert_pictures_equal(again.person_alpha, hopper.person_alpha, EXACT)
    assert_pictures_equal(again.background_rgb, hopper.background_rgb, EXACT)


@pytest.mark.parametrize(
    "body",
    [
        None,
        BodyView(np.float32([[100, 420], [450, 420]]), 0.1, np.zeros((1, 1), np.float32)),  # unsure
        BodyView(np.float32([[250, 420], [262, 420]]), 0.9, np.zeros((1, 1), np.float32)),  # too narrow
        BodyView(np.float32([[100, 100], [450, 100]]), 0.9, np.zeros((1, 1), np.float32)),  # above the chin
    ],
)
def test_doubtful_shoulders_give_way_to_typical_ones(hopper: Avatar, body: BodyView | None) -> None:
    left, right = place_shoulders(hopper.landmarks_px, body)
    chin = hopper.landmarks_px[CHIN]
    assert left[0] < chin[0] - 100 < chin[0] + 100 < right[0]
    assert chin[1] + 50 < left[1] == right[1] < chin[1] + 250


def test_foreground_colour_does_not_let_the_background_shine_through() -> None:
    x = np.clip(np.linspace(-8, 9, 200), 0, 1)
    alpha = np.tile(np.rint(255 * x).astype(np.uint8), (200, 1))
    mixed = alpha[..., None] / 255 * np.array([200, 40, 40]) + (1 - alpha[..., None] / 255) * np.array(
        [0, 200, 0]
    )
    foreground = estimate_foreground(np.rint(mixed).astype(np.uint8), alpha).astype(float)
    edge = (alpha > 60) & (alpha < 255)
    assert np.abs(foreground[edge] - [200, 40, 40]).mean() < 12
    assert np.abs(mixed[edge] - [200, 40, 40]).mean() > 40  # it did shine through before


def test_a_plain_backdrop_is_restored_with_its_grain() -> None:
    generator = np.random.default_rng(1)
    ramp = np.linspace(90, 150, 240)[None, :, None] + np.zeros((240, 240, 3))
    truth = np.clip(ramp + generator.normal(0, 6, ramp.shape), 0, 255).astype(np.uint8)
    alpha = np.zeros((240, 240), np.uint8)
    cv2.ellipse(alpha, (120, 140), (60, 80), 0, 0, 360, (255,), cv2.FILLED)
    picture = np.where(alpha[..., None] > 0, np.uint8(20), truth)
    plate = fill_background(picture, alpha)
    hole = alpha > 0
    assert_pictures_equal(cv2.blur(plate.astype(float), (15, 15)), ramp, Tolerance(mean=6), hole)
    assert 0.6 < (plate - ramp)[hole].std() / 6 < 1.5
    assert_pictures_equal(plate[:20], truth[:20], EXACT)


def test_stray_hairs_do_not_stay_on_the_plate() -> None:
    picture = np.full((240, 240, 3), 180, np.uint8)
    alpha = np.zeros((240, 240), np.uint8)
    cv2.circle(alpha, (120, 140), 60, (255,), cv2.FILLED)
    picture[alpha > 0] = 30
    cv2.line(picture, (120, 85), (135, 66), (40, 40, 40), 1)
    assert fill_background(picture, alpha).min() > 165


def test_a_picture_full_of_person_gets_a_grey_plate() -> None:
    plate = fill_background(hopper_rgb(), np.full((600, 512), 255, np.uint8))
    assert (plate == 128).all()


def test_texture_without_a_hole_needs_no_copy() -> None:
    detail = np.ones((40, 40, 3), np.float32)
    assert not copy_texture(detail, np.ones((40, 40), bool), detail).any()


@pytest.mark.shared
@pytest.mark.parametrize("name", ART)
def test_art_becomes_an_avatar(shared: Path, name: str) -> None:
    avatar = load_avatar(shared / "portraits" / "art" / name, cache=False)
    assert_sound(avatar)
    assert_pictures_equal(composed(avatar), avatar.portrait_rgb, LAYERS.but(mean=6))
