"""Two builds beside each other: CPU time a frame and latency of the live loop, measured in alternation.

    python tools/compare_builds.py OLD_CHECKOUT NEW_CHECKOUT [--rounds 3] [--seconds 20]

Each round runs `facepuppet bench` of one checkout, then of the other, so that what else the machine does
meets both. CPU time a frame is what a longer bench costs more than a short one (user and system, children
included), over the frames that it delivers more: start-up, analysis and the making of the clip cancel out.
Both run in this interpreter's environment; a build whose dependencies differ needs its own (--python).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facepuppet.core import describe_hardware

SHORT_S = 4.0
_BENCH = "from facepuppet.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Sample:
    """One build in one round.

    Attributes:
        cpu_ms: user and system time a frame, over both portraits.
        fps: new frames a second, by portrait.
        p95_ms: capture to sink, by portrait.
        median_ms: the same, median.
    """

    cpu_ms: float
    fps: dict[str, float]
    p95_ms: dict[str, float]
    median_ms: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each longer bench")
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    builds = {"old": arguments.old.resolve(), "new": arguments.new.resolve()}
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    samples: dict[str, list[Sample]] = {name: [] for name in builds}
    for number in range(arguments.rounds):
        # The one that goes first changes, too.
        for name in sorted(builds, reverse=number % 2 == 0):
            samples[name].append(measure(arguments.python, builds[name], arguments.seconds))
            print(f"round {number + 1}, {name}: {samples[name][-1]}", flush=True)
    print(summary(samples))


def measure(python: str, checkout: Path, seconds: float) -> Sample:
    """Run a short and a longer bench of one build."""
    short_cpu_s, short = bench(python, checkout, SHORT_S)
    long_cpu_s, long = bench(python, checkout, SHORT_S + seconds)
    more = sum(run["frames_out"] for run in long.values()) - sum(run["frames_out"] for run in short.values())
    return Sample(
        round(1e3 * (long_cpu_s - short_cpu_s) / more, 2),
        {size: run["fps"] for size, run in long.items()},
        {size: run["latency"]["p95_ms"] for size, run in long.items()},
        {size: run["latency"]["median_ms"] for size, run in long.items()},
    )


def bench(python: str, checkout: Path, seconds: float) -> tuple[float, dict[str, Any]]:
    """Return the CPU seconds of a bench with all its children, and its figures by portrait."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            [python, "-c", _BENCH, "bench", "--json", "--seconds", str(seconds)],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=out,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"compare_builds: the bench in {checkout} ended with {process.returncode}")
        out.seek(0)
        runs: dict[str, Any] = json.load(out)["runs"]
    return usage.ru_utime + usage.ru_stime, runs


def summary(samples: dict[str, list[Sample]]) -> str:
    """Return medians over the rounds, and ratios of new to old, round by round."""
    lines = []
    for name, rounds in samples.items():
        cpu = np.median([sample.cpu_ms for sample in rounds])
        lines.append(f"{name}: {cpu:.2f} ms of CPU a frame")
        for size in rounds[0].fps:
            fps, median, p95 = (
                np.median([getattr(sample, field)[size] for sample in rounds])
                for field in ("fps", "median_ms", "p95_ms")
            )
            lines.append(f"  {size}: {fps:.1f} a second, {median:.1f} / {p95:.1f} ms (median, p95)")
    ratios = [new.cpu_ms / old.cpu_ms for old, new in zip(samples["old"], samples["new"], strict=True)]
    lines.append(f"CPU a frame, new over old: {np.median(ratios):.3f} (rounds: {np.round(ratios, 3)})")
    for size in samples["old"][0].p95_ms:
        late = [
            new.p95_ms[size] / old.p95_ms[size]
            for old, new in zip(samples["old"], samples["new"], strict=True)
        ]
        lines.append(f"p95 at {size}, new over old: {np.median(late):.3f} (rounds: {np.round(late, 3)})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
