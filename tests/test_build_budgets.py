"""Budgets of the live loop, judged over figures that were made up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from build_budgets import BUDGETS, FPS_TOLERANCE, MEMORY_MB, Budget, Round, Sample, overruns, ratios
from compare_builds import summary

OLD = Sample(cpu_ms=40.0, fps=30.0, median_ms=20.0, p95_ms=40.0, rss_mb=500.0)
NEW = Sample(cpu_ms=20.0, fps=30.0, median_ms=10.0, p95_ms=20.0, rss_mb=300.0, wakeups=30.0)
BUDGET = {"512x512": Budget(fps=30.0, cpu=0.55, median=0.7, p95=0.6)}
FRUGAL_MB = {"512x512": MEMORY_MB}


def rounds(*new: Sample) -> dict[str, list[Round]]:
    return {"512x512": [Round(OLD, one) for one in new]}


def test_a_frugal_build_keeps_every_budget() -> None:
    measured = {size: [Round(OLD, NEW)] * 5 for size in BUDGETS}
    assert overruns(measured, dict.fromkeys(BUDGETS, MEMORY_MB)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cpu_ms": 24.2}, "CPU a frame, 0.605 of the old build's, budget 0.550: 10.0% over"),
        ({"median_ms": 15.4}, "capture to sink, median, 0.770 of the old build's, budget 0.700: 10.0% over"),
        ({"p95_ms": 26.4}, "capture to sink, p95, 0.660 of the old build's, budget 0.600: 10.0% over"),
        ({"fps": 27.0}, "27.00 new frames a second, budget 30 less 1%: 10.0% are missing"),
    ],
)
def test_each_overrun_is_told_with_its_size(change: dict[str, float], told: str) -> None:
    assert overruns(rounds(replace(NEW, **change)), FRUGAL_MB, BUDGET) == [f"512x512: {told}"]


def test_memory_is_judged_as_it_is() -> None:
    told = overruns(rounds(NEW), {"512x512": 1.1 * MEMORY_MB}, BUDGET)
    assert told == ["512x512: memory 495 MB after 60 s, budget 450 MB: 10.0% over"]


def test_what_a_budget_does_not_name_is_free() -> None:
    slow = replace(NEW, median_ms=90.0, p95_ms=90.0)
    assert overruns(rounds(slow), FRUGAL_MB, {"512x512": Budget(fps=30.0, cpu=0.6)}) == []


def test_at_the_bound_a_budget_is_kept() -> None:
    just = Sample(cpu_ms=22.0, fps=30.0 * (1 - FPS_TOLERANCE), median_ms=14.0, p95_ms=24.0, rss_mb=300.0)
    assert overruns(rounds(just), FRUGAL_MB, BUDGET) == []


def test_ratios_are_taken_round_by_round_before_their_median() -> None:
    """A machine that is busy in two rounds slows both builds; the medians of each alone would say 0.75."""
    busy = Round(replace(OLD, cpu_ms=80.0), replace(NEW, cpu_ms=40.0))
    lucky = Round(replace(OLD, cpu_ms=40.0), replace(NEW, cpu_ms=30.0))
    measured = [Round(OLD, NEW), busy, busy, lucky, lucky]
    assert ratios(measured, "cpu_ms") == [0.5, 0.5, 0.5, 0.75, 0.75]
    assert overruns({"512x512": measured}, FRUGAL_MB, BUDGET) == []


def test_one_bad_round_of_five_is_no_overrun_and_three_are() -> None:
    slow = replace(NEW, cpu_ms=39.0, fps=20.0)
    assert overruns(rounds(NEW, NEW, slow, NEW, NEW), FRUGAL_MB, BUDGET) == []
    assert len(overruns(rounds(slow, NEW, slow, slow, NEW), FRUGAL_MB, BUDGET)) == 2


def test_what_was_not_measured_is_not_kept() -> None:
    for measured, memory_mb in (({}, FRUGAL_MB), ({"512x512": []}, FRUGAL_MB), (rounds(NEW), {})):
        assert overruns(measured, memory_mb, BUDGET) == ["512x512: not measured"]
    nothing = replace(NEW, cpu_ms=math.nan, fps=math.nan)
    assert len(overruns(rounds(nothing), {"512x512": math.nan}, BUDGET)) == 3


def test_the_summary_tells_both_builds_and_every_ratio() -> None:
    told = summary(rounds(NEW, replace(NEW, cpu_ms=30.0), NEW))
    assert "old: 40.00 ms of CPU a frame" in told and "new: 20.00 ms of CPU a frame" in told
    assert told.count("woken 30.0 times") == 1, "the old build does not tell"
    assert "CPU a frame, new over old: 0.500 (rounds: [0.5  0.75 0.5 ])" in told
    assert "p95, new over old: 0.500" in told
