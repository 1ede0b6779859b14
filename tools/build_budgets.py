"""What the live loop may cost, beside an older build; tools/compare_builds.py measures, this judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FIGURES = {
    "cpu": ("cpu_ms", "CPU a frame"),
    "median": ("median_ms", "capture to sink, median"),
    "p95": ("p95_ms", "capture to sink, p95"),
}

# A bench counts from the start of its loop. Of the 840 pictures of 28 s two or three are missing before the
# first one is out (0.06 to 0.1 s), at most one each of the three times that the clip is opened again (20 to
# 30 ms), and one that is under way at the end: under eight. More than that is a loop that does not keep up.
FPS_TOLERANCE = 0.01

MEMORY_MB = 450.0  # after a minute
MEMORY_S = 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What one size of portrait may cost; ratios are new over old, medians of all rounds.

    Attributes:
        fps: new frames a second that the new build has to reach, within FPS_TOLERANCE.
        cpu: ratio of CPU time a frame; None asks nothing.
        median: ratio of the median from capture to sink.
        p95: ratio of its 95th percentile.
    """

    fps: float
    cpu: float | None = None
    median: float | None = None
    p95: float | None = None


# Ratios are to commit 81f2669. The first frame of a call has a budget, too: tools/start_time.py measures and
# judges it.
BUDGETS = {
    "512x512": Budget(fps=30.0, cpu=0.55, median=0.7, p95=0.6),
    "1024x1024": Budget(fps=30.0, cpu=0.6),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One build with one size of portrait in one round.

    Attributes:
        cpu_ms: user and system time a frame.
        fps: new frames a second.
        median_ms: capture to sink.
        p95_ms: the same, 95th percentile.
        rss_mb: memory at the end, in MiB.
        wakeups: a frame; None from builds that do not tell.
    """

    cpu_ms: float
    fps: float
    median_ms: float
    p95_ms: float
    rss_mb: float
    wakeups: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """Two builds, one right after the other."""

    old: Sample
    new: Sample


def ratios(rounds: Sequence[Round], figure: str) -> list[float]:
    """Return new over old of a figure of Sample, round by round."""
    return [getattr(one.new, figure) / getattr(one.old, figure) for one in rounds]


def overruns(
    measured: Mapping[str, Sequence[Round]],
    memory_mb: Mapping[str, float],
    budgets: Mapping[str, Budget] = BUDGETS,
) -> list[str]:
    """Say which budgets are exceeded, and by how much; empty when all are kept.

    Args:
        measured: rounds by size of portrait.
        memory_mb: of the new build after MEMORY_S, by size of portrait.
        budgets: by size of portrait; what was not measured is not kept.
    """
    told = []
    for size, budget in budgets.items():
        if not measured.get(size) or size not in memory_mb:
            told.append(f"{size}: not measured")
            continue
        told += _of_ratios(size, measured[size], budget)
        fps = float(np.median([one.new.fps for one in measured[size]]))
        if not fps >= budget.fps * (1 - FPS_TOLERANCE):
            told.append(
                f"{size}: {fps:.2f} new frames a second, budget {budget.fps:g} less {FPS_TOLERANCE:.0%}: "
                f"{1 - fps / budget.fps:.1%} are missing"
            )
        if not memory_mb[size] <= MEMORY_MB:
            over = memory_mb[size] / MEMORY_MB - 1
            told.append(
                f"{size}: memory {memory_mb[size]:.0f} MB after {MEMORY_S:.0f} s, budget {MEMORY_MB:.0f} MB: "
                f"{over:.1%} over"
            )
    return told


def _of_ratios(size: str, rounds: Sequence[Round], budget: Budget) -> list[str]:
    told = []
    for name, (figure, words) in FIGURES.items():
        bound = getattr(budget, name)
        if bound is None:
            continue
        ratio = float(np.median(ratios(rounds, figure)))
        if not ratio <= bound:  # NaN is over every budget
            told.append(
                f"{size}: {words}, {ratio:.3f} of the old build's, budget {bound:.3f}: "
                f"{ratio / bound - 1:.1%} over"
            )
    return told
