"""Benchmark results as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facepuppet.core.cpu_use import CpuUse, Spent
    from facepuppet.diagnose.bench import BenchResult


def table(result: BenchResult, *, cpu: bool = False) -> str:
    """Return the result as lines for a terminal.

    Args:
        result: what was measured.
        cpu: tell also what a frame costs, by stage and by thread.
    """
    machine = result.hardware
    lines = [f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}"]
    for portrait, run in result.runs.items():
        latency = run.latency
        lines += [
            "",
            f"portrait {portrait} → {result.canvas}: {run.fps:.1f} new frames a second",
            f"  over {run.seconds:.0f} s; first frame {run.first_frame_s} s; memory {run.rss_mb:.0f} MB",
            f"  repeated {run.frames_repeated}, dropped before "
            + ", ".join(f"{stage} {n}" for stage, n in run.dropped.items()),
        ]
        if latency is not None:
            lines.append(f"  capture to sink: median {latency.median_ms:.1f} ms, p95 {latency.p95_ms:.1f} ms")
        lines += [f"  frames by {run.frame_path}"] if run.frame_path != "CPU" else []
        lines += [f"  network {name}: {by}" for name, by in run.networks.items()]
        lines += [f"  {sentence}" for sentence in run.fallbacks]
        lines.append(f"  {'stage':<10}{'median ms':>11}{'p95 ms':>9}")
        lines += [
            f"  {stage:<10}{spread.median_ms:>11.2f}{spread.p95_ms:>9.2f}"
            for stage, spread in run.stages.items()
        ]
        lines += cpu_lines(result.cpu.get(portrait)) if cpu else []
    return "\n".join(lines)


def cpu_lines(use: CpuUse | None) -> list[str]:
    """Say what a frame cost, by stage and by thread."""
    if use is None:
        return ["  CPU a frame: unknown, since there was no new frame after start-up"]
    process = use.process
    elsewhere_ms = process.cpu_ms - sum(use.stages_ms.values())
    lines = [
        f"  CPU a frame: {process.cpu_ms:.1f} ms (user {process.user_ms:.1f}, "
        f"system {process.system_ms:.1f}), woken {_times(process.wakeups)} times, "
        f"preempted {_times(process.preemptions)}, over {use.frames} frames after start-up",
        f"  {'stage, in its own thread':<26}{'CPU ms':>9}",
    ]
    stages_ms = {**use.stages_ms, "outside stages, helpers": elsewhere_ms}
    lines += [f"  {stage:<26}{spent_ms:>9.2f}" for stage, spent_ms in stages_ms.items()]
    if use.threads:
        lines.append(f"  {'thread':<26}{'CPU ms':>9}{'woken':>9}{'preempted':>11}")
    return lines + [_thread_line(name, spent) for name, spent in use.threads.items()]


def _thread_line(name: str, spent: Spent) -> str:
    return f"  {name:<26}{spent.cpu_ms:>9.2f}{_times(spent.wakeups):>9}{_times(spent.preemptions):>11}"


def _times(n: float | None) -> str:
    return "?" if n is None else f"{n:.1f}"
