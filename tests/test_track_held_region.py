"""A still face gives still landmarks; one that moves is followed as well as if nothing were held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, hopper_rgb

from facepuppet.core.types import F32, F64, U8
from facepuppet.drivers.camera.follow import FaceFollower
from facepuppet.drivers.camera.held_region import BAND, LEFT, STILL_FRAMES, HeldRegion
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.topology import CHIN, OUTER_CORNERS, RIGID
from facepuppet.vision.boxes import FaceBox, extent, face_box, skull_box
from facepuppet.vision.face_mesh import FaceMesh

FRAME_NS = 33_333_333
SIZE_PX = (640, 480)
FACES = {"astronaut": (astronaut_rgb(), 1.4), "hopper": (hopper_rgb(), 0.85)}
Places = Sequence[tuple[float, float, float, float]]  # right, down (px), zoom, roll (rad) of each frame


@pytest.fixture(scope="module")
def mesh() -> Iterator[FaceMesh]:
    mesh = FaceMesh()
    yield mesh
    mesh.close()


@pytest.fixture
def follower() -> Iterator[FaceFollower]:
    follower = FaceFollower()
    yield follower
    follower.close()


def filmed(name: str, places: Places, noise: float = 0.0) -> tuple[list[U8], list[F64]]:
    """Frames (480, 640, 3) of a face at places, and image_from_picture (2, 3) of each."""
    rgb, scale = FACES[name]
    rng = np.random.default_rng(1)
    frames, ways = [], []
    for right, down, zoom, roll in places:
        c, s = scale * zoom * np.cos(roll), scale * zoom * np.sin(roll)
        way = np.array([[c, -s, 0.0], [s, c, 0.0]])
        way[:, 2] = (320 + right, 240 + down) - way[:, :2] @ (rgb.shape[1] / 2, rgb.shape[0] / 2)
        frame = cv2.warpAffine(rgb, way, SIZE_PX, flags=cv2.INTER_LINEAR, borderValue=(110, 110, 110))
        shaken = frame + rng.normal(0, noise, frame.shape) if noise else frame
        frames.append(np.clip(shaken, 0, 255).astype(np.uint8))
        ways.append(way)
    return frames, ways


def still_places(n: int) -> Places:
    return [(0.0, 0.0, 1.0, 0.0)] * n


def held(follower: FaceFollower, frames: Sequence[U8]) -> F32:
    found = [follower.follow(rgb, i * FRAME_NS) for i, rgb in enumerate(frames)]
    assert all(landmarks is not None for landmarks in found)
    return np.stack([landmarks for landmarks in found if landmarks is not None])


def led(mesh: FaceMesh, frames: Sequence[U8], box: FaceBox) -> list[F32]:
    """Landmarks by a region that is taken from the last ones in every frame, until they are lost."""
    found: list[F32] = []
    for rgb in frames:
        landmarks = mesh.find(rgb, box)
        if landmarks is None:
            break
        box = face_box(landmarks)
        found.append(landmarks)
    return found


def placed(follower: FaceFollower, rgb: U8) -> FaceBox:
    """Where a follower that starts afresh finds the face."""
    landmarks = follower.follow(rgb, 0)
    assert landmarks is not None
    follower._region = None
    return face_box(landmarks)


def on_the_picture(landmarks: F32, ways: Sequence[F64]) -> F64:
    """(N, 478, 2) landmarks carried back to the picture that was filmed: those of a perfect tracker stay."""
    back = [np.linalg.inv(way[:, :2]) for way in ways]
    return np.stack(
        [(points[:, :2] - way[:, 2]) @ m.T for points, way, m in zip(landmarks, ways, back, strict=True)]
    )


def tremble(points: F64) -> float:
    """Mean size of the steps from frame to frame."""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=-1).mean())


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(
    "offset",
    [
        (0, 0, 0, 0),
        pytest.param((0.02, -0.03, 0.05, 0.02), marks=pytest.mark.thorough),
        pytest.param((-0.1, 0.08, -0.1, 0.1), marks=pytest.mark.thorough),
        (0.15, 0.1, 0.2, -0.2),
    ],
)
def test_the_same_picture_gives_the_same_landmarks(
    follower: FaceFollower, monkeypatch: pytest.MonkeyPatch, name: str, offset: tuple[float, ...]
) -> None:
    frames, _ = filmed(name, still_places(45))
    start = placed(follower, frames[0]).moved(np.array(offset))
    monkeypatch.setattr(follower._detector, "find", lambda _: [start])
    found = held(follower, frames)
    steps_px = np.linalg.norm(np.diff(found, axis=0), axis=-1).max(-1)
    assert steps_px[10:].max() < 0.02
    assert not steps_px[29:].any()


@pytest.mark.parametrize("name", [pytest.param("astronaut", marks=pytest.mark.thorough), "hopper"])
def test_before_a_noisy_camera_a_still_face_trembles_less(
    follower: FaceFollower, mesh: FaceMesh, name: str
) -> None:
    """The camera's own noise remains; half and more of the tremble was the region's."""
    frames, ways = filmed(name, still_places(60), noise=4.0)
    before = tremble(on_the_picture(np.stack(led(mesh, frames, placed(follower, frames[0]))), ways)[10:])
    region_places = []
    found = []
    for i, rgb in enumerate(frames):
        found.append(follower.follow(rgb, i * FRAME_NS))
        assert follower._region is not None
        region_places.append(follower._region.box)
    assert len(set(region_places)) == 1
    assert tremble(on_the_picture(np.stack(found), ways)[10:]) < 0.8 * before


MOVES = {
    "creeping": [(0.25 * i - 15, 0.05 * i, 1.0, 0.0) for i in range(90)],
    "shifting": [(40 * np.sin(i / 15), 10 * np.sin(i / 10), 1.0, 0.0) for i in range(90)],
    "nearing": [(0.0, 0.0, 1.0 + 0.15 * np.sin(i / 12), 0.0) for i in range(90)],
    "tilting": [(0.0, 0.0, 1.0, 0.3 * np.sin(i / 12)) for i in range(90)],
    "all, fast": [
        (80 * np.sin(i / 6), 20 * np.sin(i / 5), 1.0 + 0.12 * np.sin(i / 6), 0.3 * np.sin(i / 7))
        for i in range(90)
    ],
}


LATER: dict[str, list[pytest.MarkDecorator] | pytest.MarkDecorator] = {
    "all, fast": [],
    "creeping": pytest.mark.thorough,
}


@pytest.mark.parametrize(
    "move",
    # What "all, fast" does at once is looked at alone besides.
    [pytest.param(m, marks=LATER.get(m, pytest.mark.slow)) for m in MOVES],
)
def test_a_face_that_moves_is_followed_as_well(follower: FaceFollower, mesh: FaceMesh, move: str) -> None:
    """Against the truth: landmarks carried back to the picture must lie where many readings put them."""
    worse = []
    for name in FACES:
        frames, ways = filmed(name, MOVES[move], noise=3.0)
        start = placed(follower, frames[0])
        rng = np.random.default_rng(2)
        readings = [mesh.find(frames[0], start.moved(rng.uniform(-0.04, 0.04, 4))) for _ in range(24)]
        truth = on_the_picture(np.mean(readings, axis=0)[None], ways[:1])
        before = on_the_picture(np.stack(led(mesh, frames, start)), ways)
        after = on_the_picture(held(follower, frames), ways)
        follower._region = None
        worse.append(
            np.linalg.norm(after - truth, axis=-1).mean() / np.linalg.norm(before - truth, axis=-1).mean()
        )
    assert np.mean(worse) < 1.06


def test_no_motion_is_too_fast_that_was_not(follower: FaceFollower, mesh: FaceMesh) -> None:
    kept = []
    for step in (0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0):
        # Rest, a slow drift that leaves the region behind, then a jump the same way.
        places = [(-150.0 + min(0.15 * i, 4.0), 0.0, 1.0, 0.0) for i in range(40)]
        places += [(-146.0 + step * min(i, 2), 0.0, 1.0, 0.0) for i in range(1, 6)]
        frames, _ = filmed("hopper", places)
        start = placed(follower, frames[0])
        if len(led(mesh, frames, start)) == len(frames):
            follower._detector.find = lambda _: []  # type: ignore[method-assign]
            follower._region = HeldRegion(start, led(mesh, frames[:1], start)[0])
            found = [follower.follow(rgb, i) for i, rgb in enumerate(frames)]
            assert all(landmarks is not None for landmarks in found), step
            assert found[-1] is not None
            assert face_box(found[-1]).is_within(0.05, face_box(led(mesh, frames, start)[-1]))
            del follower._detector.find
            kept.append(step)
    assert len(kept) >= 3 and max(kept) >= 40


def test_where_the_region_shows_nobody_the_face_itself_is_asked(
    follower: FaceFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = face_at()
    region = HeldRegion(face_box(face).moved(np.array([-0.05, 0.0, 0.0, 0.0])), face)
    follower._region = region
    follower._selector.choose([face_box(face)], 0)
    behind = region.box
    monkeypatch.setattr(follower._mesh, "find", lambda _, box: None if box == behind else face)
    monkeypatch.setattr(follower._detector, "find", lambda _: [])
    assert follower.follow(np.zeros((480, 640, 3), np.uint8), 1) is face


def face_at(right: float = 0.0, zoom: float = 1.0, roll: float = 0.0) -> F32:
    """The mean face, 187 px large, in the middle of a picture or right of it by shares of its size."""
    c, s = zoom * np.cos(roll), zoom * np.sin(roll)
    points = 100 * canonical_landmarks() @ np.array([[c, s, 0], [-s, c, 0], [0, 0, zoom]])
    return (points + np.array([320 + 187 * right, 240, 0])).astype(np.float32)


def show(region: HeldRegion, landmarks: F32) -> None:
    region.follow(landmarks, face_box(landmarks))


@pytest.mark.parametrize("there", [{"right": 0.02}, {"zoom": 1.02}, {"roll": 0.02}])
def test_small_moves_leave_the_region_as_it_is(there: dict[str, float]) -> None:
    region = HeldRegion(face_box(face_at()), face_at())
    before = region.box
    show(region, face_at(**there))
    assert region.box is before


@pytest.mark.parametrize("there", [{"right": 0.05}, {"zoom": 1.05}, {"roll": 0.05}])
def test_after_a_larger_move_the_region_glides_to_the_face_and_stays(there: dict[str, float]) -> None:
    region = HeldRegion(face_box(face_at()), face_at())
    target = face_box(face_at(**there))
    ways = [extent(region.box.offset_from(target))]
    for _ in range(STILL_FRAMES + 20):
        show(region, face_at(**there))
        ways.append(extent(region.box.offset_from(target)))
    steps = -np.diff(ways)
    assert steps.max() < 1.05 * (1 - LEFT) * 0.05  # no jump
    assert steps[STILL_FRAMES - 1] > 0 and not steps[STILL_FRAMES + 1 :].any()
    assert ways[-1] < BAND


def test_a_far_move_is_met_at_once() -> None:
    region = HeldRegion(face_box(face_at()), face_at())
    show(region, face_at(right=0.5))
    assert region.box.is_within(0.06, face_box(face_at(right=0.5)))


def test_a_jaw_alone_does_not_stir_the_region() -> None:
    region = HeldRegion(face_box(face_at()), face_at())
    before = region.box
    open_mouth = face_at()
    open_mouth[CHIN, 1] += 0.1 * before.size_px
    assert face_box(open_mouth).size_px > (1 + BAND) * before.size_px
    show(region, open_mouth)
    assert region.box is before
    open_mouth[CHIN, 1] += 0.2 * before.size_px  # more than any jaw does: the region does not fit any more
    show(region, open_mouth)
    assert region.box != before


def test_offsets_lead_back() -> None:
    a, b = FaceBox(320.0, 240.0, 180.0, 3.1), FaceBox(300.0, 250.0, 200.0, -3.1)
    offset = b.offset_from(a)
    assert abs(offset[3]) < 0.1  # the short way round
    back = a.moved(offset)
    assert back.is_within(1e-12, b) and b.is_within(extent(offset), a)


def test_the_skull_box_is_as_large_as_the_face_and_knows_no_jaw() -> None:
    face = face_at(roll=0.2)
    assert skull_box(face).zoom(face_box(face_at())) < 1.02
    assert skull_box(face).roll_rad == pytest.approx(0.2, abs=1e-3)
    shaken = face.copy()
    shaken[np.setdiff1d(np.arange(478), np.concatenate([RIGID, OUTER_CORNERS]))] += 50.0
    assert skull_box(shaken) == skull_box(face)
