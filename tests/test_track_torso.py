from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from threading import Event

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, canvas, hopper_rgb

from facepuppet.core.types import F32, U8, Frame
from facepuppet.drivers.camera.torso import (
    BLIND,
    LOOK_NS,
    MAX_AGE_NS,
    MOST_PATIENCE,
    OFFER_NS,
    RARER_NS,
    BesideTheLoop,
    NowAndThen,
    Pace,
)
from facepuppet.vision.body_flow import BodyFlow
from facepuppet.vision.pose import PoseModel
from facepuppet.vision.trackers import ShoulderFinder

AT = (640.0, 300.0)
SHOULDERS_PX = np.array([[470.0, 400.0], [820.0, 416.0]], np.float32)  # about those of `person`
S = 1_000_000_000


def person(shift_x: float = 0.0, shift_y: float = 0.0) -> U8:
    return canvas((hopper_rgb(), (AT[0] + shift_x, AT[1] + shift_y), 1.0, 0.0))


class Finder:
    """Stands for the pose network; notes its looks."""

    def __init__(self, where: Callable[[int], F32 | None]) -> None:
        self._where = where
        self.looks = 0

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        self.looks += 1
        shoulders_px = self._where(self.looks)
        return None if shoulders_px is None else (shoulders_px, 0.9)

    def close(self) -> None:
        pass


def where_they_are(look: int) -> F32:
    return SHOULDERS_PX


def test_shoulders_go_where_the_body_goes() -> None:
    flow = BodyFlow()
    flow.start(person(), SHOULDERS_PX)
    for shift in ((3.0, 0.0), (-12.0, 5.0), (40.0, -8.0)):
        followed = flow.follow(person(*shift))
        assert followed is not None and followed.dtype == np.float32
        np.testing.assert_allclose(followed, SHOULDERS_PX + np.float32(shift), atol=1.0)


def test_shoulders_of_the_same_picture_stay_exactly() -> None:
    flow = BodyFlow()
    flow.start(person(), SHOULDERS_PX)
    np.testing.assert_array_equal(flow.follow(person()), SHOULDERS_PX)


def test_an_arm_before_the_chest_does_not_carry_the_shoulders_along() -> None:
    flow = BodyFlow()
    rng = np.random.default_rng(1)
    sleeve = cv2.resize(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), (90, 90))
    before, after = person(), person()
    before[480:570, 500:590] = after[460:550, 530:620] = sleeve
    flow.start(before, SHOULDERS_PX)
    followed = flow.follow(after)
    assert followed is not None
    np.testing.assert_allclose(followed, SHOULDERS_PX, atol=1.0)


@pytest.mark.parametrize(
    "what", ["another picture", "another size", "nothing to see", "far away", "out of it"]
)
def test_what_cannot_be_followed_is_not(what: str) -> None:
    flow, first, shoulders_px = BodyFlow(), person(), SHOULDERS_PX
    second = first
    if what == "another picture":
        second = canvas((astronaut_rgb(), (500.0, 200.0), 3.0, 0.5))
    elif what == "another size":
        second = first[:600]
    elif what == "nothing to see":
        first = second = np.full_like(first, 90)
    elif what == "far away":
        shoulders_px = np.array([[600.0, 500.0], [612.0, 500.0]], np.float32)
    else:
        shoulders_px = SHOULDERS_PX + np.float32((0.0, 450.0))
    assert flow.follow(second) is None, "nothing was started"
    flow.start(first, shoulders_px)
    assert flow.follow(second) is None


def test_between_looks_the_torso_is_followed() -> None:
    finder = Finder(where_they_are)
    torsos = NowAndThen(lambda: finder)
    for i in range(9):  # less than a look's time
        shift = (2.0 * i, -1.0 * i)
        torso = torsos.find(Frame(person(*shift), i, round(i * S / 30)))
        assert torso is not None and torso.confidence == 0.9
        np.testing.assert_allclose(torso.shoulders_px, SHOULDERS_PX + np.float32(shift), atol=1.0)
    assert finder.looks == 1


def looks_of(rgb: Callable[[int], U8], where: Callable[[int], F32 | None], fps: int = 30) -> int:
    finder = Finder(where)
    torsos = NowAndThen(lambda: finder)
    for i in range(4 * fps):
        torsos.find(Frame(rgb(i), i, round(i * S / fps)))
    return finder.looks


def test_who_sits_still_is_looked_at_most_rarely_though_poses_tremble() -> None:
    still, flat = person(), np.full((720, 1280, 3), 90, np.uint8)
    swaying = [person(20.0 * np.sin(i / 6)) for i in range(120)]

    def trembling(look: int) -> F32:
        return SHOULDERS_PX + np.float32(5.0 * (-1) ** look)

    calm, moving = looks_of(lambda _: still, trembling), looks_of(lambda i: swaying[i], where_they_are)
    blind = looks_of(lambda _: flat, trembling)
    assert calm <= 7 < 12 <= moving <= 14 < 18 <= blind <= 24
    assert looks_of(lambda _: flat, lambda _: None) <= 9, "nobody"


def test_a_still_picture_has_still_shoulders() -> None:
    still = person()
    torsos = NowAndThen(PoseModel)
    found = [torsos.find(Frame(still, i, round(i * S / 30))) for i in range(90)]
    settled = found[45:]  # the first looks find where to look
    first = settled[0]
    assert first is not None
    for torso in settled:
        assert torso is not None
        np.testing.assert_array_equal(torso.shoulders_px, first.shoulders_px)


def test_nobody_is_none_as_soon_as_a_look_tells_so() -> None:
    torsos = NowAndThen(lambda: Finder(lambda look: SHOULDERS_PX if look == 1 else None))
    assert torsos.find(Frame(person(), 0, 0)) is not None
    assert torsos.find(Frame(person(), 1, LOOK_NS)) is None
    assert torsos.find(Frame(person(), 2, LOOK_NS + S // 30)) is None


def test_calm_shoulders_are_looked_for_more_rarely_until_they_move() -> None:
    pace = Pace()
    paces = []
    for _ in range(12):
        pace.looked(calm=True)
        paces.append(pace.every_ns)
    assert paces[:3] == [LOOK_NS + RARER_NS, LOOK_NS + 2 * RARER_NS, LOOK_NS + 3 * RARER_NS]
    assert paces[-1] == MOST_PATIENCE * LOOK_NS
    pace.looked(calm=False)
    assert pace.every_ns == LOOK_NS


@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("fps", [15, 25, 30, 60])
def test_a_faster_camera_costs_no_more_looks(fps: int, followed: bool) -> None:
    pace, rng = Pace(), np.random.default_rng(fps)
    times_ns = [round((i / fps + rng.uniform(0, 0.003)) * S) for i in range(10 * fps)]
    looks = [t_ns for t_ns in times_ns if pace.is_due(t_ns, followed=followed)]
    every_ns = LOOK_NS * (1.0 if followed else BLIND)
    assert all(every_ns <= b - a <= every_ns + S / fps + 3_000_000 for a, b in pairwise(looks))


class Waiting(Finder):
    """A pose network on a machine so slow that it does not answer until told."""

    def __init__(self) -> None:
        super().__init__(where_they_are)
        self.begun, self.go_on = Event(), Event()

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        self.begun.set()
        assert self.go_on.wait(10.0)
        return super().find(rgb)


def test_the_face_never_waits_for_slow_shoulders() -> None:
    finder = Waiting()
    open_model: Callable[[], ShoulderFinder] = lambda: finder  # noqa: E731
    beside, rgb = BesideTheLoop(open_model), person()
    try:
        assert beside.find(Frame(rgb, 0, S)) is None
        assert finder.begun.wait(10.0)
        times_ns = [S + i * OFFER_NS for i in range(1, 6)]
        assert [beside.find(Frame(rgb, i, t_ns)) for i, t_ns in enumerate(times_ns)] == [None] * 5
        finder.go_on.set()
        newest, deadline = None, time.monotonic() + 10.0
        while newest is None and time.monotonic() < deadline:
            newest = beside.find(Frame(rgb, 9, times_ns[-1] + 1))
        assert newest is not None
        assert beside.find(Frame(rgb, 10, times_ns[-1] + 2 * MAX_AGE_NS)) is None, "too old"
    finally:
        finder.go_on.set()
        beside.close()
    assert finder.looks <= 3, "of seven frames the late thread sees the newest"


@pytest.mark.parametrize(("fps", "every"), [(15, 1), (25, 1), (30, 1), (60, 2)])
def test_a_faster_camera_offers_no_more_frames(fps: int, every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, offered = BesideTheLoop(lambda: Finder(where_they_are)), []
    monkeypatch.setattr(beside._frames, "put", lambda frame: offered.append(frame.frame_id))
    try:
        for i in range(2 * fps):
            beside.find(Frame(np.zeros((0, 0, 3), np.uint8), i, round(i * S / fps)))
    finally:
        beside.close()
    assert offered == list(range(0, 2 * fps, every))
