"""Benchmark results as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facepuppet.diagnose.bench import BenchResult


def table(result: BenchResult) -> str:
    """Return the result as lines for a terminal."""
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
    return "\n".join(lines)
