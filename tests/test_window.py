"""What a network is shown of a picture, and where its answers are in that picture."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.types import U8
from facepuppet.vision.window import MAX_SIDE_PX, Window, letterboxed, whole

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)

sides = st.floats(2.0, 2000.0)
sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))
windows = st.builds(
    Window, st.floats(-500, 3000), st.floats(-500, 3000), sides, sides, st.floats(-2 * math.pi, 2 * math.pi)
)
points = st.lists(st.tuples(st.floats(-300, 600), st.floats(-300, 600), st.floats(-100, 100)), min_size=1)


@given(windows, sizes, points)
def test_points_go_to_the_picture_and_back(
    window: Window, crop_size: tuple[int, int], crop_points: list[tuple[float, float, float]]
) -> None:
    given_points = np.array(crop_points, np.float32)
    there = window.to_picture(given_points, crop_size)
    assert there.dtype == np.float32 and there.shape == given_points.shape
    # Back by hand: from the centre, turned the other way, scaled to the crop.
    x, y = there[:, 0] - np.float64(window.x_px), there[:, 1] - np.float64(window.y_px)
    cos, sin = math.cos(window.roll_rad), math.sin(window.roll_rad)
    back_x = (cos * x + sin * y) / window.width_px * crop_size[0] + crop_size[0] / 2
    back_y = (cos * y - sin * x) / window.height_px * crop_size[1] + crop_size[1] / 2
    # Points are float32, so a window that makes the crop smaller costs digits.
    shrunk = max(crop_size[0] / window.width_px, crop_size[1] / window.height_px)
    step = 3000 * 2e-6 * max(shrunk, 1) + 2**-23 * float(np.abs(there).max(initial=0.0)) * shrunk
    np.testing.assert_allclose(back_x, given_points[:, 0], atol=step + 1e-3)
    np.testing.assert_allclose(back_y, given_points[:, 1], atol=step + 1e-3)
    depths = given_points[:, 2] * window.width_px / crop_size[0]
    np.testing.assert_allclose(there[:, 2], depths, rtol=1e-5, atol=1e-5)


def test_flat_points_need_no_depth() -> None:
    moved = Window(10, 20, 8, 4).to_picture(np.float32([[0, 0], [4, 4]]), (4, 4))
    assert moved.tolist() == [[6, 18], [14, 22]]


@given(windows, sizes)
def test_the_middle_stays_the_middle_and_corners_are_as_far_as_they_should(
    window: Window, crop_size: tuple[int, int]
) -> None:
    width, height = crop_size
    corners = np.float32([[width / 2, height / 2], [0, 0], [width, 0], [width, height], [0, height]])
    middle, a, b, c, d = window.to_picture(corners, crop_size).astype(np.float64)
    np.testing.assert_allclose(middle, (window.x_px, window.y_px), atol=2e-2)
    np.testing.assert_allclose([np.hypot(*(b - a)), np.hypot(*(c - d))], window.width_px, atol=2e-2)
    np.testing.assert_allclose([np.hypot(*(d - a)), np.hypot(*(c - b))], window.height_px, atol=2e-2)
    np.testing.assert_allclose((a + c) / 2, middle, atol=2e-2)


def coordinates_picture() -> U8:
    """A picture whose red is x and whose green is y."""
    y, x = np.mgrid[:200, :240]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


@given(
    st.floats(100, 140), st.floats(90, 110), st.floats(20, 120), st.floats(20, 120), st.floats(-4, 4), sizes
)
def test_a_crop_shows_the_place_it_claims(
    x: float, y: float, width: float, height: float, roll: float, crop_size: tuple[int, int]
) -> None:
    window = Window(x, y, width, height, roll)
    crop = window.cut(coordinates_picture(), crop_size, extend=False).astype(np.float64)
    assert crop.shape == (crop_size[1], crop_size[0], 3)
    rows, columns = np.indices(crop.shape[:2])
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    places = window.to_picture(pixels, crop_size).reshape(*crop.shape[:2], 2)
    # Half a level of rounding, and OpenCV places samples in steps of 1/32 px.
    np.testing.assert_allclose(crop[..., :2], places, atol=0.5 + 1.5 / 32)


def test_the_corner_of_a_crop_is_the_centre_of_its_first_pixel() -> None:
    """As in MediaPipe; were it the corner of that pixel, the smaller crop would be means of neighbours."""
    assert np.array_equal(whole(NOISE).cut(NOISE, (80, 60), extend=False), NOISE)
    assert np.array_equal(whole(NOISE).cut(NOISE, (40, 30), extend=False), NOISE[::2, ::2])
    assert whole(NOISE).to_picture(np.float32([[0, 0], [40, 30]]), (40, 30)).tolist() == [[0, 0], [80, 60]]


def test_what_is_outside_is_black_or_the_border_again() -> None:
    window = Window(0, 30, 80, 60)  # its left half is outside
    black = window.cut(NOISE, (80, 60), extend=False)
    border = window.cut(NOISE, (80, 60), extend=True)
    assert not black[:, :40].any()
    assert np.array_equal(border[:, :40], np.repeat(NOISE[:, :1], 40, axis=1))
    assert np.array_equal(black[:, 40:], NOISE[:, :40]) and np.array_equal(border[:, 40:], NOISE[:, :40])
    assert not Window(1e6, 1e6, 50, 50).cut(NOISE, (8, 8), extend=False).any()


@given(sizes)
def test_a_letterbox_is_the_least_square_around_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    window = letterboxed(np.zeros((height, width, 3), np.uint8))
    assert (window.x_px, window.y_px, window.roll_rad) == (width / 2, height / 2, 0.0)
    assert window.width_px == window.height_px == max(size)


@pytest.mark.parametrize(
    ("other", "strays"),
    [
        (Window(50, 50, 100, 100), False),
        (Window(56, 57, 100, 100), False),  # 9.2 px
        (Window(58, 58, 100, 100), True),  # 11.3 px
        (Window(50, 50, 109, 109), False),
        (Window(50, 50, 111, 111), True),
        (Window(50, 50, 89, 89), True),
        (Window(50, 50, 100, 100, 0.09), False),
        (Window(50, 50, 100, 100, 0.11), True),
        (Window(50, 50, 100, 100, 2 * math.pi - 0.09), False),
        (Window(50, 50, 100, 100, math.pi), True),
    ],
)
def test_a_window_strays_by_place_size_or_turn(other: Window, strays: bool) -> None:
    assert other.strays_from(Window(50, 50, 100, 100), 0.1) is strays


VIEWS: dict[str, Callable[[U8], U8]] = {
    "a flipped view": lambda rgb: np.ascontiguousarray(rgb[:, ::-1])[:, ::-1],
    "channels of BGR": lambda rgb: np.ascontiguousarray(rgb[..., ::-1])[..., ::-1],
    "a transposed view": lambda rgb: np.ascontiguousarray(rgb.transpose(1, 0, 2)).transpose(1, 0, 2),
    "planes": lambda rgb: np.ascontiguousarray(rgb.transpose(2, 0, 1)).transpose(1, 2, 0),
    "every second pixel": lambda rgb: rgb.repeat(2, axis=0).repeat(2, axis=1)[::2, ::2],
    "part of a picture": lambda rgb: np.pad(rgb, ((3, 3), (5, 5), (0, 0)))[3:-3, 5:-5],
    "three of four channels": lambda rgb: np.dstack([rgb, rgb[..., :1]])[..., :3],
    "bytes that cannot be written": lambda rgb: np.frombuffer(rgb.tobytes(), np.uint8).reshape(rgb.shape),
}


@pytest.mark.parametrize("view", VIEWS)
def test_how_a_picture_lies_in_memory_does_not_matter(view: str) -> None:
    window, seen = Window(40, 30, 50, 50, 0.3), VIEWS[view](NOISE)
    assert np.array_equal(seen, NOISE)
    assert np.array_equal(window.cut(seen, (32, 32), extend=True), window.cut(NOISE, (32, 32), extend=True))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((60, 80), np.uint8),
        np.zeros((60, 80, 1), np.uint8),
        np.zeros((60, 80, 4), np.uint8),
        np.zeros((1, 60, 80, 3), np.uint8),
        np.zeros((60, 80, 3), np.float32),
        np.zeros((60, 80, 3), np.uint16),
        np.zeros((60, 80, 3), bool),
        np.zeros((0, 80, 3), np.uint8),
        np.zeros((60, 0, 3), np.uint8),
        np.zeros((1, MAX_SIDE_PX + 1, 3), np.uint8),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_what_is_no_picture_is_refused_in_words(wrong: U8) -> None:
    with pytest.raises(
        ValueError, match=r"got a picture of type \w+ and shape \(.*\), expected RGB of type uint8"
    ):
        Window(10, 10, 10, 10).cut(wrong, (8, 8), extend=True)


def test_the_largest_picture_can_be_cut_from() -> None:
    wide = np.zeros((1, MAX_SIDE_PX, 3), np.uint8)
    wide[0, -1] = 200
    assert Window(MAX_SIDE_PX, 0, 4, 2).cut(wide, (4, 2), extend=True)[0].tolist()[2:] == [[200] * 3] * 2
