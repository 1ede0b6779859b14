from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from facepuppet.face import topology as t
from facepuppet.face.canonical import canonical_landmarks, mirror_order, mirrored_back


def directed_edges(triangles: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((int(row[i]), int(row[(i + 1) % 3])) for row in triangles for i in range(3))


def rim(triangles: np.ndarray) -> set[tuple[int, int]]:
    """Directed edges with a triangle on one side only."""
    edges = directed_edges(triangles)
    return {(a, b) for a, b in edges if (b, a) not in edges}


def backwards(ring: np.ndarray) -> set[tuple[int, int]]:
    """The rim that triangles have inside a clockwise ring."""
    return {(int(b), int(a)) for a, b in zip(ring, np.roll(ring, -1), strict=True)}


def clockwise_eye(eye: t.EyeTopology) -> np.ndarray:
    return eye.ring if eye is t.IMAGE_LEFT_EYE else eye.ring[::-1]


def all_triangles() -> np.ndarray:
    return np.concatenate([t.face_triangles(), *t.eye_interior_triangles(), t.mouth_interior_triangles()])


def signed_area(points: np.ndarray) -> np.ndarray:
    """Twice the signed area of (..., N, 2) polygons; positive is clockwise where y points down."""
    x, y = points[..., 0], points[..., 1]
    return np.sum(x * np.roll(y, -1, -1) - np.roll(x, -1, -1) * y, axis=-1)


def test_face_is_one_closed_disc_wound_one_way() -> None:
    triangles = all_triangles()
    edges = directed_edges(triangles)
    assert max(edges.values()) == 1  # each edge at most once each way: consistent winding
    assert rim(triangles) == backwards(t.FACE_OVAL)
    n_edges = len({frozenset(e) for e in edges})
    assert t.N_MESH - n_edges + len(triangles) == 1  # Euler characteristic of a disc
    assert set(np.unique(triangles)) == set(range(t.N_MESH))


def test_openings_are_the_eyes_and_the_mouth() -> None:
    holes = rim(t.face_triangles()) - backwards(t.FACE_OVAL)
    rings = [clockwise_eye(eye) for eye in t.EYES] + [t.LIPS_INNER]
    assert holes == set().union(*({(b, a) for a, b in backwards(ring)} for ring in rings))
    for ring, inside in zip(rings, [*t.eye_interior_triangles(), t.mouth_interior_triangles()], strict=True):
        assert rim(inside) == backwards(ring)


def test_winding_on_the_mean_face_is_counter_clockwise_as_seen() -> None:
    xy = canonical_landmarks()[:, :2]
    areas = signed_area(xy[t.face_triangles()])
    assert np.mean(areas < 0) > 0.97  # the rest folds away under the nose and at the outline


@pytest.mark.parametrize(
    "ring", [t.FACE_OVAL, t.LIPS_OUTER, t.LIPS_INNER, *(clockwise_eye(eye) for eye in t.EYES)]
)
def test_rings_run_clockwise_without_repeats(ring: np.ndarray) -> None:
    assert len(set(ring.tolist())) == len(ring)
    assert signed_area(canonical_landmarks()[ring, :2]) > 0


@pytest.mark.parametrize("eye", t.EYES, ids=["image_left", "image_right"])
def test_eye_parts_lie_where_their_names_say(eye: t.EyeTopology) -> None:
    face = canonical_landmarks()
    x, y = face[:, 0], face[:, 1]
    side = np.sign(x[eye.outer])
    assert side * x[eye.outer] > side * x[eye.inner] > 0
    for lid in (eye.upper_lid, eye.lower_lid):
        assert (lid[0], lid[-1]) == (eye.outer, eye.inner)
        assert np.all(np.diff(side * x[lid]) < 0)
    middle = slice(2, 7)
    assert np.all(y[eye.upper_lid[middle]] < y[eye.lower_lid[middle]])
    assert np.all(y[eye.upper_fold[1:6]] < y[eye.upper_lid[middle]])
    assert np.all(y[eye.lower_fold[1:6]] > y[eye.lower_lid[middle]])
    assert np.all(y[eye.brow_upper] < y[eye.brow_lower]) and y[eye.brow].max() < y[eye.upper_lid].min()
    assert np.all(np.diff(side * x[eye.brow_upper]) < 0)
    ring = face[eye.iris_ring] - face[eye.iris_centre]
    right, top, left, bottom = ring[:, :2]
    assert right[0] > 0 > left[0] and bottom[1] > 0 > top[1]


def test_sides_mirror_each_other() -> None:
    left, right = t.EYES
    mirror = mirror_order()
    for part in ("upper_lid", "lower_lid", "upper_fold", "lower_fold", "brow_upper", "brow_lower"):
        np.testing.assert_array_equal(mirror[getattr(left, part)], getattr(right, part))
    assert set(mirror[t.RIGID].tolist()) == set(t.RIGID.tolist())
    np.testing.assert_array_equal(mirror[t.UPPER_LIP_INNER], t.UPPER_LIP_INNER[::-1])
    np.testing.assert_array_equal(mirror[t.LOWER_LIP_INNER], t.LOWER_LIP_INNER[::-1])


def test_every_landmark_has_a_mirror_image_irises_included() -> None:
    mirror, face = mirror_order(), canonical_landmarks()
    np.testing.assert_array_equal(np.sort(mirror), np.arange(478))
    np.testing.assert_array_equal(mirror[mirror], np.arange(478))
    np.testing.assert_allclose(face[mirror] * (-1, 1, 1), face, atol=1e-5)
    right, top, left, bottom = t.IMAGE_LEFT_EYE.iris_ring  # rings of irises do not mirror each other's order
    np.testing.assert_array_equal(mirror[[left, top, right, bottom]], t.IMAGE_RIGHT_EYE.iris_ring)
    assert mirror[t.IMAGE_LEFT_EYE.iris_centre] == t.IMAGE_RIGHT_EYE.iris_centre
    middle = np.flatnonzero(mirror == np.arange(478))
    assert {t.FOREHEAD, t.CHIN, t.NOSE_TIP} < set(middle.tolist())
    assert np.abs(face[middle, 0]).max() < 1e-5


def test_landmarks_of_a_mirrored_picture_are_carried_back() -> None:
    face = 100 * canonical_landmarks() + np.float32([300, 240, 5])
    back = mirrored_back(face, 640)
    assert back.dtype == np.float32
    np.testing.assert_allclose(
        back, face + np.float32([339 - 300, 0, 0]), atol=1e-3
    )  # 639 - 300: it is symmetric
    turned = face.copy()
    turned[t.EYES[0].iris, 0] += 7.0
    there = mirrored_back(np.stack([turned, face]), 640)
    np.testing.assert_allclose(there[0, t.EYES[1].iris_centre], back[473] - (7, 0, 0), atol=1e-3)
    np.testing.assert_allclose(mirrored_back(there, 640), np.stack([turned, face]), atol=1e-3)


def test_lip_edges_pair_up() -> None:
    face = canonical_landmarks()
    upper, lower = t.UPPER_LIP_INNER, t.LOWER_LIP_INNER
    assert (upper[0], upper[-1]) == (lower[0], lower[-1])
    assert np.all(np.diff(face[upper, 0]) > 0) and np.all(np.diff(face[lower, 0]) > 0)
    assert np.all(face[upper[1:-1], 1] < face[lower[1:-1], 1])
    assert np.abs(face[upper, 0] - face[lower, 0]).max() < 0.05


def test_tables_cannot_be_changed_by_accident() -> None:
    for table in (t.FACE_OVAL, t.RIGID, t.face_triangles(), t.mouth_interior_triangles()):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0
