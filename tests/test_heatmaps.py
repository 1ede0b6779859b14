"""Landmarks of the body are moved to where their heat is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.types import F32
from facepuppet.vision.heatmaps import refined

HEIGHT, WIDTH = 32, 64
COLD = -30.0


def heat(*spots: tuple[int, int, float]) -> F32:
    """A cold map with spots: (column, row, log odds)."""
    found = np.full((1, HEIGHT, WIDTH), COLD, np.float32)
    for column, row, log_odds in spots:
        found[0, row, column] = log_odds
    return found


def moved(x: float, y: float, heatmap: F32) -> tuple[float, float]:
    """A landmark at cell (x, y), and the cell where it is after that."""
    found = refined(np.float32([[x / WIDTH, y / HEIGHT]]), heatmap)
    assert found.shape == (1, 2) and found.dtype == np.float32
    return float(found[0, 0] * WIDTH), float(found[0, 1] * HEIGHT)


def test_one_warm_cell_draws_the_landmark_to_it() -> None:
    assert moved(20.7, 10.2, heat((22, 9, 3.0))) == pytest.approx((22, 9), abs=1e-3)


def test_of_several_it_goes_to_their_mean_weighted_by_probability() -> None:
    """Log odds of 0 and ln 3: probabilities of 0.5 and 0.75."""
    found = moved(20.5, 10.5, heat((18, 10, 0.0), (23, 12, float(np.log(3)))))
    assert found == pytest.approx(((18 * 0.5 + 23 * 0.75) / 1.25, (10 * 0.5 + 12 * 0.75) / 1.25), abs=1e-3)


@pytest.mark.parametrize("reach", [(16, 10), (24, 10), (20, 6), (20, 14)])
def test_it_looks_four_cells_far(reach: tuple[int, int]) -> None:
    assert moved(20.5, 10.5, heat((*reach, 5.0))) == pytest.approx(reach, abs=1e-3)


@pytest.mark.parametrize("beyond", [(15, 10), (25, 10), (20, 5), (20, 15)])
def test_and_no_farther(beyond: tuple[int, int]) -> None:
    assert moved(20.5, 10.5, heat((*beyond, 5.0))) == pytest.approx((20.5, 10.5))


def test_where_nothing_is_warm_it_stays() -> None:
    assert moved(20.5, 10.5, heat((21, 10, -0.01))) == pytest.approx((20.5, 10.5))
    assert moved(20.5, 10.5, heat((21, 10, 0.0))) == pytest.approx((21, 10), abs=1e-3)


@pytest.mark.parametrize("x,y", [(-2, 10), (WIDTH, 10), (20, -2), (20, HEIGHT), (1e6, 1e6), (-1e6, 5)])
def test_outside_of_the_map_it_stays(x: float, y: float) -> None:
    assert moved(x, y, np.full((1, HEIGHT, WIDTH), 5.0, np.float32)) == pytest.approx((x, y))


@pytest.mark.parametrize(("x", "y", "middle"), [(0.5, 0.5, (2, 2)), (63.5, 31.5, (61, 29))])
def test_at_the_border_it_looks_at_what_is_there(x: float, y: float, middle: tuple[float, float]) -> None:
    everywhere = np.full((1, HEIGHT, WIDTH), 5.0, np.float32)
    assert moved(x, y, everywhere) == pytest.approx(middle, abs=1e-3)


def test_each_landmark_has_its_own_map_and_none_is_changed() -> None:
    maps = np.concatenate([heat((22, 9, 3.0)), heat((21, 12, 3.0)), heat()])
    points = np.tile(np.float32([20.5 / WIDTH, 10.5 / HEIGHT]), (3, 1))
    before, maps_before = points.copy(), maps.copy()
    found = refined(points, maps) * [WIDTH, HEIGHT]
    np.testing.assert_allclose(found, [(22, 9), (21, 12), (20.5, 10.5)], atol=1e-3)
    assert np.array_equal(points, before) and np.array_equal(maps, maps_before)


@given(st.floats(0, 63.99), st.floats(0, 31.99), st.integers(0, 2**32 - 1))
def test_it_never_goes_farther_than_it_looks(x: float, y: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 5, (1, HEIGHT, WIDTH)).astype(np.float32)
    found_x, found_y = moved(x, y, noise)
    assert abs(found_x - int(x)) <= 4.001 or found_x == pytest.approx(x, abs=1e-3)
    assert abs(found_y - int(y)) <= 4.001 or found_y == pytest.approx(y, abs=1e-3)
    assert -0.001 <= found_x < WIDTH and -0.001 <= found_y < HEIGHT
