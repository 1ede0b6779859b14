from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.core.geometry import (
    Similarity,
    euler_from_rotation,
    fit_similarity,
    geodesic_angle,
    head_from_image,
    rotation_from_euler,
    rotation_from_vector,
    smoothstep,
    vector_from_rotation,
)

angle = st.floats(-np.pi + 1e-3, np.pi - 1e-3)
pitch = st.floats(-1.5, 1.5)
vector = st.tuples(*[st.floats(-1.8, 1.8)] * 3).map(np.array)
rotation = vector.map(rotation_from_vector)
similarity = st.builds(
    Similarity, rotation, st.floats(0.01, 100.0), st.tuples(*[st.floats(-500, 500)] * 3).map(np.array)
)
FACING = np.array([0.0, 0.0, -1.0])


@given(angle, pitch, angle)
def test_euler_round_trip(yaw: float, pitch: float, roll: float) -> None:
    np.testing.assert_allclose(
        euler_from_rotation(rotation_from_euler(yaw, pitch, roll)), (yaw, pitch, roll), atol=1e-7
    )


def test_signs_are_those_of_the_types_module() -> None:
    assert (rotation_from_euler(0.3, 0, 0) @ FACING)[0] > 0  # faces the image's right
    assert (rotation_from_euler(0, 0.3, 0) @ FACING)[1] > 0  # looks down
    right = rotation_from_euler(0, 0, 0.3) @ [1.0, 0.0, 0.0]
    assert right[1] > 0  # clockwise on a picture whose y points down


@given(angle, pitch, angle)
def test_facing_direction_does_not_depend_on_roll(yaw: float, pitch: float, roll: float) -> None:
    expected = np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)
    np.testing.assert_allclose(rotation_from_euler(yaw, pitch, roll) @ FACING, expected, atol=1e-12)


@pytest.mark.parametrize("pitch", [np.pi / 2, -np.pi / 2])
def test_straight_up_or_down_still_gives_the_same_rotation(pitch: float) -> None:
    r = rotation_from_euler(0.4, pitch, 0.2)
    assert geodesic_angle(rotation_from_euler(*euler_from_rotation(r)), r) < 1e-6


@given(vector)
def test_rotation_vector_round_trip(v: np.ndarray) -> None:
    r = rotation_from_vector(v)
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(r) == pytest.approx(1.0)
    if np.linalg.norm(v) < np.pi - 1e-6:
        np.testing.assert_allclose(vector_from_rotation(r), v, atol=1e-9)
    else:
        assert geodesic_angle(rotation_from_vector(vector_from_rotation(r)), r) < 1e-7


def test_half_a_turn_is_well_conditioned() -> None:
    r = rotation_from_vector(np.array([0.0, np.pi, 0.0]))
    assert np.linalg.norm(vector_from_rotation(r)) == pytest.approx(np.pi)


@given(rotation, vector)
def test_geodesic_angle_is_the_length_of_the_step(a: np.ndarray, v: np.ndarray) -> None:
    step = 0.5 * v  # at most about 1.6 rad, so there is no shorter way round
    assert geodesic_angle(a, a @ rotation_from_vector(step)) == pytest.approx(np.linalg.norm(step), abs=1e-6)


@given(similarity, st.integers(0, 2**31))
def test_fit_recovers_a_similarity(dst_from_src: Similarity, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(12, 3))
    fitted = fit_similarity(points, dst_from_src.apply(points))
    assert geodesic_angle(fitted.rotation, dst_from_src.rotation) < 1e-6
    assert fitted.scale == pytest.approx(dst_from_src.scale)
    np.testing.assert_allclose(fitted.translation, dst_from_src.translation, atol=1e-6)


@given(st.floats(-3.1, 3.1), st.floats(0.1, 10.0))
def test_fit_in_two_dimensions(roll: float, scale: float) -> None:
    c, s = np.cos(roll), np.sin(roll)
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 2.0]])
    fitted = fit_similarity(points, scale * points @ np.array([[c, -s], [s, c]]).T + [5.0, -2.0])
    np.testing.assert_allclose(
        fitted.matrix, [[scale * c, -scale * s, 5], [scale * s, scale * c, -2]], atol=1e-9
    )


def test_fit_never_mirrors() -> None:
    points = np.random.default_rng(0).normal(size=(10, 3))
    fitted = fit_similarity(points, points * [-1.0, 1.0, 1.0])
    assert np.linalg.det(fitted.rotation) == pytest.approx(1.0)


def test_weight_zero_ignores_an_outlier() -> None:
    points = np.random.default_rng(1).normal(size=(10, 3))
    bent = points.copy()
    bent[3] += 50.0
    weights = np.ones(10)
    weights[3] = 0.0
    np.testing.assert_allclose(fit_similarity(points, bent, weights).matrix, np.eye(3, 4), atol=1e-9)


def test_fit_tells_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"\(4, 3\) and dst \(5, 3\)"):
        fit_similarity(np.eye(4, 3), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="coincide"):
        fit_similarity(np.ones((4, 3)), np.random.default_rng(0).normal(size=(4, 3)))


@given(similarity, similarity)
def test_similarities_compose_and_invert(c_from_b: Similarity, b_from_a: Similarity) -> None:
    points = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]])
    composed = (c_from_b @ b_from_a).apply(points)
    np.testing.assert_allclose(composed, c_from_b.apply(b_from_a.apply(points)), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(b_from_a.inverse().apply(b_from_a.apply(points)), points, rtol=1e-6, atol=1e-6)


@given(similarity)
def test_head_from_image_undoes_the_pose(image_from_head: Similarity) -> None:
    head = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.6, -0.4]])
    np.testing.assert_allclose(head_from_image(image_from_head.apply(head), image_from_head), head, atol=1e-6)


@given(st.floats(-2, 3), st.floats(-2, 3))
def test_smoothstep_rises_from_nought_to_one(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= smoothstep(low) <= smoothstep(high) <= 1.0
    assert (smoothstep(0.0), smoothstep(0.5), smoothstep(1.0)) == (0.0, 0.5, 1.0)
