"""Who is shown next: the driver as soon as it comes, nobody when it does not, and time never runs back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeClock

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Expression
from facepuppet.drivers.scripted import Performance
from facepuppet.session.next_expression import STARVED_S, NextExpression


class Waited(LatestSlot[Expression]):
    """A slot on a fake clock: who waits in vain has waited."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock, self.waits_s = clock, list[float | None]()

    def take(self, timeout_s: float | None = None) -> Expression | None:
        self.waits_s.append(timeout_s)
        item = super().take(0.0)
        if item is None and not self.closed:
            self.clock.advance_s(timeout_s or 0.0)
        return item


def driven(t_ns: int) -> Expression:
    return replace(Performance().expression(1.0, 7), captured_ns=t_ns)


def test_without_a_driver_nobody_is_shown_at_the_outputs_rate() -> None:
    clock = FakeClock()
    slot = Waited(clock)
    coming = NextExpression(slot, 50.0, clock)
    shown = [coming.take() for _ in range(4)]
    assert slot.waits_s == [0.0, 0.02, 0.02, 0.02]
    times = [expression.captured_ns for expression in shown if expression is not None and not expression.face]
    assert [t - times[0] for t in times] == [0, 20_000_000, 40_000_000, 60_000_000]


def test_a_driver_is_waited_for_a_quarter_of_a_second_at_any_rate() -> None:
    for fps in (15.0, 60.0):
        clock = FakeClock()
        slot = Waited(clock)
        coming = NextExpression(slot, fps, clock)
        slot.put(driven(clock.now_ns()))
        first, missed = coming.take(), coming.take()
        assert first is not None and first.face is not None
        assert missed is not None and missed.face is None and missed.frame_id == first.frame_id
        assert slot.waits_s[1] == STARVED_S
        assert missed.captured_ns - first.captured_ns == round(STARVED_S * 1e9)


def test_a_late_frame_does_not_turn_time_back() -> None:
    clock = FakeClock()
    slot = Waited(clock)
    coming = NextExpression(slot, 10.0, clock)
    for _ in range(3):
        last = coming.take()
    slot.put(driven(clock.now_ns() - 150_000_000))
    late = coming.take()
    assert last is not None and late is not None and late.face is not None
    assert late.captured_ns == last.captured_ns


@pytest.mark.parametrize(
    ("driver_fps", "fps", "shown"),
    [
        (60, 30, 30),
        (30.2, 30, 30),
        *(
            pytest.param(*rates, marks=pytest.mark.thorough)
            for rates in ((120, 30, 30), (30, 30, 30), (24, 30, 24))
        ),
    ],
)
def test_a_driver_faster_than_the_output_is_passed_over(driver_fps: float, fps: float, shown: int) -> None:
    """Of ten seconds, with a camera's jitter: as many as the output shows, evenly."""
    clock, rng, n = FakeClock(0), np.random.default_rng(0), round(10 * driver_fps)
    slot: LatestSlot[Expression] = LatestSlot()
    coming = NextExpression(slot, fps, clock)
    times_ns = []
    for i in range(n):
        clock.advance_s((i + rng.uniform(0, 0.25)) / driver_fps - clock.now_ns() * 1e-9)
        slot.put(driven(clock.now_ns()))
        coming._patience_s = 0.0
        expression = coming.take()
        if expression is not None and expression.face is not None:
            times_ns.append(expression.captured_ns)
    assert len(times_ns) + coming.passed_over == n
    assert len(times_ns) == pytest.approx(10 * shown, rel=0.02)
    assert max(np.diff(times_ns)) < 1.6e9 / shown


@pytest.mark.parametrize("waiting", [True, False])
def test_it_ends_when_the_driver_has_ended_and_its_last_was_shown(waiting: bool) -> None:
    clock = FakeClock()
    slot = Waited(clock)
    if waiting:
        slot.put(driven(clock.now_ns()))
    slot.close()
    coming = NextExpression(slot, 30.0, clock)
    assert (coming.take() is not None) is waiting
    assert coming.take() is None
