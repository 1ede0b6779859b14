"""The comparison of trackers: its figures, and what it says without MediaPipe."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tracker_parity
from pictures import hopper_rgb
from tracker_parity import Found, iou, print_pictures
from tracker_runs import FACE_PX, apart, jitter
from tracker_timing import by_turns

from facepuppet.face import canonical_landmarks
from facepuppet.vision import face_box, trackers


def landmarks(size_px: float) -> np.ndarray:
    """A face of a size."""
    mean = canonical_landmarks().astype(np.float32)
    return mean * np.float32(size_px / face_box(mean).size_px)


@pytest.mark.parametrize("size_px", [50.0, 400.0])
def test_distances_are_as_of_one_size_of_face(size_px: float) -> None:
    theirs = landmarks(size_px)
    ours = theirs + np.float32([0.03, 0.04, -0.1]) * np.float32(size_px)
    off = apart(ours, theirs)
    np.testing.assert_allclose(off[:, 0], 0.05 * FACE_PX, rtol=1e-3)
    np.testing.assert_allclose(off[:, 1], 0.1 * FACE_PX, rtol=1e-3)


def test_the_shared_part_of_masks() -> None:
    a, b = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    assert iou(a, b) == 1.0
    a[:2], b[1:3] = 0.9, 0.6
    assert iou(a, b) == pytest.approx(4 / 12)
    b[3] = 0.4  # rather not the person
    assert iou(a, b) == pytest.approx(4 / 12)


def test_jitter_is_what_is_no_steady_motion() -> None:
    steady = np.arange(20)[:, None, None] * np.float32([[3.0, 4.0]])
    assert jitter(steady) == pytest.approx(0.0, abs=1e-5)
    trembling = steady + np.array([0.5, -0.5] * 10)[:, None, None] * np.float32([[1.0, 0.0]])
    assert jitter(trembling) == pytest.approx(2.0)


def found(off_px: float, masks: float = 1.0, faces: tuple[int, int] = (1, 1)) -> Found:
    return Found([np.full((478, 2), off_px)] * 3, [faces], [0.0], [0.1], [masks], [1.0])


@pytest.mark.parametrize(
    ("one", "right"),
    [
        (found(0.14), True),
        (found(0.16), False),
        (found(0.01, masks=0.996), True),
        (found(0.01, masks=0.994), False),
        (found(0.01, faces=(2, 1)), False),
    ],
)
def test_a_bar_that_is_missed_is_told(one: Found, right: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_pictures({"a picture": one}) is right
    row = capsys.readouterr().out.splitlines()[1]
    assert row.startswith("a picture ") and row.endswith("pass" if right else "FAIL")


def test_a_few_landmarks_far_off_are_told_though_the_mean_is_good() -> None:
    one = found(0.01)
    one.landmarks[0][:20, 0] = 0.7  # 20 of 1434
    assert print_pictures({"a picture": one}) is False


def test_times_are_taken_by_turns() -> None:
    calls: list[str] = []
    a, b = by_turns(lambda: calls.append("a"), lambda: calls.append("b"), 1e-4)
    assert a.n == b.n >= 10
    told = "".join(calls)
    assert told.startswith("a" * 10 + "b" * 10 + "a" * 10 + "b" * 10) and told.count("a") == told.count("b")


def test_without_mediapipe_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["tracker_parity"])
    with pytest.raises(SystemExit, match=r"no package mediapipe.*facepuppet\[mediapipe\]"):
        tracker_parity.main()


def test_a_file_that_is_no_picture_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(tracker_parity, "tracking_models", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["tracker_parity", str(tmp_path / "nothing.mp4")])
    with pytest.raises(SystemExit, match=r"tracker_parity: Got .*nothing\.mp4"):
        tracker_parity.main()


def test_the_timed_picture_shows_the_face_as_at_a_desk() -> None:
    from tracker_timing import _at_a_desk

    from facepuppet.vision import FaceDetector

    scene = _at_a_desk(hopper_rgb())
    (box,) = FaceDetector().find(scene)
    assert scene.shape == (720, 1280, 3)
    assert abs(box.x_px - 640) < 40 and 190 < box.size_px < 330
