"""What a frame costs, told of threads that are really busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from facepuppet.cli.bench_table import cpu_lines
from facepuppet.core.cpu_use import ENDED, NATIVE, CpuSnapshot, CpuUse, Spent, cpu_snapshot
from facepuppet.core.metrics import Meter, RunStats
from facepuppet.diagnose.cpu_watch import CpuWatch

BUSY_S = 0.3  # thirty times what Linux counts threads in


def stats(frames_out: int, meter: Meter | None = None) -> RunStats:
    """A run that has delivered so many pictures."""
    return RunStats(1.0, 0, 0, 0, frames_out, 0, {}, 0.0, None, None, (meter or Meter()).spreads(), 0.0)


def burn(cpu_s: float) -> None:
    """Be busy until this thread has had so much of a processor, however long that takes."""
    until_s = time.thread_time() + cpu_s
    while time.thread_time() < until_s:
        sum(range(1000))


@contextmanager
def living(name: str, work: Callable[[], None]) -> Iterator[None]:
    """A thread that has done its work when the body begins, and lives until its end."""
    done, leave = threading.Event(), threading.Event()

    def body() -> None:
        work()
        done.set()
        leave.wait()

    thread = threading.Thread(target=body, name=name)
    thread.start()
    done.wait()
    try:
        yield
    finally:
        leave.set()
        thread.join()


def ended(work: Callable[[], None]) -> None:
    """A thread that has done its work, and that the system has forgotten: join() is a little early."""
    thread = threading.Thread(target=work, name="gone")
    thread.start()
    thread.join()
    patience_s = time.monotonic() + 30
    while any(one.id == thread.native_id for one in psutil.Process().threads()):
        assert time.monotonic() < patience_s
        time.sleep(0.001)


def use_of(*, alive: dict[str, Callable[[], None]], gone: Callable[[], None], frames: int) -> CpuUse:
    before = cpu_snapshot(stats(100))
    with ExitStack() as stack:
        for name, work in alive.items():
            stack.enter_context(living(name, work))
        ended(gone)
        use = CpuUse.between(before, cpu_snapshot(stats(100 + frames)))
    assert use is not None
    return use


def test_threads_are_told_by_name_and_ended_ones_are_not_forgotten() -> None:
    use = use_of(
        alive={"busy": lambda: burn(BUSY_S), "idle": lambda: None}, gone=lambda: burn(BUSY_S), frames=10
    )
    assert use.frames == 10
    if not use.threads:
        pytest.skip("this system's list of threads has other numbers than Python's")
    assert use.threads["busy"].cpu_ms == pytest.approx(1e3 * BUSY_S / 10, rel=0.3)
    assert use.threads["busy"].user_ms > use.threads["busy"].system_ms
    assert use.threads[ENDED].cpu_ms == pytest.approx(1e3 * BUSY_S / 10, rel=0.5)
    assert use.threads["idle"].cpu_ms < 0.2 * use.threads["busy"].cpu_ms
    assert "gone" not in use.threads
    assert sum(one.cpu_ms for one in use.threads.values()) == pytest.approx(use.process.cpu_ms, rel=0.2)


def test_a_thread_that_often_waits_is_often_woken() -> None:
    def nap() -> None:
        for _ in range(200):
            time.sleep(1e-4)

    use = use_of(alive={"napping": nap}, gone=nap, frames=10)
    if use.process.wakeups is None:
        pytest.skip("this system does not tell")
    assert use.process.wakeups >= 40, "the process's figure is of all its threads, ended ones included"
    napping = use.threads["napping"].wakeups
    assert napping is None or 20 <= napping <= use.process.wakeups
    gone = use.threads[ENDED].wakeups
    assert gone is None or gone >= 18


def test_threads_of_one_name_are_summed_and_foreign_ones_are_native() -> None:
    before = CpuSnapshot(0, {}, Spent(100, 10, 5, 1), {1: ("painter", Spent(10, 0, 1, 0))})
    after = CpuSnapshot(
        10,
        {"track": 40.0},
        Spent(300, 30, 105, 11),
        {
            1: ("painter", Spent(40, 0, 11, 0)),
            2: ("painter", Spent(20, 10, 10, 5)),
            3: (NATIVE, Spent(70, 0, 9, 0)),
        },
    )
    use = CpuUse.between(before, after)
    assert use is not None
    assert use.process == Spent(20.0, 2.0, 10.0, 1.0)
    assert use.stages_ms == {"track": 4.0}
    assert use.threads == {
        "native": Spent(7.0, 0.0, 0.9, 0.0),
        "painter": Spent(5.0, 1.0, 2.0, 0.5),
        ENDED: Spent(8.0, 1.0, 7.1, 0.5),
    }
    assert list(use.threads) == ["native", "painter", ENDED], "the dearest first"


def test_rounding_of_threads_makes_no_negative_rest() -> None:
    after = CpuSnapshot(1, {}, Spent(9.0, 0.0, 1, 0), {1: ("main", Spent(10.0, 0.0, 1, 0))})
    use = CpuUse.between(CpuSnapshot(0, {}, Spent(), {}), after)
    assert use is not None and use.threads[ENDED] == Spent(0.0, 0.0, 0, 0)


def test_what_is_unknown_is_not_told_as_nothing() -> None:
    before = CpuSnapshot(0, {}, Spent(0.0, 0.0, 7, None), {})
    use = CpuUse.between(before, CpuSnapshot(1, {}, Spent(1.0, 0.0, 9, None), {}))
    assert use is not None and use.process == Spent(1.0, 0.0, 2, None) and use.threads == {}
    assert "woken 2.0 times, preempted ?" in cpu_lines(use)[0]


def test_without_a_frame_there_is_no_cost_of_one() -> None:
    snapshot = cpu_snapshot(stats(3))
    assert CpuUse.between(snapshot, snapshot) is None
    assert "unknown" in cpu_lines(None)[0]


def test_a_stage_costs_what_its_own_thread_took() -> None:
    """Waiting costs nothing, and what was spent before the first look does not count."""
    meter = Meter()
    with meter.time("render"):
        burn(0.2)
    before = cpu_snapshot(stats(0, meter))
    for _ in range(2):
        with meter.time("render"):
            burn(0.05)
            time.sleep(0.2)
    use = CpuUse.between(before, cpu_snapshot(stats(2, meter)))
    assert use is not None
    assert use.stages_ms["render"] == pytest.approx(50, rel=0.3)
    assert meter.spreads()["render"].median_ms >= 200


def test_the_lines_name_stages_threads_and_the_rest() -> None:
    use = CpuUse(30, Spent(20.0, 2.0, 35.0, 4.0), {"track": 5.0}, {"driver": Spent(6.0, 0.5, 2.0, None)})
    lines = cpu_lines(use)
    assert "22.0 ms (user 20.0, system 2.0)" in lines[0] and "over 30 frames" in lines[0]
    told = {" ".join(line.split()[:-1]): line.split()[-1] for line in lines[1:]}
    assert told["track"] == "5.00" and told["outside stages, helpers"] == "17.00"
    assert told["driver 6.50 2.0"] == "?"


@pytest.mark.thorough
def test_start_up_is_left_out() -> None:
    """Of a run of two seconds, what was spent in the first is not in the figures."""
    begun_s = time.monotonic()

    def told() -> RunStats:
        return stats(round(100 * (time.monotonic() - begun_s)))

    with CpuWatch(told, 2.0) as watch:
        burn(0.2)
        time.sleep(max(0.0, 2.2 - (time.monotonic() - begun_s)))
    assert watch.use is not None
    assert watch.use.process.cpu_ms * watch.use.frames < 100


def test_a_run_that_ends_early_is_not_judged_and_not_waited_for() -> None:
    with CpuWatch(lambda: stats(0), 3600.0) as watch:
        pass
    assert watch.use is None
