"""LivePortrait's keypoints: posing them, and moving one head as another does."""

from dataclasses import replace

import numpy as np
import pytest
from liveportrait_files import angles_of

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.frames.generated.head_keypoints import (
    HeadState,
    driven,
    head_state,
    moved,
    rotation_of,
)

RANDOM = np.random.default_rng(5)


def state(angles=(0.1, -0.2, 0.3), scale=1.2) -> HeadState:
    expression, canonical = RANDOM.normal(0, 0.02, (21, 3)), RANDOM.normal(0, 0.3, (21, 3))
    return HeadState(np.array(angles), RANDOM.normal(0, 0.1, 3), expression, scale, canonical)


def test_a_driver_at_rest_leaves_the_source_as_it_is():
    source, rest = state(), state((0.4, 0.1, -0.3), 0.8)
    np.testing.assert_allclose(driven(source, rest, rest), source.points, atol=1e-12)


def test_a_source_that_is_its_own_driver_goes_where_the_driver_is():
    source = state()
    driver = moved(source, np.array([0.2, 0.3, -0.1]), np.array([0.1, 0, 0]), np.full((21, 3), 0.01))
    np.testing.assert_allclose(driven(source, source, driver), driver.points, atol=1e-12)


def test_a_larger_driver_makes_the_source_larger_by_as_much():
    source, rest = state(), state((0.0, 0.0, 0.0), 0.8)
    points = driven(source, rest, replace(rest, scale=1.6)) - source.translation
    np.testing.assert_allclose(points, 2.0 * (source.points - source.translation), atol=1e-12)


@pytest.mark.parametrize("turn", [(0.3, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, -0.4), (0.3, -0.2, 0.1)])
def test_angles_turn_rows_as_a_rotation_turns_columns(turn):
    rotation = rotation_from_euler(*turn)
    points = RANDOM.normal(0, 1, (7, 3))
    np.testing.assert_allclose(points @ rotation_of(angles_of(rotation)), points @ rotation.T, atol=1e-12)


def test_what_the_network_answers_is_read_by_name():
    outputs = {
        **{
            name: np.full((1, 1), value, np.float32)
            for name, value in (("pitch", 1), ("yaw", 2), ("roll", 3))
        },
        "scale": np.full((1, 1), 1.5, np.float32),
        "translation": np.arange(3, dtype=np.float32)[None],
        "expression": np.ones((1, 21, 3), np.float32),
        "keypoints": np.zeros((1, 21, 3), np.float32),
    }
    read = head_state(outputs)
    assert read.angles.tolist() == [1, 2, 3] and read.scale == 1.5
    np.testing.assert_allclose(read.points, 1.5 * read.expression + [0, 1, 0])
