"""What a run costs its machine: CPU time and context switches, between two moments of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facepuppet.core.metrics import RunStats

NATIVE = "native"  # threads that Python does not know: decoders, ONNX Runtime
ENDED = "ended threads"
_TASKS = Path("/proc/self/task")  # Linux


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU time and context switches of a thread or a process: so far, or a frame.

    Attributes:
        user_ms: CPU time in its own code, in milliseconds.
        system_ms: CPU time in the kernel.
        wakeups: voluntary switches: how often it began to wait, and so had to be woken; None where unknown.
        preemptions: involuntary switches: how often another one took its core; None where unknown.
    """

    user_ms: float = 0.0
    system_ms: float = 0.0
    wakeups: float | None = 0
    preemptions: float | None = 0

    @property
    def cpu_ms(self) -> float:
        """User and system time."""
        return self.user_ms + self.system_ms

    def plus(self, other: Spent, share: float = 1.0) -> Spent:
        """Add a share of another one; what is unknown of one is unknown of both."""
        return Spent(
            self.user_ms + share * other.user_ms,
            self.system_ms + share * other.system_ms,
            _plus(self.wakeups, other.wakeups, share),
            _plus(self.preemptions, other.preemptions, share),
        )

    def minus(self, other: Spent) -> Spent:
        """Take another one away."""
        return self.plus(other, -1.0)

    def over(self, n: int) -> Spent:
        """Return the n-th part, rounded for people."""
        whole = Spent().plus(self, 1.0 / n)
        return Spent(
            round(whole.user_ms, 3),
            round(whole.system_ms, 3),
            None if whole.wakeups is None else round(whole.wakeups, 2),
            None if whole.preemptions is None else round(whole.preemptions, 2),
        )


@dataclass(frozen=True, slots=True)
class CpuSnapshot:
    """What a run in this process has spent so far.

    Attributes:
        frames: new pictures delivered.
        stages_ms: own CPU time of the threads that called each stage.
        process: all threads, ended ones included.
        threads: name and figures by the system's number of each living thread; empty where the system's
            numbers are not those that Python knows (macOS).
    """

    frames: int
    stages_ms: Mapping[str, float]
    process: Spent
    threads: Mapping[int, tuple[str, Spent]]


@dataclass(frozen=True, slots=True)
class CpuUse:
    """What a frame cost, on average over a part of a run.

    Attributes:
        frames: new pictures of that part.
        process: all of it.
        stages_ms: CPU time of each stage in the threads that called it. Helpers are not in there.
        threads: by name. "native" is what Python does not know; "ended threads" is what the process spent
            and no thread that lives at the end did, within the rounding of the others (10 ms each on Linux).
    """

    frames: int
    process: Spent
    stages_ms: Mapping[str, float]
    threads: Mapping[str, Spent]

    @classmethod
    def between(cls, before: CpuSnapshot, after: CpuSnapshot) -> CpuUse | None:
        """Return what a frame between two snapshots cost; None when there was no frame."""
        n = after.frames - before.frames
        if n <= 0:
            return None
        process = after.process.minus(before.process)
        stages_ms = {
            stage: round((spent_ms - before.stages_ms.get(stage, 0.0)) / n, 3)
            for stage, spent_ms in after.stages_ms.items()
        }
        threads = {name: spent.over(n) for name, spent in _by_name(before, after, process).items()}
        return cls(n, process.over(n), stages_ms, threads)


def cpu_snapshot(stats: RunStats) -> CpuSnapshot:
    """Ask the system what this process has spent so far.

    Args:
        stats: of the run, at this moment.
    """
    import psutil

    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    threads = {
        one.id: (
            names.get(one.id, NATIVE),
            Spent(1e3 * one.user_time, 1e3 * one.system_time, *_switches_of_thread(one.id)),
        )
        for one in psutil.Process().threads()
    }
    return CpuSnapshot(
        stats.frames_out,
        {
            stage: spread.cpu_ms * spread.n
            for stage, spread in stats.stages.items()
            if spread.cpu_ms is not None
        },
        _process(),
        threads if threading.main_thread().native_id in threads else {},
    )


def _by_name(before: CpuSnapshot, after: CpuSnapshot, process: Spent) -> dict[str, Spent]:
    """Sum the threads that live at the end by name, the dearest first, and what is left as ended ones."""
    if not after.threads:
        return {}
    spent: dict[str, Spent] = {}
    for number, (name, so_far) in after.threads.items():
        _, earlier = before.threads.get(number, (name, Spent()))
        spent[name] = spent.get(name, Spent()).plus(so_far.minus(earlier))
    ended = process
    for one in spent.values():
        ended = ended.minus(one)
    spent = dict(sorted(spent.items(), key=lambda item: -item[1].cpu_ms))
    return {**spent, ENDED: _not_negative(ended)}


def _not_negative(spent: Spent) -> Spent:
    """Threads are read one after the other and rounded: their sum may pass the process's by a little."""
    return Spent(
        max(0.0, spent.user_ms),
        max(0.0, spent.system_ms),
        None if spent.wakeups is None else max(0, spent.wakeups),
        None if spent.preemptions is None else max(0, spent.preemptions),
    )


def _process() -> Spent:
    if sys.platform == "win32":
        import psutil

        times = os.times()
        # Windows counts the switches of living threads, of both kinds together.
        return Spent(
            1e3 * times.user, 1e3 * times.system, psutil.Process().num_ctx_switches().voluntary, None
        )
    # psutil.Process.num_ctx_switches() counts the main thread only (findings/psutil_counts_one_thread.sh).
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Spent(1e3 * usage.ru_utime, 1e3 * usage.ru_stime, usage.ru_nvcsw, usage.ru_nivcsw)


def _switches_of_thread(number: int) -> tuple[int | None, int | None]:
    """Return a thread's voluntary and involuntary switches; None where the system does not tell."""
    try:
        lines = (_TASKS / str(number) / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # it has just ended, or this is not Linux
        return None, None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    voluntary, involuntary = (fields.get(f"{kind}_ctxt_switches") for kind in ("voluntary", "nonvoluntary"))
    return None if voluntary is None else int(voluntary), None if involuntary is None else int(involuntary)


def _plus(a: float | None, b: float | None, share: float) -> float | None:
    return None if a is None or b is None else a + share * b
