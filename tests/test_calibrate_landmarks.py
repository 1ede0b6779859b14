"""A handful of points placed by hand become 478 landmarks, and bad ones one clear sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from pictures import hopper_rgb

from calibrate.landmarks import fit_landmarks, guess_points, read_points, template
from calibrate.landmarks.points import LEFT_TO_RIGHT, POINTS, REQUIRED, TOP_TO_BOTTOM, words
from facepuppet.core.errors import LandmarksError
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import F32
from facepuppet.drivers.scripted import weights_at
from facepuppet.face.canonical import canonical_landmarks, is_face
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.topology import EYES, IRISES
from facepuppet.portrait.face_view import face_width_px

SIZE = (512, 600)
Points = dict[str, tuple[float, float]]


def placed(landmarks: F32, names: object = POINTS) -> Points:
    return {name: (float(landmarks[POINTS[name], 0]), float(landmarks[POINTS[name], 1])) for name in names}  # type: ignore[attr-defined]


def error_share(found: F32, truth: F32) -> float:
    return float(np.linalg.norm((found - truth)[:, :2], axis=1).mean() / face_width_px(truth))


@pytest.mark.parametrize(("names", "limit"), [(POINTS, 0.012), (REQUIRED, 0.02)])
def test_a_portraits_own_points_give_its_landmarks_back(names: object, limit: float) -> None:
    truth = hopper().landmarks_px
    found = fit_landmarks(placed(truth, names))
    assert found.shape == (478, 3) and found.dtype == np.float32
    assert error_share(found, truth) < limit
    assert is_face(found)
    held = [index for name, index in POINTS.items() if name in names and index not in IRISES[[1, 6]]]  # type: ignore[operator]
    np.testing.assert_allclose(found[held, :2], truth[held, :2], atol=0.02)


@pytest.mark.parametrize("turn", [(0, 0, 0), (20, 0, 0), (0, 12, 0), (0, 0, 25), (-15, 5, -10)])
@pytest.mark.parametrize("moment_s", [0.0, 8.25, 9.6])
def test_turned_and_speaking_faces_come_back(turn: tuple[float, float, float], moment_s: float) -> None:
    """At rest, with the mouth wide open, and smiling."""
    head = compose_landmarks(canonical_landmarks(), weights_at(moment_s))
    truth = (200 * head @ rotation_from_euler(*np.deg2rad(turn)).T + (256, 250, 0)).astype(np.float32)
    found = fit_landmarks(placed(truth))
    assert error_share(found, truth) < 0.025
    assert np.abs(found[:, 2] - truth[:, 2] - np.median(found[:, 2] - truth[:, 2])).mean() < 20


def test_irises_are_round_and_as_large_as_their_rim_was_put() -> None:
    points = placed(hopper().landmarks_px, REQUIRED)
    x, y = points["left_iris"]
    for radius in (4.0, 11.0):
        found = fit_landmarks({**points, "left_iris_rim": (x - 0.6 * radius, y + 0.8 * radius)})
        ring = found[EYES[0].iris_ring, :2] - (x, y)
        np.testing.assert_allclose(np.linalg.norm(ring, axis=1), radius, atol=1e-3)


@pytest.mark.parametrize(("first", "second"), [*LEFT_TO_RIGHT, *TOP_TO_BOTTOM])
def test_swapped_points_are_named(first: str, second: str) -> None:
    points = placed(hopper().landmarks_px)
    points[first], points[second] = points[second], points[first]
    with pytest.raises(LandmarksError) as caught:
        fit_landmarks(points)
    assert "is not" in caught.value.got


def test_points_of_one_place_are_refused() -> None:
    with pytest.raises(LandmarksError, match="is not apart from"):
        fit_landmarks(dict.fromkeys(REQUIRED, (5.0, 5.0)))


def test_points_that_fold_the_face_are_refused() -> None:
    points = placed(hopper().landmarks_px)
    points["jaw_left"], points["jaw_right"] = points["jaw_right"], points["jaw_left"]
    with pytest.raises(LandmarksError, match="folds"):
        fit_landmarks(points)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_reads_back_as_it_was_written(tmp_path: Path) -> None:
    points = placed(hopper().landmarks_px)
    text = template(points)
    assert all(f"\n{name} = [" in text for name in POINTS)
    read = read_points(written(tmp_path / "a.toml", text), SIZE)
    assert set(read) == set(points)
    for name, point in read.items():
        assert point == pytest.approx(points[name], abs=0.06)
    few = template({name: points[name] for name in REQUIRED})
    assert set(read_points(written(tmp_path / "b.toml", few), SIZE)) == set(REQUIRED)


def test_every_point_that_is_needed_is_told_in_words() -> None:
    assert all(words(name) for name in REQUIRED if name != "nose_tip")
    assert words("left_iris") == words("right_iris") == "centre of the iris"


GOOD = template(placed(hopper().landmarks_px))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "schema None"),
        ("schema = 2\n[points]", "schema 2"),
        ("schema = true\n[points]", "schema True"),
        ("not [ toml", "is not TOML"),
        ("schema = 1\n[points]\nchin = [1, 2]", "lacks left_eye_outer"),
        ("schema = 1\nchin = [1, 2]", "other tables"),
        (GOOD + "\n[more]\n", "other tables"),
        (GOOD + "chins = [1, 2]\n", "Did you mean chin"),
        (GOOD + "tail = [1, 2]\n", "a point called 'tail'"),
        (GOOD.replace("\nchin = [", "\nchin = ['a', "), "two numbers"),
        (GOOD.replace("\nchin = [", "\nchin = [1, "), "two numbers"),
        (GOOD.replace("\nchin = [", "\nchin = [nan, 1] #"), "two numbers"),
        (GOOD.replace("\nchin = [", "\nchin = [9999, 1] #"), "inside the picture of 512x600"),
        (GOOD.replace("\nchin = [", "\nchin = [true, 1] #"), "two numbers"),
        ("x" * 60_000, "too large"),
        ("a = " + "[" * 40_000, "is not TOML"),
    ],
)
def test_malformed_files_are_told_plainly(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "face.toml", text)
    with pytest.raises(LandmarksError) as caught:
        read_points(path, SIZE)
    assert said in str(caught.value)
    assert "face.toml" in caught.value.got


def test_binary_and_missing_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LandmarksError, match="is not TOML"):
        read_points(tmp_path / "b.toml", SIZE)
    with pytest.raises(LandmarksError, match="No such file"):
        read_points(tmp_path / "none.toml", SIZE)


def test_a_guess_is_what_the_tracker_sees() -> None:
    points, seen = guess_points(hopper_rgb())
    assert seen
    truth = placed(hopper().landmarks_px)
    assert np.linalg.norm(np.subtract(points["nose_tip"], truth["nose_tip"])) < 4


@pytest.mark.parametrize("size", [(300, 200), (80, 400)])
def test_without_a_face_a_guess_is_an_average_one_in_the_middle(size: tuple[int, int]) -> None:
    wall = np.full((*size, 3), 120, np.uint8)
    points, seen = guess_points(wall)
    assert not seen
    assert set(points) == set(POINTS)
    assert is_face(fit_landmarks(points))
