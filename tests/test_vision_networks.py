"""The tracker's networks on pictures of all kinds: tiny, large, flat, crowded, cut, turned."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import astronaut_rgb, canvas, hopper_rgb

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import EYES
from facepuppet.vision import (
    FaceBox,
    FaceDetector,
    FaceMesh,
    FaceMesher,
    PersonSegmenter,
    PoseModel,
    face_box,
    view_body,
)
from facepuppet.vision.still import FaceBoxes

TINY = [(1, 1), (2, 3), (3, 2), (1, 400), (400, 1), (17, 31)]


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def segmenter() -> Iterator[PersonSegmenter]:
    with PersonSegmenter() as segmenter:
        yield segmenter


@pytest.fixture(scope="module")
def mesher() -> Iterator[FaceMesher]:
    with FaceMesher() as mesher:
        yield mesher


@pytest.fixture(scope="module")
def body() -> PoseModel:
    """Of pictures that show nobody: it keeps where a body was."""
    return PoseModel()


@pytest.fixture(scope="module")
def box(mesh: FaceMesh, detector: FaceDetector) -> FaceBox:
    return settled(mesh, hopper_rgb(), detector.find(hopper_rgb())[0])


def settled(mesh: FaceMesh, rgb: U8, box: FaceBox) -> FaceBox:
    for _ in range(3):
        box = face_box(landmarks(mesh, rgb, box))
    return box


def landmarks(mesh: FaceMesh, rgb: U8, box: FaceBox) -> F32:
    found = mesh.find(rgb, box)
    assert found is not None and found.shape == (478, 3) and found.dtype == np.float32
    return found


def flat(height: int, width: int, level: int = 127) -> U8:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("size", TINY)
def test_tiny_pictures_show_nobody(
    mesh: FaceMesh,
    detector: FaceDetector,
    body: PoseModel,
    mesher: FaceMesher,
    segmenter: PersonSegmenter,
    size: tuple[int, int],
) -> None:
    rgb = np.linspace(0, 255, size[0] * size[1] * 3).astype(np.uint8).reshape(*size, 3)
    assert detector.find(rgb) == []
    assert mesh.find(rgb, FaceBox(size[1] / 2, size[0] / 2, max(size))) is None
    assert body.find(rgb) is None
    assert mesher.landmarks_px(rgb) is None
    assert segmenter.coverage(rgb).shape == size


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_flat_picture_shows_nobody(
    mesh: FaceMesh, detector: FaceDetector, segmenter: PersonSegmenter, level: int
) -> None:
    rgb = flat(480, 640, level)
    assert (
        detector.find(rgb) == [] and FaceBoxes().find(rgb, far=True) == FaceBoxes().find(rgb, far=False) == []
    )
    assert mesh.find(rgb, FaceBox(320, 240, 200)) is None
    assert view_body(rgb) is None
    coverage = segmenter.coverage(rgb)
    assert coverage.shape == (480, 640) and coverage.dtype == np.float32
    assert (coverage > 0.5).mean() < 0.01


def test_where_a_picture_has_no_face_there_is_none(mesh: FaceMesh) -> None:
    """Her uniform is no face, though the picture has one elsewhere; nor is anything outside of it."""
    assert mesh.find(hopper_rgb(), FaceBox(256, 520, 60)) is None
    assert mesh.find(hopper_rgb(), FaceBox(5000, 5000, 200)) is None


anywhere = st.one_of(st.floats(-1e4, 1e4), st.floats(-100, 700))


@settings(max_examples=40)
@given(anywhere, anywhere, st.one_of(st.floats(0, 1e5), st.floats(50, 400)), st.floats(-10, 10))
def test_whatever_the_box_there_is_a_face_of_numbers_or_none(
    mesh: FaceMesh, x: float, y: float, size: float, roll: float
) -> None:
    points = mesh.find(hopper_rgb(), FaceBox(x, y, size, roll))
    assert points is None or (points.shape == (478, 3) and np.isfinite(points).all())


def test_a_picture_is_read_only_and_the_same_picture_is_read_the_same(mesh: FaceMesh, box: FaceBox) -> None:
    rgb = hopper_rgb().copy()
    rgb.setflags(write=False)
    first = landmarks(mesh, rgb, box)
    mesh.find(astronaut_rgb(), FaceBox(130, 110, 100))  # it keeps nothing of another face
    assert np.array_equal(landmarks(mesh, rgb, box), first)
    assert np.array_equal(landmarks(FaceMesh(), rgb, box), first)


def test_a_large_picture(
    mesh: FaceMesh, detector: FaceDetector, segmenter: PersonSegmenter, box: FaceBox
) -> None:
    large = cv2.resize(hopper_rgb(), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)  # 4096 x 4800
    (found,) = detector.find(large)
    assert found.resembles(FaceBox(8 * box.x_px, 8 * box.y_px, 8 * box.size_px), 0.2, 1.3)
    points = landmarks(mesh, large, FaceBox(8 * box.x_px, 8 * box.y_px, 8 * box.size_px, box.roll_rad))
    error = np.linalg.norm(points / 8 - landmarks(mesh, hopper_rgb(), box), axis=1)
    assert error.mean() < 0.01 * box.size_px
    assert segmenter.coverage(large).shape == large.shape[:2]


@pytest.mark.parametrize("cut", [(0, 0, 599, 511), (1, 1, 600, 512), (7, 3, 540, 470)])
def test_odd_sizes_only_move_the_face(
    mesh: FaceMesh, detector: FaceDetector, box: FaceBox, cut: tuple[int, int, int, int]
) -> None:
    top, left, bottom, right = cut
    part = hopper_rgb()[top:bottom, left:right]
    (found,) = detector.find(part)
    assert found.resembles(FaceBox(box.x_px - left, box.y_px - top, box.size_px), 0.15, 1.25)
    points = landmarks(mesh, part, FaceBox(box.x_px - left, box.y_px - top, box.size_px, box.roll_rad))
    whole = landmarks(mesh, hopper_rgb(), box) - np.float32([left, top, 0])
    np.testing.assert_allclose(points, whole, atol=0.05)  # the crop is the same; only its place is rounded


@pytest.mark.parametrize("side", ["left", "right"])
def test_of_a_face_half_outside_the_half_inside_is_read(mesh: FaceMesh, box: FaceBox, side: str) -> None:
    whole, middle = landmarks(mesh, hopper_rgb(), box), int(box.x_px)
    shift = middle if side == "left" else 0
    part = hopper_rgb()[:, middle:] if side == "left" else hopper_rgb()[:, :middle]
    points = landmarks(mesh, part, FaceBox(box.x_px - shift, box.y_px, box.size_px, box.roll_rad))
    points = points + np.float32([shift, 0, 0])
    eye = EYES[1] if side == "left" else EYES[0]
    off = np.linalg.norm((points - whole)[eye.ring, :2], axis=1).mean()
    assert off < 0.04 * box.size_px
    assert face_box(points).resembles(box, 0.3, 1.5)


def test_a_lying_face_is_read_as_an_upright_one(mesh: FaceMesh, box: FaceBox) -> None:
    upright = landmarks(mesh, hopper_rgb(), box)
    for quarters, roll in ((-1, math.pi / 2), (1, -math.pi / 2), (2, math.pi)):
        lying = np.ascontiguousarray(np.rot90(hopper_rgb(), quarters))
        cos, sin = math.cos(roll), math.sin(roll)
        turn = np.array([[cos, sin], [-sin, cos]])
        middles = [(np.array(rgb.shape[1::-1]) - 1) / 2 for rgb in (hopper_rgb(), lying)]
        x, y = (np.array([box.x_px, box.y_px]) - middles[0]) @ turn + middles[1]
        points = landmarks(mesh, lying, FaceBox(float(x), float(y), box.size_px, box.roll_rad + roll))
        np.testing.assert_allclose(points[:, :2], (upright[:, :2] - middles[0]) @ turn + middles[1], atol=0.5)
        np.testing.assert_allclose(points[:, 2], upright[:, 2], atol=0.5)
        assert face_box(points).roll_rad == pytest.approx(
            math.remainder(box.roll_rad + roll, 2 * math.pi), abs=0.01
        )


def test_four_faces_are_found_each_in_its_place(mesh: FaceMesh, detector: FaceDetector) -> None:
    people = [
        (hopper_rgb(), (200.0, 230.0), 0.7, 0.0),
        (astronaut_rgb(), (520.0, 220.0), 1.3, 0.15),
        (hopper_rgb(), (840.0, 460.0), 0.8, -0.15),
        (astronaut_rgb(), (1100.0, 220.0), 1.3, 0.0),
    ]
    crowd = canvas(*people)
    found = detector.find(crowd)
    assert len(found) == 4
    for person in people:
        (alone,) = detector.find(canvas(person))
        (here,) = [each for each in found if each.resembles(alone, 0.2, 1.2)]
        assert here.roll_rad == pytest.approx(person[3], abs=0.2)
        points = landmarks(mesh, crowd, here)
        assert face_box(points).resembles(here, 0.3, 1.4)


def test_who_is_too_small_for_one_detector_is_seen_by_the_other(detector: FaceDetector) -> None:
    far_away = canvas((hopper_rgb(), (900.0, 300.0), 0.4, 0.0))  # a face of 73 px in 1280
    assert len(FaceBoxes().find(far_away, far=True)) == len(detector.find(far_away)) == 1
    assert FaceBoxes().find(far_away, far=False) == []
    (close,) = detector.find(hopper_rgb()[100:330, 150:380])  # nothing but a face
    assert close.size_px > 100


def test_shoulders_of_a_still_picture_are_still() -> None:
    model = PoseModel()
    looks = [model.find(hopper_rgb()) for _ in range(8)]
    assert all(look is not None for look in looks)
    shoulders = np.array([look[0] for look in looks if look])
    assert shoulders[0, 0, 0] < shoulders[0, 1, 0], "image-left first"
    assert np.ptp(shoulders[3:], axis=0).max() == 0.0
    assert np.linalg.norm(shoulders[-1] - shoulders[0], axis=1).max() < 0.05 * np.ptp(shoulders[0, :, 0])


def test_a_body_that_left_is_looked_for_anew() -> None:
    model = PoseModel()
    first = model.find(hopper_rgb())
    assert model.find(hopper_rgb()) is not None
    assert model.find(flat(600, 512)) is None
    again = model.find(hopper_rgb())
    assert first is not None and again is not None
    assert np.array_equal(first[0], again[0]) and first[1] == again[1]


def test_a_body_that_moves_is_followed() -> None:
    model, places = PoseModel(), np.linspace(400, 800, 9)
    for x in places:
        found = model.find(canvas((hopper_rgb(), (float(x), 360.0), 1.0, 0.0)))
        assert found is not None
        assert abs(found[0][:, 0].mean() - x) < 60
    assert found[1] > 0.9


def test_masks_show_the_person(segmenter: PersonSegmenter) -> None:
    scene = canvas((astronaut_rgb(), (420.0, 420.0), 2.0, 0.0))
    seen = view_body(scene)
    assert seen is not None
    for mask in (segmenter.coverage(scene), seen.coverage):
        assert mask.shape == scene.shape[:2] and mask.dtype == np.float32
        assert mask.min() >= 0.0 and mask.max() <= 1.0
        assert mask[330:400, 380:460].mean() > 0.9, "her face"
        assert mask[:, 1000:].mean() < 0.02, "the empty canvas"
    assert seen.shoulders_px[0, 0] < seen.shoulders_px[1, 0] and seen.confidence > 0.9


@pytest.mark.parametrize("size", [(60, 80), (60, 80, 4)])
def test_what_is_no_picture_is_refused_by_all(
    mesh: FaceMesh,
    detector: FaceDetector,
    body: PoseModel,
    mesher: FaceMesher,
    segmenter: PersonSegmenter,
    size: tuple[int, ...],
) -> None:
    asked = [detector.find, body.find, mesher.landmarks_px, segmenter.coverage]
    for ask in [*asked, lambda rgb: mesh.find(rgb, FaceBox(40, 30, 20))]:
        with pytest.raises(ValueError, match="expected RGB of type uint8"):
            ask(np.zeros(size, np.uint8))
