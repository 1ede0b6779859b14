"""Which of a driver's first frames is rest: never a single unsteady one, and never silently none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import ListSource
from pictures import hopper_rgb
from scripted_faces import EYES_PX, IMAGE_SIZE_PX, UNIT_PX

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import Expression, Frame, LandmarkOffsets, Part
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.measure import IRIS_REPORTED
from facepuppet.drivers.camera.rest import SETTLE_FRAMES, Rest, settle_frames_at
from facepuppet.drivers.camera.settle import first_rest, unrest_told
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.topology import EYES
from facepuppet.media import open_source

FRAME_NS = 33_333_333


def seen(n: int = 0, *, yaw: float = 0.0, roll: float = 0.0, shift: float = 0.0, **shapes: float) -> Tracking:
    """What a perfect tracker sees of a face in frame n: turned, tilted, moved, with ARKit's shapes."""
    weights = np.array([shapes.get(name, 0.0) for name in ARKIT_NAMES], np.float32)
    head = compose_landmarks(canonical_landmarks(), weights)
    landmarks = UNIT_PX * (head @ rotation_from_euler(yaw, 0.0, roll).T)
    landmarks[:, :2] += EYES_PX + np.array([UNIT_PX * shift, 0.0])
    return Tracking(Face.of(landmarks.astype(np.float32)), None, IMAGE_SIZE_PX, n, n * FRAME_NS)


BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


class ListTracker:
    """Sees what it was told, frame by frame."""

    def __init__(self, trackings: Sequence[Tracking | None]) -> None:
        self._trackings = trackings

    def track(self, frame: Frame) -> Tracking:
        told = self._trackings[frame.frame_id]
        if told is None:
            return Tracking(None, None, IMAGE_SIZE_PX, frame.frame_id, frame.captured_ns)
        return replace(told, frame_id=frame.frame_id, captured_ns=frame.captured_ns)

    def close(self) -> None:
        pass


def performed(trackings: Sequence[Tracking | None]) -> list[Expression]:
    """What an offline driver gives of these frames."""
    pictures = [np.zeros((4, 4, 3), np.uint8)] * len(trackings)
    with CameraDriver(ListSource(pictures), None, lambda: ListTracker(trackings)) as driver:
        return list(iter(driver.read, None))


def offset(expression: Expression) -> float:
    """The largest move of a landmark from rest, in inter-ocular distances."""
    assert expression.face is not None and isinstance(expression.face.deformation, LandmarkOffsets)
    return float(np.abs(expression.face.deformation.offsets).max())


@pytest.mark.parametrize("first", [{**BLINK, "mouthSmileLeft": 0.8}, {"jawOpen": 0.7}, {"yaw": 0.9}])
def test_one_odd_first_frame_is_not_rest(first: dict[str, float]) -> None:
    expressions = performed([seen(**first), *(seen() for _ in range(30))])
    assert len(expressions) == 31 and all(e.face is not None for e in expressions)
    assert offset(expressions[-1]) < 0.02
    for expression in expressions[-5:]:
        assert expression.face is not None
        assert np.abs(expression.face.head.turn).max() < 0.02
        assert expression.face.eye_opening == pytest.approx([1.0, 1.0], abs=0.1)


def test_every_frame_keeps_its_own_turn() -> None:
    """Looking ahead changes no order, no id and no time, and leaves out nothing."""
    trackings = [None, None, *(seen(shift=0.02 * n) for n in range(20)), None, seen()]
    expressions = performed(trackings)
    assert [e.frame_id for e in expressions] == list(range(24))
    assert [e.captured_ns for e in expressions] == sorted(e.captured_ns for e in expressions)
    assert [e.face is not None for e in expressions] == [t is not None for t in trackings]
    x = [e.face.head.shift[0] for e in expressions[2:22] if e.face is not None]
    assert np.all(np.diff(x) > 0), "the smoothed moves still rise"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_short_recording_rests_in_what_there_is(n: int) -> None:
    assert [offset(e) for e in performed([seen()] * n)] == pytest.approx([0.0] * n, abs=0.01)


def test_a_recording_that_begins_at_rest_is_measured_from_there() -> None:
    """Who leans away at once rests where they began, not in the middle of the way."""
    trackings = [seen(n, shift=0.05 * n) for n in range(SETTLE_FRAMES)]
    resting = first_rest(trackings)
    assert resting[0] is trackings[0] and len(resting) <= 2


def test_the_tracker_s_tremble_is_taken_out() -> None:
    random = np.random.default_rng(0)
    trackings = [seen(n, yaw=0.01 * random.normal(), shift=0.01 * random.normal()) for n in range(12)]
    assert len(first_rest(trackings)) >= 6


def test_rest_that_comes_late_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    speaking = [seen(jawOpen=0.6) for _ in range(20)]
    expressions = performed([*speaking, *(seen() for _ in range(20))])
    assert offset(expressions[-1]) < 0.02 and offset(expressions[10]) > 0.1
    assert not caplog.records


@pytest.mark.parametrize(
    ("shapes", "words"),
    [({"jawOpen": 0.8}, "mouth open"), (BLINK, "eyes shut"), ({"yaw": 1.0}, "turned away")],
)
def test_no_rest_at_all_is_told_once(
    shapes: dict[str, float], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    expressions = performed([seen(**shapes) for _ in range(60)])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert words in caplog.text
    assert all(e.face is not None for e in expressions) and offset(expressions[-1]) < 0.05


def test_a_live_driver_gets_the_same_care(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is shown until rest is known; a blink among the first frames is no rest."""
    rest = Rest()
    given = [rest.express(seen(n, **(BLINK if n < 5 else {}))) for n in range(SETTLE_FRAMES)]
    assert all(e.face is None for e in given[:-1])
    assert given[-1].face is not None and given[-1].face.eye_opening == pytest.approx([1.0, 1.0], abs=0.1)
    waiting = Rest()
    shown = [waiting.express(seen(n, jawOpen=0.8)).face is not None for n in range(60)]
    assert 2 * SETTLE_FRAMES < shown.index(True) < 3 * SETTLE_FRAMES
    assert len(caplog.records) == 1


def test_who_lies_still_rests(caplog: pytest.LogCaptureFixture) -> None:
    assert unrest_told([seen(roll=np.pi / 2)]) is None
    assert max(offset(e) for e in performed([seen(roll=np.pi / 2)] * 15)) < 0.01
    assert not caplog.records


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_still_picture_of_a_face_that_lies_moves_nothing(turns: int, tmp_path: Path) -> None:
    """The real tracker: the first frame, where the detector's box is rough, is no grimace either."""
    upright = hopper_rgb()[:600, :512]
    path = tmp_path / "lying.mp4"
    with av.open(str(path), "w") as container:
        rgb = np.ascontiguousarray(np.rot90(upright, turns))
        stream = container.add_stream("libx264", rate=10, options={"crf": "15"})
        stream.width, stream.height, stream.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
        for _ in range(15):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    with CameraDriver(open_source(path)) as driver:
        expressions = list(iter(driver.read, None))
    assert len(expressions) == 15
    for expression in expressions:
        assert expression.face is not None
        assert offset(expression) < 0.06
        assert np.abs(expression.face.head.turn).max() < 0.08
        assert expression.face.eye_opening == pytest.approx([1.0, 1.0], abs=0.3)


@pytest.mark.parametrize(
    ("fps", "n"), [(None, 12), (15.0, 12), (29.97, 12), (30.0, 12), (60.0, 24), (9e4, 48)]
)
def test_rest_is_never_taken_within_a_blink(fps: float | None, n: int) -> None:
    assert settle_frames_at(fps) == n


def test_eyes_have_gone_farther_than_the_tracker_reports() -> None:
    still, aside = seen(0), seen(1)
    assert aside.face is not None
    for eye in EYES:
        width = np.linalg.norm(np.subtract(*aside.face.landmarks_px[[eye.outer, eye.inner], :2]))
        aside.face.landmarks_px[eye.iris_centre, 0] += np.float32(0.1 * width)
    rest = Rest(settle_frames=1)
    rest.look(still)
    gaze = rest.express(aside).face.gaze
    np.testing.assert_allclose(gaze[:, 0], 0.1 / IRIS_REPORTED, rtol=0.01)


def test_a_rest_that_is_led_after_a_lean_keeps_its_gaze() -> None:
    """Where the irises rest is worked out once, for it does not change with the head's place."""
    rest = Rest(settle_frames=1, recentre_s=0.2)
    rest.express(seen())
    leant = [rest.express(seen(n, shift=1.5)).face for n in range(1, 61)]
    first, last = leant[0], leant[-1]
    assert first is not None and last is not None
    assert first.head.shift[0] > 1.0 and abs(last.head.shift[0]) < 0.01
    assert np.abs(first.gaze).max() < 1e-4 and np.abs(last.gaze).max() < 1e-4


def test_a_face_with_something_before_it_is_no_rest() -> None:
    rest = Rest()
    for n in range(20):
        covered = replace(seen(n, mouthPucker=1.0), hidden=frozenset({Part.MOUTH}))
        assert rest.express(covered).face is None
    for n in range(20, 20 + SETTLE_FRAMES):
        expression = rest.express(seen(n))
    assert expression.face is not None and isinstance(expression.face.deformation, LandmarkOffsets)
    assert np.abs(expression.face.deformation.offsets).max() < 1e-3
