"""The splines that bend a face through hand-placed points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calibrate.landmarks.points import POINTS
from calibrate.landmarks.thin_plate import thin_plate_spline
from facepuppet.core.types import F64
from facepuppet.face.canonical import canonical_landmarks

SCATTER = st.tuples(st.integers(0, 2**32 - 1), st.integers(4, 40))


def scattered(seed: int, count: int) -> tuple[np.random.Generator, F64]:
    """Points of the unit square, none nearer to another than a hundredth."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0.0, 1.0, (count, 2))
    apart = np.linalg.norm(points[:, None] - points, axis=-1) + np.eye(count)
    assume(apart.min() > 0.01)
    return rng, points


@settings(deadline=None)
@given(SCATTER, st.floats(0.01, 1000.0))
def test_it_passes_through_every_value(scatter: tuple[int, int], unit: float) -> None:
    rng, known = scattered(*scatter)
    values = rng.normal(size=(len(known), 2))
    np.testing.assert_allclose(thin_plate_spline(unit * known, values, unit * known), values, atol=1e-7)


@settings(deadline=None)
@given(SCATTER)
def test_a_plane_stays_a_plane_far_outside_too(scatter: tuple[int, int]) -> None:
    """No bending where none is needed: an affine map comes back."""
    rng, known = scattered(*scatter)
    assume(np.linalg.svd(known - known.mean(axis=0), compute_uv=False)[1] > 0.05)  # far from one line
    matrix, shift = rng.normal(size=(2, 3)), rng.normal(size=3)
    where = rng.uniform(-5.0, 5.0, (20, 2))
    found = thin_plate_spline(known, known @ matrix + shift, where)
    np.testing.assert_allclose(found, where @ matrix + shift, atol=1e-6)


@settings(deadline=None)
@given(SCATTER, st.floats(0.01, 1000.0), st.floats(-np.pi, np.pi))
def test_unit_origin_and_direction_do_not_matter(scatter: tuple[int, int], unit: float, turn: float) -> None:
    rng, known = scattered(*scatter)
    assume(np.linalg.svd(known - known.mean(axis=0), compute_uv=False)[1] > 0.05)
    values, where = rng.normal(size=(len(known), 1)), rng.uniform(0.0, 1.0, (20, 2))
    turned = unit * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    moved = thin_plate_spline(known @ turned + 7.0 * unit, values, where @ turned + 7.0 * unit)
    np.testing.assert_allclose(moved, thin_plate_spline(known, values, where), atol=1e-6)


def test_four_corners_of_a_square_bend_as_computed_by_hand() -> None:
    """Up, down, up, down at the corners of a unit square: by symmetry w = ±w₀, and nothing affine.

    On the diagonal the distances are a and b to the two corners that are up, c to either of the others:
    f = w₀ (U(a) + U(b) − 2 U(c)). At a corner f = 1, so w₀ = 1 / (U(√2) − 2 U(1)) = 1 / log 2.
    """
    known = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    values = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    a, b, c = (np.hypot(x, y) for x, y in ((0.25, 0.25), (0.75, 0.75), (0.75, 0.25)))
    expected = (a * a * np.log(a) + b * b * np.log(b) - 2 * c * c * np.log(c)) / np.log(2.0)
    found = thin_plate_spline(known, values, np.array([[0.5, 0.5], [0.25, 0.25]]))
    np.testing.assert_allclose(found[:, 0], [0.0, expected], atol=1e-12)


def test_scipy_finds_the_same() -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    face = canonical_landmarks()[:, :2].astype(np.float64)
    known = face[list(POINTS.values())]
    values = np.random.default_rng(5).normal(scale=10.0, size=(len(known), 2))
    theirs = interpolate.RBFInterpolator(known, values, kernel="thin_plate_spline")(face)
    np.testing.assert_allclose(thin_plate_spline(known, values, face), theirs, atol=1e-7)


@pytest.mark.parametrize(
    "known",
    [
        np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [0.3, 0.6]]),
        np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
        np.zeros((4, 2)),
    ],
    ids=["one line", "twice", "one point"],
)
def test_points_that_span_no_plane_are_refused(known: F64) -> None:
    with pytest.raises(np.linalg.LinAlgError, match="one line or not all different"):
        thin_plate_spline(known, np.ones((4, 1)), known)
