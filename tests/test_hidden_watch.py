from __future__ import annotations

import numpy as np
import pytest

from facepuppet.core.types import F32, NO_PARTS, Part, Parts
from facepuppet.drivers.camera.face_colours import FaceColours
from facepuppet.drivers.camera.hidden_watch import FIRST_NS, LOST_NS, STAYS_NS, HiddenWatch
from facepuppet.drivers.camera.own_colours import PARTS, points_of
from facepuppet.testing import FakeClock

FRAME_S = 1 / 30
SURE, DOUBTFUL = 28.0, 18.0  # log odds


class Person:
    """A face before a camera, point by point, and who watches it."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.own = self.rng.normal(4.0, 0.3, (468, 3)).astype(np.float32)
        self.clock, self.watch = FakeClock(), HiddenWatch()
        self.before: F32 | None = None  # (468,) how much of each point something covers
        self.light = np.zeros(3, np.float32)
        self.turn_rad = 0.0
        self.presence: float | None = SURE

    def cover(self, *parts: Part, by: float = 1.0) -> None:
        """Put something of another colour before parts."""
        shares = np.array([by if part in parts else 0.0 for part in PARTS], np.float32)
        self.before = points_of(shares, 0.0) if parts else None

    def wait(self, seconds: float) -> list[Parts]:
        """Let time pass; what is hidden in each frame."""
        return [self._frame() for _ in range(round(seconds / FRAME_S))]

    def _frame(self) -> Parts:
        self.clock.advance_s(FRAME_S)
        values = self.own + self.light + self.rng.normal(0.0, 0.02, (468, 3)).astype(np.float32)
        if self.before is not None:
            values += self.before[:, None] * np.array([0.3, 0.4, -0.3], np.float32)
        colours = FaceColours(values, np.ones(468, np.float32), self.turn_rad)
        return self.watch.judge(colours, self.presence, self.clock.now_ns())


@pytest.fixture
def person() -> Person:
    person = Person()
    assert not any(person.wait(3.0))
    return person


@pytest.mark.parametrize("part", Part)
def test_each_part_is_missed_within_two_frames_and_found_again_soon(person: Person, part: Part) -> None:
    person.cover(part)
    told = person.wait(1.0)
    assert told[1] == told[-1] == {part}
    person.cover()
    told = person.wait(0.5)
    assert told[0] == {part} and not any(told[5:])


def test_two_things_are_two_parts(person: Person) -> None:
    person.cover(Part.LEFT_EYE, Part.LOWER_FACE)
    assert person.wait(0.2)[-1] == {Part.LEFT_EYE, Part.LOWER_FACE}


def test_light_that_changes_hides_nothing(person: Person) -> None:
    for light in ([0.5, 0.0, 0.0], [-0.5, 0.1, -0.2], [0.0, 0.0, 0.0]):
        person.light = np.array(light, np.float32)
        assert not any(person.wait(0.5))


def test_a_face_that_changes_slowly_is_learnt(person: Person) -> None:
    for _ in range(80):
        person.own[points_of(np.float32([1, 0, 0, 0, 0]), 0.0) > 0] += np.float32([0.004, 0.002, -0.002])
        assert not any(person.wait(0.1))


def test_of_a_faint_difference_the_networks_doubt_decides(person: Person) -> None:
    person.cover(Part.MOUTH, by=0.17)
    assert not any(person.wait(0.1))
    person.presence = DOUBTFUL
    assert person.wait(0.1)[-1] == {Part.MOUTH}


def test_the_networks_doubt_alone_hides_nothing(person: Person) -> None:
    person.presence = DOUBTFUL
    assert not any(person.wait(1.0))


def test_a_network_that_tells_of_no_doubt_will_do() -> None:
    person = Person()
    person.presence = None
    person.wait(3.0)
    person.cover(Part.MOUTH)
    assert person.wait(0.2)[-1] == {Part.MOUTH}


def test_a_turned_head_may_look_a_little_unlike_itself(person: Person) -> None:
    person.turn_rad = 0.7
    person.cover(Part.MOUTH, by=0.23)
    assert not any(person.wait(0.07))
    person.turn_rad = 0.0
    assert person.wait(0.07)[-1] == {Part.MOUTH}


def test_what_stays_is_the_new_look_and_the_former_one_is_known_when_it_is_back(person: Person) -> None:
    person.cover(Part.MOUTH)
    told = person.wait(STAYS_NS * 1e-9 + 1.0)
    assert told[-45] == {Part.MOUTH} and not told[-1]
    person.wait(3.0)
    person.cover()
    assert sum(map(bool, person.wait(2.0))) <= 2


def test_who_begins_behind_a_hand_is_seen_soon_after_it_has_gone() -> None:
    person = Person()
    person.cover(Part.MOUTH, Part.LOWER_FACE)
    person.presence = DOUBTFUL
    person.wait(3.0)
    person.cover()
    person.presence = SURE
    told = person.wait(2.0)
    assert not any(told[15:])


def test_another_face_is_met_afresh(person: Person) -> None:
    person.own = np.random.default_rng(1).normal(4.0, 0.3, (468, 3)).astype(np.float32)
    told = person.wait(2.0)
    assert told[5] and not any(told[20:])


def test_after_a_long_absence_nothing_is_known(person: Person) -> None:
    person.clock.advance_s(LOST_NS * 1e-9 + 0.1)
    person.cover(Part.MOUTH)
    assert not any(person.wait(1.0))


def test_nothing_is_judged_in_the_first_moments() -> None:
    person = Person()
    person.wait(FIRST_NS * 1e-9 - 0.2)
    person.cover(Part.MOUTH)
    assert person.wait(0.1) == [NO_PARTS] * 3
