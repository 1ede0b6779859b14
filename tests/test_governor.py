"""Cadence goes before quality: down soon, up late, never to and fro."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.session.governor import (
    LOOK_S,
    MOST_PATIENCE_S,
    PATIENCE_S,
    PROVEN_S,
    Governor,
    Load,
    Why,
)
from facepuppet.session.ladder import LADDER

LAST = len(LADDER) - 1
CALM, FULL, DROPPING = Load(0.3, 15, 15), Load(1.0, 15, 9), Load(0.7, 15, 11)
# The share of their time that a run on some machine is busy, at each step of the ladder.
COSTS = (1.0, 0.75, 0.6, 0.5)


class Run:
    """A governor on a machine whose load, by time and step, somebody made up."""

    def __init__(self, load: Callable[[float, int], Load], governor: Governor | None = None) -> None:
        self.governor = governor or Governor()
        self._load = load
        self.now_s = 0.0
        self.changes: list[tuple[float, int, Why]] = []

    def for_s(self, seconds: float) -> Run:
        for _ in range(round(seconds / LOOK_S)):
            self.now_s += LOOK_S
            why = self.governor.look(
                self._load(self.now_s, self.governor.at), 5_000_000_000 + round(self.now_s * 1e9)
            )
            if why is not None:
                self.changes.append((self.now_s, self.governor.at, why))
        return self


def machine(speed: float) -> Callable[[float, int], Load]:
    """A machine that needs `speed` times its whole time for the best quality."""

    def load(_: float, at: int) -> Load:
        needed = speed * COSTS[at]
        return Load(min(needed, 1.0), 15, round(15 / max(needed, 1.0)))

    return load


@pytest.mark.parametrize("bad", [FULL, DROPPING], ids=["full", "dropping"])
def test_steady_overload_reaches_the_last_step_within_six_seconds(bad: Load) -> None:
    run = Run(lambda t, at: bad).for_s(6)
    assert [at for _, at, _ in run.changes] == [1, 2, 3]
    assert {why for *_, why in run.changes} == {Why.LATE}
    assert not run.governor.overwhelmed
    assert run.for_s(2).governor.overwhelmed and run.governor.at == LAST


def test_after_the_load_it_is_best_again() -> None:
    run = Run(lambda t, at: FULL if t < 10 else CALM).for_s(10 + 3 * PATIENCE_S + 2)
    assert run.governor.at == 0 and not run.governor.overwhelmed
    assert [why for *_, why in run.changes] == [Why.LATE] * 3 + [Why.ROOM] * 3


@pytest.mark.parametrize("at_s", [3.0, 3.5])
def test_a_hiccup_changes_nothing(at_s: float) -> None:
    """A second in which nothing moved: a call that opens, a disk that wakes."""
    assert Run(lambda t, at: FULL if at_s <= t < at_s + 1.0 else CALM).for_s(60).changes == []


def test_the_first_pictures_do_not_count() -> None:
    assert Run(lambda t, at: FULL if t < 2 else CALM).for_s(60).changes == []


@pytest.mark.parametrize(
    "load",
    [Load(0.1, 15, 5), Load(0.89, 15, 15), Load(0.7, 15, 14), Load(0.0, 0, 0)],
    ids=["a slow tracker", "busy and in time", "one on its way", "nobody there"],
)
def test_what_a_lower_quality_would_not_mend_costs_none(load: Load) -> None:
    assert Run(lambda t, at: load).for_s(60).changes == []


@pytest.mark.parametrize(("speed", "at"), [(0.5, 0), (1.1, 1), (1.4, 2), (1.7, 3), (3.0, 3)])
def test_each_machine_finds_its_step_and_stays(speed: float, at: int) -> None:
    run = Run(machine(speed)).for_s(10)
    assert run.governor.at == at
    before = len(run.changes)
    assert len(run.for_s(600).changes) == before  # no room: not even tried


def test_a_step_up_that_fails_is_tried_ever_more_rarely() -> None:
    """The worst machine: at each step there seems to be room, and the one above is too much."""
    run = Run(lambda t, at: FULL if at == 0 else CALM).for_s(1800)
    ups = [t for t, _, why in run.changes if why is Why.ROOM]
    gaps = [b - a for a, b in pairwise(ups)]
    assert gaps[0] < 3 * PATIENCE_S
    assert all(b >= a for a, b in pairwise(gaps[:4])) and min(gaps[4:]) >= MOST_PATIENCE_S
    assert len(ups) <= 5 + 1800 / MOST_PATIENCE_S


def test_patience_is_restored_by_a_step_up_that_lasts() -> None:
    run = Run(lambda t, at: FULL if (at == 0 and t < 300) else CALM).for_s(300 + MOST_PATIENCE_S + PROVEN_S)
    assert run.governor.at == 0
    run._load = lambda t, at: FULL if t < run_until else CALM
    run_until = run.now_s + 2.5
    assert run.for_s(2.5 + PATIENCE_S + 1).governor.at == 0


@pytest.mark.thorough
@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 15)), min_size=40, max_size=400))
def test_whatever_comes_it_never_flaps(looks: list[tuple[float, int]]) -> None:
    """One step at a time; a step up comes no sooner than its patience after any other change."""
    loads = iter([Load(busy, 15.0, made) for busy, made in looks])
    run = Run(lambda t, at: next(loads)).for_s(len(looks) * LOOK_S)
    steps = [(0.0, 0, Why.LATE), *run.changes]
    for (t0, at0, _), (t1, at1, why) in pairwise(steps):
        assert abs(at1 - at0) == 1 and 0 <= at1 <= LAST
        assert (at1 > at0) == (why is Why.LATE)
        assert t1 - t0 >= (1.5 if why is Why.LATE else PATIENCE_S)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=400), st.booleans())
def test_calm_always_leads_back_to_the_best(looks: list[bool], on_battery: bool) -> None:
    past = iter([FULL if bad else CALM for bad in looks])
    governor = Governor(on_battery)
    run = Run(lambda t, at: next(past, CALM), governor).for_s(len(looks) * LOOK_S)
    run.for_s(MOST_PATIENCE_S + PROVEN_S + 3 * PATIENCE_S)
    assert governor.at == int(on_battery)


def test_a_battery_costs_one_step_and_mains_give_it_back() -> None:
    governor = Governor()
    assert governor.power(True) is Why.BATTERY and governor.at == 1
    assert governor.power(True) is None
    run = Run(lambda t, at: CALM, governor).for_s(60)
    assert run.changes == []
    assert governor.power(False) is None
    assert run.for_s(PATIENCE_S + 2).governor.at == 0


def test_it_goes_on_from_what_somebody_chose() -> None:
    governor = Governor()
    governor.put(2)
    assert Run(lambda t, at: CALM, governor).for_s(30).changes[0][1:] == (1, Why.ROOM)
