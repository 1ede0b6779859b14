"""The cadence of a paced sink: at once, never too fast, repeated rather than stalled."""

from __future__ import annotations

from itertools import pairwise

import pytest
from fakes import FakeClock, MemorySink, ScheduledSlot, marked
from hypothesis import given, settings
from hypothesis import strategies as st

from facepuppet.core.clock import SystemClock
from facepuppet.core.slot import LatestSlot
from facepuppet.sinks import Pacer
from facepuppet.watermark import Marked

PERIOD_S = 1 / 30


def run(arrivals_s: list[float], end_s: float, fps: float = 30) -> tuple[Pacer, MemorySink, list[float]]:
    """Pace frames arriving at given times to a rate; also return when each send happened."""
    clock = FakeClock(now_ns=0)
    sink = MemorySink(clock=clock)
    pacer = Pacer(sink, ScheduledSlot(clock, arrivals_s, end_s), fps, clock)
    pacer.run()
    return pacer, sink, [sent_ns * 1e-9 for sent_ns in sink.sent_ns]


def test_a_steady_source_passes_at_once_and_whole() -> None:
    arrivals_s = [n * PERIOD_S for n in range(60)]
    pacer, sink, times_s = run(arrivals_s, end_s=2.0)
    assert (pacer.sent, pacer.repeated) == (60, 0)
    assert times_s == pytest.approx(arrivals_s)
    assert max(pacer.latencies_s) < 1e-6
    assert [frame.frame_id for frame in sink.frames] == list(range(60))


def test_sixty_a_second_pass_at_once_and_whole() -> None:
    pacer, _, times_s = run([n / 60 for n in range(120)], end_s=2.0, fps=60)
    assert (pacer.sent, pacer.repeated) == (120, 0)
    assert times_s == pytest.approx([n / 60 for n in range(120)])


def test_a_source_of_thirty_is_repeated_at_sixty() -> None:
    pacer, _, times_s = run([n / 30 for n in range(60)], end_s=2.0, fps=60)
    assert pacer.sent == 60 and pacer.repeated == pytest.approx(60, abs=2)
    assert max(b - a for a, b in pairwise(times_s)) < 1.3 / 60


def test_jitter_costs_no_latency_and_no_frame() -> None:
    arrivals_s = [n * PERIOD_S + (0.006 if n % 3 == 1 else 0.0) for n in range(60)]
    pacer, _, times_s = run(arrivals_s, end_s=2.0)
    assert pacer.sent == 60
    assert times_s == pytest.approx(arrivals_s)


@pytest.mark.parametrize(
    "fps", [29.9, 30.0, 30.2, *(pytest.param(fps, marks=pytest.mark.thorough) for fps in (29.97, 30.03))]
)
def test_a_camera_clock_that_differs_a_little_costs_nothing(fps: float) -> None:
    arrivals_s = [n / fps for n in range(600)]
    pacer, _, _ = run(arrivals_s, end_s=600 / fps)
    assert (pacer.sent, pacer.repeated) == (600, 0)
    assert max(pacer.latencies_s) < 1e-6


def test_without_new_frames_the_last_one_repeats_at_the_rate() -> None:
    pacer, sink, times_s = run([0.0], end_s=2.0)
    assert pacer.sent == 1
    assert pacer.repeated == pytest.approx(59, abs=1)
    gaps_s = [b - a for a, b in pairwise(times_s)]
    assert gaps_s[0] == pytest.approx(1.25 * PERIOD_S, rel=0.02)
    assert gaps_s[1:] == pytest.approx([PERIOD_S] * len(gaps_s[1:]), rel=1e-3)
    assert len({id(frame) for frame in sink.frames}) == 1


def test_nothing_is_sent_before_the_first_frame() -> None:
    pacer, sink, times_s = run([0.9], end_s=0.91)
    assert (pacer.sent, pacer.repeated) == (1, 0)
    assert times_s == pytest.approx([0.9])
    assert len(sink.frames) == 1


def test_a_fast_source_is_thinned_to_the_rate_and_the_newest_wins() -> None:
    arrivals_s = [n / 120 for n in range(240)]
    pacer, sink, times_s = run(arrivals_s, end_s=2.0)
    assert pacer.sent == pytest.approx(60, abs=2)
    assert pacer.repeated == 0
    assert max(pacer.latencies_s) < 1 / 120
    ids = [frame.frame_id for frame in sink.frames]
    assert ids == sorted(set(ids))
    assert all(b - a >= 0.49 * PERIOD_S for a, b in pairwise(times_s))


def test_a_slow_source_is_filled_up_with_repeats() -> None:
    pacer, sink, times_s = run([n / 10 for n in range(20)], end_s=2.0)
    assert pacer.sent == 20
    assert pacer.sent + pacer.repeated == pytest.approx(60, abs=3)
    assert max(b - a for a, b in pairwise(times_s)) <= 1.26 * PERIOD_S
    assert [frame.frame_id for frame in sink.frames][:3] == [0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 0.2), min_size=1, max_size=30))
def test_whatever_comes_it_neither_stalls_nor_outruns_the_rate(gaps_s: list[float]) -> None:
    arrivals_s = [sum(gaps_s[: n + 1]) for n in range(len(gaps_s))]
    end_s = arrivals_s[-1] + 0.5
    pacer, _, times_s = run(arrivals_s, end_s)
    assert (
        max(b - a for a, b in pairwise(times_s)) <= 1.76 * PERIOD_S
    )  # half a period early, then a quarter late
    assert len(times_s) <= (times_s[-1] - times_s[0]) / (0.99 * PERIOD_S) + 2
    assert len(times_s) >= (times_s[-1] - times_s[0]) / PERIOD_S * 0.75
    assert pacer.sent <= len(arrivals_s)


@pytest.mark.parametrize(("n", "late_s"), [(50, 0.02), (120, 0.01)])
def test_how_late_pictures_are_is_told_of_the_newest(n: int, late_s: float) -> None:
    clock, takes_s = FakeClock(now_ns=0), iter([0.02] * 50 + [0.01] * 70)

    class SlowSink(MemorySink):
        def _write(self, frame: Marked, pts_s: float | None) -> None:
            clock.advance_s(next(takes_s))

    slot = ScheduledSlot(clock, [k * PERIOD_S for k in range(n)], n * PERIOD_S)
    pacer = Pacer(SlowSink(clock=clock), slot, 30, clock)
    assert pacer.delay_s is None
    pacer.run()
    assert pacer.sent == n and pacer.delay_s == pytest.approx(late_s)


def test_a_failing_sink_ends_it_and_the_owner_is_told() -> None:
    clock = FakeClock(now_ns=0)
    pacer = Pacer(MemorySink(fails_at=1), ScheduledSlot(clock, [0.0, 0.1], 1.0), 30, clock)
    pacer.run()
    with pytest.raises(OSError, match="told to fail"):
        pacer.raise_if_failed()


def test_it_runs_beside_a_producer_and_stops_cleanly() -> None:
    slot: LatestSlot[Marked] = LatestSlot()
    sink = MemorySink()
    pacer = Pacer(sink, slot, 200, SystemClock())
    pacer.start()
    slot.put(marked(frame_id=1))
    while len(sink.frames) < 3:
        SystemClock().sleep_s(0.005)
    assert pacer.running
    pacer.stop()
    assert not pacer.running
    assert {frame.frame_id for frame in sink.frames} == {1}
    assert (pacer.sent, pacer.error) == (1, None)
    assert pacer.repeated >= 2
