"""Long runs, watched from outside: what is seen of a real one, and what would be held against it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from green_room import write_clip
from long_run import default_words, observe
from run_samples import Sample, missed_bars, table, write

GOOD = Sample(
    time_s=0.0,
    seconds=1.0,
    rss_mb=340.0,
    handles=5,
    threads=12,
    cpu=0.45,
    frames=30,
    new=30,
    interval_p95_ms=37.0,
    interval_max_ms=41.0,
    dropped=2,
    latency_p95_ms=22.0,
)


def hour(wrong: Callable[[int], dict[str, float]] = lambda i: {}) -> list[Sample]:
    """An hour, a sample a minute, with what is wrong in each."""
    return [replace(GOOD, time_s=60.0 * i, **wrong(i)) for i in range(1, 61)]


def test_a_good_hour_misses_nothing() -> None:
    assert missed_bars(hour(), 30.0, 3600.0) == []


def test_a_run_may_warm_up() -> None:
    assert missed_bars(hour(lambda i: {"rss_mb": 200.0} if i < 1 else {}), 30.0, 3600.0) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda i: {"rss_mb": 340.0 + 0.5 * i}, "memory: 343 MB at first, 367 MB in the end"),
        (lambda i: {"handles": 5 + i // 20}, "handles: 5 at first"),
        (lambda i: {"threads": 12 + i // 20}, "threads: 12 at first"),
        (lambda i: {"frames": 29}, "cadence: 29.0 frames a second of 30"),
        (lambda i: {"interval_p95_ms": 51.0}, "intervals: 95 % take up to 51 ms"),
    ],
    ids=["memory", "handles", "threads", "cadence", "intervals"],
)
def test_what_is_wrong_with_an_hour_is_told(wrong: Callable[[int], dict[str, float]], told: str) -> None:
    (line,) = missed_bars(hour(wrong), 30.0, 3600.0)
    assert line.startswith(told)


def test_a_run_that_ended_early_is_none() -> None:
    assert missed_bars(hour()[:40], 30.0, 3600.0) == ["it ended after 2400 s of 3600"]
    assert missed_bars([], 30.0, 3600.0) == ["it ended after 0 s of 3600"]


def run(folder: Path, seconds: float) -> list[Sample]:
    clip = write_clip(folder / "driver.mkv")
    samples = observe(seconds, default_words(clip, folder), folder)
    assert "Traceback" not in (folder / "stderr.txt").read_text()
    return samples


@pytest.mark.thorough  # starts the whole program to look at it; test_start does so in the default run
def test_a_few_seconds_are_seen_as_they_are(tmp_path: Path) -> None:
    samples = run(tmp_path, 2.6)
    assert 1 <= len(samples) <= 3
    for sample in samples:
        assert sample.rss_mb > 50 and sample.handles > 2 and sample.threads > 3
        assert 0 < sample.cpu < 4
        assert sample.frames > 0 and sample.new > 0, "the puppet moves"
    assert samples[-1].time_s == pytest.approx(sum(s.seconds for s in samples), abs=0.1)
    write(samples, ["something"], tmp_path)
    with (tmp_path / "samples.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(samples)
    assert json.loads((tmp_path / "summary.json").read_text())["missed"] == ["something"]
    assert len(table(samples).splitlines()) == len(samples) + 1


@pytest.mark.slow
def test_memory_handles_and_threads_are_flat_over_a_minute(tmp_path: Path) -> None:
    """The short form of an hour; what a busy machine does to the cadence is no fault of the program's."""
    missed = missed_bars(run(tmp_path, 75.0), 30.0, 75.0)
    assert [line for line in missed if not line.startswith(("cadence", "intervals"))] == []
