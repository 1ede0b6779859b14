"""Picture metrics against values that follow from how the pictures were made."""

import cv2
import numpy as np
import pytest
from avatars import hopper
from reenactment import picture_scores


@pytest.fixture
def portrait():
    return picture_scores.reduced(hopper().portrait_rgb[:512, :512])


def test_equal_pictures_are_equal(portrait):
    metrics = picture_scores.whole_frame(portrait, portrait)
    assert metrics["l1"] == 0.0 and metrics["psnr"] > 100 and metrics["ssim"] == pytest.approx(1.0)


def test_a_known_offset_is_measured():
    grey = np.full((256, 256, 3), 100, np.uint8)
    metrics = picture_scores.whole_frame(grey, grey + np.uint8(10))
    assert metrics["l1"] == pytest.approx(10 / 255)
    assert metrics["psnr"] == pytest.approx(20 * np.log10(255 / 10))


def test_worse_pictures_score_worse(portrait):
    blurred = [cv2.GaussianBlur(portrait, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0)]
    scores = [picture_scores.whole_frame(portrait, b) for b in blurred]
    assert scores[0]["ssim"] > scores[1]["ssim"] > scores[2]["ssim"]
    assert scores[0]["psnr"] > scores[1]["psnr"] > scores[2]["psnr"]
    assert scores[0]["l1"] < scores[1]["l1"] < scores[2]["l1"]


def test_a_masked_difference_counts_inside_only():
    truth, mask = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.float32)
    mask[16:32, 16:32] = 1.0
    output = truth.copy()
    output[40:] = 255
    assert picture_scores.masked_l1(truth, output, mask) == 0.0
    output[16:32, 16:24] = 51
    assert picture_scores.masked_l1(truth, output, mask) == pytest.approx(0.1)


def test_sharpness_falls_with_blur_and_counts_inside_only(portrait):
    blurred = cv2.GaussianBlur(portrait, (0, 0), 1.5)
    assert picture_scores.sharpness(blurred) < 0.6 * picture_scores.sharpness(portrait)
    flat = portrait.copy()
    flat[:128] = 90
    mask = np.zeros(flat.shape[:2], np.float32)
    mask[20:100] = 1.0
    assert picture_scores.sharpness(flat, mask) == 0.0 < picture_scores.sharpness(flat)


def clip(values):
    """Frames of one grey level each."""
    return [np.full((64, 64, 3), value, np.uint8) for value in values]


def test_flicker_is_measured_where_the_truth_is_still():
    still = clip([100] * 8)
    assert picture_scores.flicker(still, still)["flicker"] == 0.0
    found = picture_scores.flicker(still, clip([100, 104] * 4))
    assert found["flicker"] == pytest.approx(4.0) and found["flicker_truth"] == 0.0


def test_steady_change_is_no_flicker():
    assert (
        picture_scores.flicker(clip([100] * 8), clip([100, 100, 101, 101, 102, 102, 103, 103]))["flicker"]
        <= 0.5
    )


def test_what_moves_is_not_still():
    assert np.isnan(picture_scores.flicker(clip(range(100, 180, 10)), clip([100, 104] * 4))["flicker"])
    assert np.isnan(picture_scores.flicker(clip([100] * 8), clip(range(100, 180, 10)))["flicker"])


def test_the_truth_may_flicker_itself():
    found = picture_scores.flicker(clip([100, 103] * 4), clip([100, 104] * 4))
    assert found["flicker"] == pytest.approx(4.0) and found["flicker_truth"] == pytest.approx(3.0)


def test_a_small_flickering_part_shows_in_the_worst_hundredth():
    still, output = clip([100] * 8), clip([100] * 8)
    for frame in output[::2]:
        frame[:8, :16] = 120  # an eighth of a 64th
    found = picture_scores.flicker(still, output)
    assert found["flicker"] < 1.0 and found["flicker_worst"] > 10.0


@pytest.mark.parametrize(("part", "count"), [("mouth", 1), ("eye", 2)])
def test_regions_are_the_same_part_at_any_size_of_the_face(part, count):
    avatar = hopper()
    regions = picture_scores.regions_of(part, avatar.landmarks_px)
    again = picture_scores.regions_of(part, 1.7 * avatar.landmarks_px)
    assert len(regions) == count
    for (window, mask), (_, mask_again) in zip(regions, again, strict=True):
        assert window.cut(avatar.portrait_rgb).shape == (128, 128, 3)
        assert mask.shape == (128, 128) and 0.05 < mask.mean() < 0.7
        ys, xs = np.nonzero(mask > 0.5)
        assert abs((xs.min() + xs.max()) / 2 - 64) < 3 and abs((ys.min() + ys.max()) / 2 - 64) < 3
        assert np.abs(mask - mask_again).mean() < 0.02


def test_a_region_is_upright_whatever_the_head_does():
    avatar = hopper()
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]], np.float32)
    (_, mask), (_, turned) = (
        picture_scores.regions_of("mouth", landmarks)[0]
        for landmarks in (avatar.landmarks_px, avatar.landmarks_px @ turn.T)
    )
    assert np.abs(mask - turned).mean() < 0.02
