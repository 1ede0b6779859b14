"""Triangles on a grid, held against plain definitions."""

import numpy as np
import pytest

from facepuppet.frames.cpu.render.raster import affine_table, draw_numbers, sample_affine

SIDE = 40


def brute_force(triangles, order):
    """Numbers of the last-drawn triangle whose inside holds each cell's centre."""
    y, x = np.mgrid[:SIDE, :SIDE]
    numbers = np.zeros((SIDE, SIDE), int)
    for index in order:
        (ax, ay), (bx, by), (cx, cy) = triangles[index].astype(float)
        edges = np.array(
            [
                (bx - ax) * (y - ay) - (by - ay) * (x - ax),
                (cx - bx) * (y - by) - (cy - by) * (x - bx),
                (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
            ]
        )
        numbers[(edges > 0).all(0) | (edges < 0).all(0)] = index + 1
    return numbers


@pytest.mark.parametrize("seed", range(20))
def test_random_triangles_in_random_order_are_as_by_definition(seed):
    random = np.random.default_rng(seed)
    triangles = random.uniform(-10, SIDE + 10, (30, 3, 2)).astype(np.float32)
    order = random.permutation(30)
    found = draw_numbers(triangles, order, (SIDE, SIDE))
    assert found.shape == (SIDE, SIDE)
    # Centres that lie on an edge to within rounding may fall to either side.
    assert (found != brute_force(triangles, order)).sum() <= 2


def test_triangles_that_share_edges_leave_no_cell_out_and_share_none():
    random = np.random.default_rng(1)
    n = 9
    corners = np.stack(np.meshgrid(np.linspace(0, SIDE, n), np.linspace(0, SIDE, n)), -1)
    corners[1:-1, 1:-1] += random.uniform(-1.5, 1.5, (n - 2, n - 2, 2))
    corners[3] = np.round(corners[3])  # edges through centres of cells, level ones among them
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]
    triangles = np.concatenate([np.stack(t, -2).reshape(-1, 3, 2) for t in ((a, b, c), (b, d, c))])
    triangles = triangles.astype(np.float32)
    one_way = draw_numbers(triangles, np.arange(len(triangles)), (SIDE, SIDE))
    other_way = draw_numbers(triangles, np.arange(len(triangles))[::-1], (SIDE, SIDE))
    assert (one_way > 0).all()
    assert (one_way == other_way).all()


def test_what_has_no_area_or_lies_outside_draws_nothing():
    flat = [
        [(3, 3), (9, 3), (5, 3)],
        [(4, 4), (4, 4), (4, 4)],
        [(-9, -9), (-5, -9), (-5, -2)],
        [(50, 5), (60, 5), (55, 9)],
    ]
    assert not draw_numbers(np.array(flat, np.float32), np.arange(4), (SIDE, SIDE)).any()
    assert not draw_numbers(np.zeros((0, 3, 2), np.float32), np.arange(0), (SIDE, SIDE)).any()


@pytest.mark.parametrize("n_attributes", [2, 3, 9])
def test_attributes_are_affine_inside_each_triangle(n_attributes):
    random = np.random.default_rng(n_attributes)
    triangles = np.array([[(0, 0), (39, 0), (0, 39)], [(39, 0), (39, 39), (0, 39)]], np.float32)
    attributes = random.uniform(-5, 5, (2, 3, n_attributes)).astype(np.float32)
    numbers = draw_numbers(triangles, np.arange(2), (SIDE, SIDE))
    sampled = sample_affine(affine_table(triangles, attributes), numbers)
    assert np.allclose(sampled[0, 0], attributes[0, 0], atol=1e-4)
    assert np.allclose(sampled[13, 13], attributes[0].mean(0), atol=1e-4)
    assert np.allclose(sampled[26, 26], attributes[1].mean(0), atol=1e-4)
    assert (sampled[numbers == 0] == 0).all()
    coarse = sample_affine(affine_table(triangles, attributes), numbers[2::3, 1::3], (1, 2), 3)
    assert np.allclose(coarse, sampled[2::3, 1::3], atol=1e-4)
