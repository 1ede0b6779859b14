"""Which faces become avatars, and what the others are told."""

from __future__ import annotations

import logging
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, canvas, hopper_rgb

from facepuppet.core.errors import (
    FaceTooSmallError,
    FaceTurnedAwayError,
    NoFaceError,
    PortraitError,
    SeveralFacesError,
)
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import F32, U8
from facepuppet.face.canonical import mirrored_back
from facepuppet.portrait import requirements
from facepuppet.portrait.face_search import find_faces
from facepuppet.portrait.face_view import FaceView
from facepuppet.portrait.requirements import centred, check_pose, choose_face, find_the_face


def scaled(rgb: U8, scale: float) -> U8:
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)


@pytest.fixture(scope="module")
def hopper() -> FaceView:
    return find_the_face(hopper_rgb())


def test_a_frontal_face_is_measured(hopper: FaceView) -> None:
    assert hopper.landmarks_px.shape == (478, 3)
    assert hopper.landmarks_px.dtype == np.float32
    assert 170 < hopper.width_px < 210
    assert np.abs([hopper.yaw_rad, hopper.roll_rad]).max() < np.deg2rad(5)
    nose_x, nose_y = hopper.landmarks_px[1, :2]
    assert 240 < nose_x < 270
    assert 200 < nose_y < 250


def test_landmarks_follow_the_picture(hopper: FaceView) -> None:
    moved = find_the_face(canvas((hopper_rgb(), (640, 360), 1.0, 0.0)))
    shift = np.median(moved.landmarks_px[:, :2] - hopper.landmarks_px[:, :2], axis=0)
    np.testing.assert_allclose(shift, [640 - 256, 360 - 300], atol=2)
    assert moved.width_px == pytest.approx(hopper.width_px, rel=0.04)


@pytest.mark.parametrize(
    "rgb",
    [
        pytest.param(hopper_rgb(), id="hopper"),
        pytest.param(astronaut_rgb(), id="astronaut", marks=pytest.mark.thorough),
    ],
)
def test_a_portrait_is_read_to_neither_side(rgb: U8) -> None:
    """A mirrored picture has the mirrored face; a single reading of it lies a percent beside."""

    def one_sided(read: Callable[[U8], FaceView]) -> tuple[float, float]:
        face = read(rgb).landmarks_px
        mirrored = mirrored_back(read(np.ascontiguousarray(rgb[:, ::-1])).landmarks_px, rgb.shape[1])
        off = (face - mirrored) / np.linalg.norm(face[33, :2] - face[263, :2])
        return float(np.linalg.norm(off[:, :2], axis=1).mean()), float(np.abs(off[:, 2]).mean())

    (once, once_deep), (both, both_deep) = one_sided(lambda p: find_faces(p)[0]), one_sided(find_the_face)
    assert both < 0.004
    assert both < 0.4 * once
    assert both_deep < 0.7 * once_deep


def test_readings_that_disagree_are_not_mixed(monkeypatch: pytest.MonkeyPatch, hopper: FaceView) -> None:
    plain = find_faces(hopper_rgb())[0]
    elsewhere = plain.landmarks_px + np.float32([0.05 * plain.width_px, 0, 0])
    for mirrored in (elsewhere, None):
        monkeypatch.setattr(requirements, "mirrored_reading", lambda *_, m=mirrored: m)
        assert centred(hopper_rgb(), plain) is None
        with pytest.raises(FaceTurnedAwayError, match="cannot be made out"):
            find_the_face(hopper_rgb())
        forced = find_the_face(hopper_rgb(), force=True)
        np.testing.assert_allclose(forced.landmarks_px, plain.landmarks_px, atol=0.05)


def test_roll_is_positive_clockwise() -> None:
    tilted = find_the_face(canvas((hopper_rgb(), (640, 360), 1.0, np.deg2rad(25))))
    assert tilted.roll_rad == pytest.approx(np.deg2rad(25 - 2), abs=np.deg2rad(5))


def test_yaw_is_positive_towards_the_right_of_the_picture(hopper: FaceView) -> None:
    turned = FaceView.of(rotated(hopper.landmarks_px, yaw=30))
    assert turned.yaw_rad == pytest.approx(np.deg2rad(30), abs=np.deg2rad(3))
    assert turned.landmarks_px[1, 0] > hopper.landmarks_px[1, 0]  # so does the nose


def test_pitch_is_positive_downwards(hopper: FaceView) -> None:
    nodding = FaceView.of(rotated(hopper.landmarks_px, pitch=20))
    assert nodding.pitch_rad - hopper.pitch_rad == pytest.approx(np.deg2rad(20), abs=np.deg2rad(3))
    assert nodding.landmarks_px[1, 1] > hopper.landmarks_px[1, 1]  # the nose sinks


@pytest.mark.parametrize("rgb", [astronaut_rgb(), hopper_rgb()[40:300, 130:390]])
def test_other_framings_pass(rgb: U8) -> None:
    assert find_the_face(rgb).width_px > 64


def test_a_face_alone_that_fills_the_picture_passes(hopper: FaceView) -> None:
    low, high = hopper.landmarks_px[:, :2].min(axis=0), hopper.landmarks_px[:, :2].max(axis=0)
    (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
    assert find_the_face(np.ascontiguousarray(hopper_rgb()[y0:y1, x0:x1])).width_px > 150


@pytest.mark.parametrize("scale", [0.2, 50 / 190])
def test_a_small_picture_of_a_face_is_told_its_width(scale: float) -> None:
    with pytest.raises(FaceTooSmallError, match=r"\d\d px wide"):
        find_the_face(scaled(hopper_rgb(), scale))


def test_a_small_face_in_a_large_picture_is_found_and_told_its_width() -> None:
    wide = np.full((1500, 2400, 3), 120, np.uint8)
    small = scaled(hopper_rgb(), 50 / 190)
    wide[900 : 900 + small.shape[0], 1200 : 1200 + small.shape[1]] = small
    with pytest.raises(FaceTooSmallError, match=r"\d\d px wide"):
        find_the_face(wide)


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((400, 300, 3), 200, np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8),
        np.ascontiguousarray(hopper_rgb()[380:]),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((3, 2000, 3), np.uint8),
    ],
)
def test_pictures_without_a_face_are_refused(rgb: U8) -> None:
    with pytest.raises(NoFaceError):
        find_the_face(rgb)


def test_two_comparable_faces_are_refused() -> None:
    two = canvas((hopper_rgb(), (350, 360), 1.0, 0.0), (astronaut_rgb(), (950, 360), 1.8, 0.0))
    with pytest.raises(SeveralFacesError, match="2 faces"):
        find_the_face(two)


def test_a_much_smaller_second_face_is_only_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    scenery = canvas((hopper_rgb(), (350, 360), 1.1, 0.0), (hopper_rgb(), (1000, 360), 0.5, 0.0))
    with caplog.at_level(logging.WARNING):
        face = find_the_face(scenery)
    assert face.landmarks_px[1, 0] < 640
    assert "second, much smaller face" in caplog.text


@pytest.mark.parametrize("degrees", [70, 90, 180])
def test_a_picture_on_its_side_or_head_is_refused(degrees: float) -> None:
    with pytest.raises(PortraitError, match=r"tilted sideways|made out|no human face"):
        find_the_face(canvas((hopper_rgb(), (640, 360), 1.0, np.deg2rad(degrees))))


@pytest.mark.parametrize("turn", [{"yaw": 65}, {"yaw": -65}, {"pitch": 50}, {"pitch": -60}, {"roll": 60}])
def test_steep_views_are_refused(hopper: FaceView, turn: dict[str, float]) -> None:
    with pytest.raises(FaceTurnedAwayError, match="degrees"):
        check_pose(FaceView.of(rotated(hopper.landmarks_px, **turn)))


def test_three_quarter_views_pass(hopper: FaceView) -> None:
    check_pose(FaceView.of(rotated(hopper.landmarks_px, yaw=45)))


def test_choosing_from_nothing_is_refused() -> None:
    with pytest.raises(NoFaceError):
        choose_face([])


def test_each_face_is_found_once() -> None:
    two = canvas((hopper_rgb(), (350, 360), 1.0, 0.0), (astronaut_rgb(), (950, 360), 1.8, 0.0))
    assert len(find_faces(two)) == 2


def rotated(landmarks_px: F32, *, yaw: float = 0, pitch: float = 0, roll: float = 0) -> F32:
    turn = rotation_from_euler(*np.deg2rad((yaw, pitch, roll)))
    centre = landmarks_px.mean(axis=0)
    return ((landmarks_px - centre) @ turn.T + centre).astype(np.float32)
