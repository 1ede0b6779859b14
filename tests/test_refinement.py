"""Which part of the landmark network answers for which landmark."""

from __future__ import annotations

import numpy as np

from facepuppet.core.types import N_LANDMARKS
from facepuppet.face.topology import EYES, LIPS_INNER, LIPS_OUTER, N_MESH
from facepuppet.face.topology import LIPS as MOUTH_RINGS
from facepuppet.vision.refinement import LEFT_EYE, LIPS, RIGHT_EYE, refine

SIZES = {"lips": 80, "left_eye": 71, "right_eye": 71}


def answers() -> dict[str, np.ndarray]:
    """Every number is another one, whole, so that each tells where it came from."""
    numbers = iter(np.arange(10_000, dtype=np.float32))

    def take(*shape: int) -> np.ndarray:
        return np.array([next(numbers) for _ in range(int(np.prod(shape)))], np.float32).reshape(shape)

    sizes = {"mesh": (N_MESH, 3), "lips": (80, 2), "left_eye": (71, 2), "right_eye": (71, 2)}
    return {name: take(*shape) for name, shape in sizes.items()} | {
        "left_iris": take(5, 2), "right_iris": take(5, 2)
    }  # fmt: skip


def joined(given: dict[str, np.ndarray]) -> np.ndarray:
    return refine(
        given["mesh"],
        given["lips"],
        (given["left_eye"], given["right_eye"]),
        (given["left_iris"], given["right_iris"]),
    )


def test_orders_name_each_landmark_of_their_part_once() -> None:
    orders = {"lips": LIPS, "left_eye": LEFT_EYE, "right_eye": RIGHT_EYE}
    assert {name: len(order) for name, order in orders.items()} == SIZES
    everything = np.concatenate(list(orders.values()))
    assert len(set(everything.tolist())) == len(everything), "no landmark is in two parts"
    assert everything.min() >= 0 and everything.max() < N_MESH


def test_parts_are_where_the_topology_has_them() -> None:
    assert set(MOUTH_RINGS.tolist()) <= set(LIPS.tolist())
    assert set(LIPS[:20].tolist()) == set(LIPS_OUTER.tolist())
    assert set(LIPS[20:40].tolist()) == set(LIPS_INNER.tolist())
    for order, eye in zip((LEFT_EYE, RIGHT_EYE), EYES, strict=True):
        assert set(order[:16].tolist()) == set(eye.ring.tolist())
        assert {*eye.upper_fold.tolist(), *eye.lower_fold.tolist(), *eye.brow.tolist()} <= set(order.tolist())


def test_the_eyes_mirror_each_other_place_by_place() -> None:
    for i in range(16):  # a ring begins at the outer corner and goes on below
        left, right = (
            eye.ring.tolist().index(order[i]) for eye, order in zip(EYES, (LEFT_EYE, RIGHT_EYE), strict=True)
        )
        assert left == right


def test_places_come_from_the_finer_parts_and_depth_from_the_mesh() -> None:
    given = answers()
    points = joined(given)
    assert points.shape == (N_LANDMARKS, 3) and points.dtype == np.float32
    for order, name in ((LIPS, "lips"), (LEFT_EYE, "left_eye"), (RIGHT_EYE, "right_eye")):
        assert np.array_equal(points[order, :2], given[name])
    finer = np.concatenate([LIPS, LEFT_EYE, RIGHT_EYE])
    others = np.setdiff1d(np.arange(N_MESH), finer)
    assert np.array_equal(points[others], given["mesh"][others])
    assert np.array_equal(points[:N_MESH, 2], given["mesh"][:, 2])


def test_irises_lie_as_deep_as_the_rims_of_their_eyes() -> None:
    given = answers()
    points = joined(given)
    for eye, name in zip(EYES, ("left_iris", "right_iris"), strict=True):
        assert np.array_equal(points[eye.iris, :2], given[name])
        np.testing.assert_allclose(points[eye.iris, 2], given["mesh"][eye.ring, 2].mean(), rtol=1e-6)


def test_what_is_given_stays_as_it_is() -> None:
    given, before = answers(), answers()
    joined(given)
    assert all(np.array_equal(given[name], before[name]) for name in given)
