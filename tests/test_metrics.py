"""Meters, percentiles and the JSON that programs read."""

from __future__ import annotations

import json
import threading

import pytest

from facepuppet.core.metrics import Meter, RunStats, Spread, rss_mb


def test_spread_is_in_milliseconds() -> None:
    spread = Spread.of([i / 1000 for i in range(1, 101)])
    assert spread is not None
    assert (spread.median_ms, spread.max_ms, spread.n) == (50.5, 100.0, 100)
    assert spread.p95_ms == pytest.approx(95.05)


def test_spread_of_nothing_is_none() -> None:
    assert Spread.of([]) is None


def test_meter_keeps_order_and_remembers_a_window() -> None:
    meter = Meter()
    for i in range(10_000):
        meter.record("track", 1.0 if i < 5000 else 0.002, 0.001)
    meter.record("render", 0.01, 0.004)
    spreads = meter.spreads()
    assert list(spreads) == ["track", "render"]
    assert spreads["track"].n == 10_000
    assert spreads["track"].max_ms == 2.0, "old samples are forgotten"
    assert (spreads["track"].cpu_ms, spreads["render"].cpu_ms) == (1.0, 4.0)


def test_meter_does_not_record_a_stage_that_raised() -> None:
    meter = Meter()
    with pytest.raises(RuntimeError), meter.time("render"):
        raise RuntimeError
    assert meter.spreads() == {}


def test_meter_is_safe_from_several_threads() -> None:
    meter = Meter()

    def work() -> None:
        for _ in range(2000):
            meter.record("track", 0.001, 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meter.spreads()["track"].n == 8000
    assert meter.spreads()["track"].cpu_ms == pytest.approx(1.0)


def test_run_stats_survive_json() -> None:
    spread = Spread(1.0, 2.0, 3.0, 4)
    stats = RunStats(1.0, 30, 29, 28, 27, 3, {"track": 1}, 27.0, 0.4, spread, {"track": spread}, rss_mb())
    told = json.loads(json.dumps(stats.to_json()))
    assert told["schema"] == 1
    assert told["stages"]["track"]["p95_ms"] == 2.0
    assert told["latency"]["n"] == 4
    assert told["rss_mb"] > 10
