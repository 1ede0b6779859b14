"""What nobody foresaw begins a stage again, a few times a minute; what was foreseen ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from fakes import FakeClock, ListDriver, MemorySink, picture, wait_until

from facepuppet.core import tolerance
from facepuppet.core.errors import CameraMissingError
from facepuppet.core.slot import LatestSlot
from facepuppet.core.tolerance import PAUSES_S, WITHIN_S, Tolerance
from facepuppet.core.types import Composed
from facepuppet.drivers.recorded import RecordingDriver
from facepuppet.session.safe_card import SafeCard
from facepuppet.session.supervised import Stage, Supervised
from facepuppet.watermark import Marked, Marker


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance, "PAUSES_S", (0.0, 0.0, 0.0))


class Work:
    """A stage's work that raises one thing after another, and then is done."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.begun = list(errors), 0

    def __call__(self) -> None:
        self.begun += 1
        if self.errors:
            raise self.errors.pop(0)


def supervised(
    body: Callable[[], None], *, shows: bool = True, stopping: threading.Event | None = None
) -> tuple[Supervised, LatestSlot[int]]:
    out: LatestSlot[int] = LatestSlot()
    stages = Supervised([Stage("work", body, out, shows)], FakeClock(), stopping or threading.Event())
    stages.start()
    return stages, out


def test_failures_are_borne_three_times_a_minute() -> None:
    clock = FakeClock()
    bears = Tolerance(clock)
    assert [bears.pause_s() for _ in range(4)] == [*PAUSES_S, None]
    assert PAUSES_S[0] == 0.0 and list(PAUSES_S) == sorted(PAUSES_S)
    clock.advance_s(WITHIN_S + 1.0)
    assert bears.pause_s() == PAUSES_S[0]


def test_one_failure_every_half_minute_is_borne_for_ever() -> None:
    clock = FakeClock()
    bears = Tolerance(clock)
    for _ in range(50):
        assert bears.pause_s() is not None
        clock.advance_s(30.0)


@pytest.mark.usefixtures("no_pauses")
def test_a_stage_is_begun_again_and_that_is_told() -> None:
    work = Work(ValueError("first\n  thing"), MemoryError())
    stages, out = supervised(work)
    wait_until(lambda: out.closed)
    stages.join()
    assert work.begun == 3 and stages.failure is None
    assert stages.restarts == [
        "Stage work met an unexpected ValueError (first thing) and was begun again.",
        "Stage work met an unexpected MemoryError () and was begun again.",
    ]


@pytest.mark.usefixtures("no_pauses")
def test_a_stage_that_fails_too_often_ends() -> None:
    errors = [ValueError(str(number)) for number in range(9)]
    work = Work(*errors)
    stages, out = supervised(work)
    wait_until(lambda: out.closed)
    assert work.begun == 4 and stages.failure == ("work", errors[3])


def test_what_was_foreseen_ends_it_at_once() -> None:
    gone = CameraMissingError("a camera", "b", "Plug it in.")
    work = Work(gone)
    stages, out = supervised(work)
    wait_until(lambda: out.closed)
    assert work.begun == 1 and stages.failure == ("work", gone) and not stages.restarts


@pytest.mark.parametrize("shows", [True, False])
def test_something_stands_in_while_a_stage_that_shows_pauses(
    monkeypatch: pytest.MonkeyPatch, shows: bool
) -> None:
    monkeypatch.setattr(tolerance, "PAUSES_S", (0.0, 60.0))
    stopping = threading.Event()
    stages, out = supervised(Work(ValueError(), ValueError()), shows=shows, stopping=stopping)
    wait_until(lambda: len(stages.restarts) == 2)
    wait_until(lambda: stages.paused == shows)
    stages.shown()
    assert not stages.paused
    stopping.set()  # ends the pause
    wait_until(lambda: out.closed)


def test_a_recorded_driver_recovers_as_the_one_behind_it_does() -> None:
    class Behind(ListDriver):
        recovered = 0

        def recover(self) -> None:
            self.recovered += 1

    behind = Behind([])
    RecordingDriver(behind, writer=None).recover()  # type: ignore[arg-type]
    assert behind.recovered == 1


def test_a_card_that_cannot_be_marked_goes_out_as_it_last_was() -> None:
    class Starved(Marker):
        starved = False

        def mark(self, composed: Composed) -> Marked:
            if self.starved:
                raise MemoryError
            return super().mark(composed)

    marker = Starved(size_px=(160, 128))
    card = SafeCard(picture(), marker)
    marker.starved = True
    with pytest.raises(MemoryError):
        card.at(0)
    marker.starved = False
    before = card.at(0)
    marker.starved = True
    assert card.at(33_333_333) is before
    sink = MemorySink()
    sink.send(before)
    assert np.array_equal(sink.frames[0].rgb, before.rgb)
