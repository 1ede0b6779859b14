"""The filter that gives a rough matte the edges of its picture."""

from __future__ import annotations

import numpy as np
import pytest

from facepuppet.core.types import F32, F64, U8
from facepuppet.portrait.guided_filter import guided_filter

RADIUS, EPSILON = 2, 26.0
INSIDE = slice(2 * RADIUS, -2 * RADIUS)  # windows there lie within the picture


@pytest.fixture
def noise() -> tuple[U8, F32]:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (20, 22, 3), np.uint8), rng.uniform(0, 1, (20, 22)).astype(np.float32)


def by_its_definition(guide: U8, rough: F32, y: int, x: int) -> float:
    """The mean over all windows around a pixel of what each window's own ridge regression says of it."""
    said = []
    for row in range(y - RADIUS, y + RADIUS + 1):
        for column in range(x - RADIUS, x + RADIUS + 1):
            window = slice(row - RADIUS, row + RADIUS + 1), slice(column - RADIUS, column + RADIUS + 1)
            colours: F64 = guide[window].reshape(-1, 3).astype(np.float64)
            values: F64 = rough[window].ravel().astype(np.float64)
            centre = colours.mean(axis=0)
            ridge = np.sqrt(EPSILON * len(colours)) * np.eye(3)
            slope = np.linalg.lstsq(
                np.vstack([colours - centre, ridge]),
                np.append(values - values.mean(), np.zeros(3)),
                rcond=None,
            )[0]
            said.append(values.mean() + slope @ (guide[y, x] - centre))
    return float(np.mean(said))


def test_it_is_the_mean_of_ridge_regressions(noise: tuple[U8, F32]) -> None:
    smooth = guided_filter(*noise, RADIUS, EPSILON)
    assert smooth.shape == (20, 22) and smooth.dtype == np.float32
    for y, x in ((4, 4), (10, 11), (15, 17)):
        assert smooth[y, x] == pytest.approx(by_its_definition(*noise, y, x), abs=1e-4)


def test_a_map_that_follows_the_colours_stays(noise: tuple[U8, F32]) -> None:
    guide, _ = noise
    rough = (guide @ np.array([0.001, 0.002, -0.0005]) + 0.3).astype(np.float32)
    np.testing.assert_allclose(
        guided_filter(guide, rough, RADIUS, 1e-3)[INSIDE, INSIDE], rough[INSIDE, INSIDE], atol=1e-3
    )


def test_where_the_picture_is_flat_the_map_is_blurred(noise: tuple[U8, F32]) -> None:
    """Twice: by each window's mean, and by the mean over windows."""
    _, rough = noise
    smooth = guided_filter(np.full((20, 22, 3), 90, np.uint8), rough, RADIUS, EPSILON)
    once = np.lib.stride_tricks.sliding_window_view(rough, (5, 5)).mean(axis=(2, 3))
    twice = np.lib.stride_tricks.sliding_window_view(once, (5, 5)).mean(axis=(2, 3))
    np.testing.assert_allclose(smooth[INSIDE, INSIDE], twice, atol=1e-5)


def test_a_rough_border_moves_onto_the_edge_of_the_picture() -> None:
    guide = np.zeros((24, 40, 3), np.uint8)
    guide[:, 20:] = (200, 160, 120)
    rough = np.zeros((24, 40), np.float32)
    rough[:, 22:] = 1.0  # two pixels beside it
    smooth = guided_filter(guide, rough, 8, EPSILON)[12]
    assert smooth[20] - smooth[19] > 0.6, "the step is where the picture has it"
    assert abs(smooth[22] - smooth[21]) < 0.1, "and no longer where the map had it"
