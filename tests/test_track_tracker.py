from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, canvas, hopper_rgb

from facepuppet.core.geometry import euler_from_rotation, head_from_image
from facepuppet.core.types import F32, F64, U8, Frame
from facepuppet.drivers.camera.follow import FaceFollower
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.gaze import eye_openings, gaze_angles
from facepuppet.face.topology import EYES
from facepuppet.vision.boxes import FaceBox, face_box
from facepuppet.vision.face_detector import FaceDetector

FRAME_NS = 33_333_333
MIDDLE = (640.0, 360.0)


def track_once(rgb: U8) -> Tracking:
    with Tracker() as tracker:
        return tracker.track(Frame(rgb, 7, 11))


def face_of(rgb: U8) -> Face:
    face = track_once(rgb).face
    assert face is not None
    return face


@pytest.fixture(scope="module")
def upright() -> Face:
    return face_of(canvas((hopper_rgb(), MIDDLE, 1.0, 0.0)))


@pytest.fixture
def follower() -> Iterator[FaceFollower]:
    follower = FaceFollower()
    yield follower
    follower.close()


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    detector = FaceDetector()
    yield detector
    detector.close()


def test_everything_about_a_face(upright: Face) -> None:
    assert upright.landmarks_px.shape == (478, 3) and upright.landmarks_px.dtype == np.float32
    assert np.all(np.abs(euler(upright)) < 0.25)  # she faces the camera
    assert np.all(np.abs(gaze(upright)) < 0.35)
    assert np.all((lids(upright) > 0.15) & (lids(upright) < 0.5))
    left, right = (upright.landmarks_px[eye.iris_centre, 0] for eye in EYES)
    assert left < right


def test_ids_times_and_size_are_carried_along() -> None:
    tracking = track_once(canvas((hopper_rgb(), MIDDLE, 1.0, 0.0)))
    assert (tracking.frame_id, tracking.captured_ns, tracking.image_size_px) == (7, 11, (1280, 720))


@pytest.mark.parametrize("roll", [-0.4, -0.2, 0.2, 0.4])
def test_a_turned_picture_gives_its_roll(upright: Face, roll: float) -> None:
    turned = face_of(canvas((hopper_rgb(), MIDDLE, 1.0, roll)))
    got = euler(turned)[2] - euler(upright)[2]
    assert got == pytest.approx(roll, abs=0.05)


def test_a_moved_and_scaled_picture_moves_and_scales_the_landmarks(upright: Face) -> None:
    moved = face_of(canvas((hopper_rgb(), (420.0, 380.0), 0.8, 0.0)))
    expected = 0.8 * (upright.landmarks_px[:, :2] - MIDDLE) + (420.0, 380.0)
    error = np.linalg.norm(moved.landmarks_px[:, :2] - expected, axis=1)
    assert np.median(error) < 0.02 * face_box(moved.landmarks_px).size_px
    np.testing.assert_allclose(euler(moved), euler(upright), atol=0.08)


def euler(face: Face) -> tuple[float, float, float]:
    return euler_from_rotation(face.image_from_head.rotation)


def head(face: Face) -> F64:
    return head_from_image(face.landmarks_px, face.image_from_head)


def gaze(face: Face) -> F32:
    return gaze_angles(head(face), face.image_from_head.rotation)


def lids(face: Face) -> F32:
    return eye_openings(head(face))


def pushed(rgb: U8, shift_x: float, shift_y: float) -> U8:
    """Move the middle of the face and leave its outline, as a turn of the head does to a picture."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    box = face_box(face_of(rgb).landmarks_px)
    depth = np.exp(-((x - box.x_px) ** 2 + (y - box.y_px) ** 2) / (0.4 * box.size_px) ** 2)
    return np.asarray(
        cv2.remap(rgb, x - depth * shift_x, y - depth * shift_y, cv2.INTER_LINEAR), dtype=np.uint8
    )


def test_signs_of_yaw_and_pitch() -> None:
    rgb = canvas((astronaut_rgb(), MIDDLE, 2.0, 0.0))
    yaw, pitch, _ = euler(face_of(rgb))
    right = euler(face_of(pushed(rgb, 24.0, 0.0)))
    down = euler(face_of(pushed(rgb, 0.0, 20.0)))
    assert right[0] > yaw + 0.1
    assert down[1] > pitch + 0.05


def test_a_mirrored_picture_flips_yaw_roll_and_gaze() -> None:
    rgb = pushed(canvas((astronaut_rgb(), MIDDLE, 2.0, 0.3)), 24.0, 0.0)
    face, mirrored = face_of(rgb), face_of(np.ascontiguousarray(rgb[:, ::-1]))
    yaw, pitch, roll = euler(face)
    assert yaw > 0.1
    assert roll > 0.1
    assert euler(mirrored) == pytest.approx((-yaw, pitch, -roll), abs=0.06)
    assert gaze(mirrored) == pytest.approx(gaze(face) * (-1, 1), abs=0.12)
    assert lids(mirrored) == pytest.approx(lids(face)[::-1], abs=0.06)


def test_no_face_is_none() -> None:
    assert track_once(canvas()).face is None
    assert track_once(np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)).face is None


def test_shoulders_are_image_left_first() -> None:
    torso = track_once(canvas((hopper_rgb(), MIDDLE, 1.0, 0.0))).torso
    assert torso is not None
    (left_x, left_y), (right_x, right_y) = torso.shoulders_px
    assert left_x < 640 < right_x
    assert min(left_y, right_y) > 360  # below her face
    assert torso.confidence > 0.5


def test_offline_tracking_repeats_itself() -> None:
    frames = [
        Frame(canvas((hopper_rgb(), (600.0 + 8 * i, 360.0), 1.0, 0.0)), i, i * FRAME_NS) for i in range(5)
    ]

    def landmarks() -> list[np.ndarray]:
        with Tracker(torso_every=2) as tracker:
            trackings = [tracker.track(frame) for frame in frames]
        return [t.face.landmarks_px for t in trackings if t.face] + [
            t.torso.shoulders_px for t in trackings if t.torso
        ]

    for first, second in zip(landmarks(), landmarks(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_live_shoulders_arrive_from_their_own_thread() -> None:
    rgb = canvas((hopper_rgb(), MIDDLE, 1.0, 0.0))
    with Tracker(live=True) as tracker:
        torsos = []
        for i in range(600):  # the thread needs time, not frames; the bound only ends a failed run
            torsos.append(tracker.track(Frame(rgb, i, i)).torso)
            if torsos[-1] is not None:
                break
    assert torsos[0] is None
    assert torsos[-1] is not None


def test_detector_boxes_are_those_of_the_landmarks(detector: FaceDetector) -> None:
    rgb = canvas((hopper_rgb(), (350.0, 360.0), 1.0, 0.3))
    (found,), expected = detector.find(rgb), face_box(face_of(rgb).landmarks_px)
    assert found.distance(expected) < 0.15
    assert found.zoom(expected) < 1.25
    assert found.roll_rad == pytest.approx(expected.roll_rad, abs=0.15)


def test_the_detector_sees_every_face(detector: FaceDetector) -> None:
    rgb = canvas((hopper_rgb(), (350.0, 360.0), 1.0, 0.0), (astronaut_rgb(), (950.0, 360.0), 1.5, 0.0))
    xs = sorted(box.x_px for box in detector.find(rgb))
    assert len(xs) == 2
    assert xs[0] < 640 < xs[1]


def poster_scene(driver_x: float | None) -> U8:
    """A small portrait on the wall, with or without a large driver beside it."""
    poster = (astronaut_rgb(), (1150.0, 140.0), 0.85, 0.0)
    if driver_x is None:
        return canvas(poster)
    return canvas(poster, (hopper_rgb(), (driver_x, 400.0), 1.0, 0.0))


def test_the_largest_face_is_followed_whatever_the_order(follower: FaceFollower) -> None:
    landmarks = follower.follow(poster_scene(400.0), 0)
    assert landmarks is not None
    assert face_box(landmarks).x_px < 640


def test_a_face_that_appears_later_is_ignored_even_if_it_is_larger(follower: FaceFollower) -> None:
    for i in range(80):
        driver = (hopper_rgb(), (250.0 + 30 * np.sin(i / 5), 360.0), 0.7, 0.0)
        visitor = (astronaut_rgb(), (950.0, 360.0), 2.3, 0.0)
        landmarks = follower.follow(canvas(driver, visitor) if i >= 20 else canvas(driver), i * FRAME_NS)
        assert landmarks is not None
        assert face_box(landmarks).x_px < 500


def test_the_face_on_the_wall_never_steals(follower: FaceFollower, detector: FaceDetector) -> None:
    assert detector.find(poster_scene(None))  # the poster alone would be found
    here = [400.0 + 30 * np.sin(i / 5) for i in range(40)]
    seen = []
    for i, x in enumerate([*here, *[None] * 20, *here[:20], *[None] * 90]):
        landmarks = follower.follow(poster_scene(x), i * FRAME_NS)
        seen.append(landmarks is not None)
        assert landmarks is None or face_box(landmarks).x_px < 640
    assert all(seen[:40])
    assert not any(seen[40:60])
    assert all(seen[60:80])  # the driver is found again at once
    assert not any(seen[80:])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["grid_lbax4n", "ls_demo1", "vr_4", "hm_xzy2"])
def test_talking_people_are_tracked_throughout(shared: Path, name: str) -> None:
    import av

    with Tracker() as tracker, av.open(str(shared / "clips" / f"{name}.mp4")) as video:
        faces = []
        for i, picture in zip(range(100), video.decode(video=0), strict=False):
            tracking = tracker.track(Frame(picture.to_ndarray(format="rgb24"), i, i * FRAME_NS))
            faces.append(tracking.face is not None)
    assert np.mean(faces) > 0.98


def test_a_face_just_found_is_looked_at_until_it_stays_where_it_is(
    upright: Face, follower: FaceFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector tells little of how a face lies; each look corrects half of the tilt here."""
    true = upright.landmarks_px
    looked: list[float] = []

    def find(rgb: U8, box: FaceBox) -> F32:
        looked.append(box.roll_rad - face_box(true).roll_rad)
        cos, sin = np.cos(0.5 * looked[-1]), np.sin(0.5 * looked[-1])
        middle = true[:, :2].mean(0)
        turned = true.copy()
        turned[:, :2] = (true[:, :2] - middle) @ np.array([[cos, sin], [-sin, cos]], np.float32) + middle
        return turned

    box = replace(face_box(true), roll_rad=0.4)
    monkeypatch.setattr(follower._detector, "find", lambda _: [box])
    monkeypatch.setattr(follower._mesh, "find", find)
    first = follower.follow(np.zeros((720, 1280, 3), np.uint8), 0)
    assert len(looked) == 4 and abs(looked[-1]) < 0.06
    assert first is not None and np.linalg.norm((first - true)[:, :2], axis=1).max() < 5.0
    monkeypatch.setattr(follower._detector, "find", lambda _: [face_box(true)])
    follower._region = None
    follower.follow(np.zeros((720, 1280, 3), np.uint8), 10**10)
    assert len(looked) == 6, "where the box is good, the second look is the last"
