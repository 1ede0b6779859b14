"""Several drivers by priority: who drives, and how the puppet gets from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from fakes import PATIENCE_S

from facepuppet.core.errors import DriverError
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import N_BLENDSHAPES, Expression, HeadPose
from facepuppet.drivers.base import Driver
from facepuppet.drivers.first_of import BACK_NS, LOST_NS, FirstOf
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes
from facepuppet.retarget import Retargeter
from facepuppet.testing import FakeClock

PHONE, CAMERA = 0, 1


class Told(Driver):
    """Gives what the test tells it to."""

    def __init__(self, name: str) -> None:
        self.description = name
        self.slot: LatestSlot[Expression | DriverError] = LatestSlot()

    def read(self) -> Expression | None:
        told = self.slot.take()
        if isinstance(told, DriverError):
            raise told
        return told

    def close(self) -> None:
        self.slot.close()


def expression(jaw: float | None, t_ns: int) -> Expression:
    if jaw is None:
        return Expression.absent(0, t_ns)
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = jaw
    return Expression(face_of_blendshapes(weights, HeadPose(np.zeros(3, np.float32))), None, 0, t_ns)


class Stage:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.told = [Told("a phone"), Told("a camera")]
        self.driver = FirstOf(self.told)
        self.driver.start(self.clock)

    def tell(self, who: int, jaw: float | None = 0.5) -> None:
        """Tell a driver's expression, and wait until it is known."""
        seat = self.driver._seats[who]
        seat.newest = None
        self.told[who].slot.put(expression(jaw, self.clock.now_ns()))
        with self.driver._changed:
            assert self.driver._changed.wait_for(lambda: seat.newest is not None, PATIENCE_S)

    def shown(self) -> Expression:
        read = self.driver.read()
        assert read is not None
        return read


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.driver.close()


def test_the_first_that_sees_a_face_drives(stage: Stage) -> None:
    stage.tell(CAMERA)
    assert stage.shown().whose == CAMERA


def test_the_phone_comes_first_once_it_is_there_for_good(stage: Stage) -> None:
    stage.tell(CAMERA)
    assert stage.shown().whose == CAMERA
    stage.tell(PHONE)
    stage.tell(CAMERA)
    assert stage.shown().whose == CAMERA
    for _ in range(3):
        stage.clock.advance_s(BACK_NS * 0.4e-9)
        stage.tell(PHONE)
        stage.tell(CAMERA)
        last = stage.shown()
    assert last.whose == PHONE


def test_a_phone_that_sees_nobody_hands_over(stage: Stage) -> None:
    stage.tell(PHONE)
    assert stage.shown().whose == PHONE
    stage.clock.advance_s(LOST_NS * 0.5e-9)
    stage.tell(PHONE, None)
    stage.tell(CAMERA)
    assert stage.shown().whose == PHONE
    stage.clock.advance_s(LOST_NS * 0.6e-9)
    stage.tell(CAMERA)
    assert stage.shown().whose == CAMERA


def test_a_tracker_that_falls_silent_without_a_face_hands_over(stage: Stage) -> None:
    stage.tell(PHONE)
    assert stage.shown().whose == PHONE
    stage.clock.advance_s(LOST_NS * 0.9e-9)
    stage.tell(CAMERA)
    assert stage.driver._choose() is stage.driver._seats[PHONE]
    stage.clock.advance_s(LOST_NS * 0.2e-9)
    stage.tell(CAMERA)
    assert stage.shown().whose == CAMERA


def test_with_nobody_anywhere_nobody_is_shown(stage: Stage) -> None:
    stage.tell(PHONE)
    stage.shown()
    stage.clock.advance_s(2.0)
    stage.tell(PHONE, None)
    assert stage.shown().face is None


def test_a_driver_that_fails_leaves_it_to_the_others(stage: Stage) -> None:
    stage.tell(PHONE)
    stage.shown()
    stage.told[PHONE].slot.put(DriverError("a phone gone", "one", "Charge it."))
    stage.driver._seats[PHONE].thread.join(PATIENCE_S)  # type: ignore[union-attr]
    stage.tell(CAMERA, 0.3)
    assert stage.shown().whose == CAMERA


def test_the_last_one_that_fails_is_told(stage: Stage) -> None:
    for told in stage.told:
        told.slot.put(DriverError(f"{told.description} gone", "one", "Charge it."))
    with pytest.raises(DriverError, match="gone"):
        stage.driver.read()


def test_all_at_their_end_is_the_end(stage: Stage) -> None:
    for told in stage.told:
        told.slot.close()
    assert stage.driver.read() is None


def test_a_hand_over_never_jumps() -> None:
    retargeter, step_ns = Retargeter(hopper()), 33_333_333
    gaps = []
    for n in range(60):
        jaw, whose = (0.0, CAMERA) if n < 30 else (0.9, PHONE)
        told = replace(expression(jaw, n * step_ns), whose=whose)
        gaps.append(retargeter.update(told).mouth_opening)
    steps = np.abs(np.diff(gaps))
    assert max(gaps) - min(gaps) > 0.1
    assert steps.max() < 0.25 * (max(gaps) - min(gaps))
