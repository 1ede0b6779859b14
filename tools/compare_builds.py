"""Two builds beside each other: CPU time a frame and latency of the live loop, measured in alternation.

    python tools/compare_builds.py OLD_CHECKOUT NEW_CHECKOUT [--rounds 5] [--seconds 24] [--budget]

Each round runs `facepuppet bench` of one checkout, then of the other, for each size of portrait by itself, so
that what else the machine does meets both. The same video drives all of them. CPU time a frame is what a
longer bench costs more than a short one (user and system, children included), over the frames that it
delivers more: start-up and analysis cancel out, and a build from before `bench --cpu` can be measured, too.
What is told in the end are medians of the ratios round by round.

With --budget the new build is also run for a minute, for its memory, and the exit status is 1 if it exceeds a
budget of tools/build_budgets.py; the old one is then to be the build that those budgets name. When the first
frame of a call is out, tools/start_time.py measures and judges.

Both run in this interpreter's environment; builds whose dependencies differ need another (--python).
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
from build_budgets import BUDGETS, FIGURES, MEMORY_S, Round, Sample, overruns, ratios

from facepuppet.core import describe_hardware
from facepuppet.diagnose import driver_clip

SHORT_S = 4.0
_BENCH = """
import sys
from importlib import import_module

bench = import_module(sys.argv.pop(1))
bench.PORTRAITS_PX = (int(sys.argv.pop(1)),)
from facepuppet.cli import main

main()
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """How a bench is run.

    Attributes:
        python: the interpreter.
        video: of a face, which drives the puppet.
    """

    python: str
    video: str

    def sample(self, checkout: Path, size: str, seconds: float) -> Sample:
        """Run a short and a longer bench of one build, with a portrait of one size."""
        short_cpu_s, short = self.run(checkout, size, SHORT_S)
        long_cpu_s, told = self.run(checkout, size, SHORT_S + seconds)
        run, use = told["runs"][size], told.get("cpu", {}).get(size)
        return Sample(
            cpu_ms=round(
                1e3 * (long_cpu_s - short_cpu_s) / (run["frames_out"] - short["runs"][size]["frames_out"]), 2
            ),
            fps=run["fps"],
            median_ms=run["latency"]["median_ms"],
            p95_ms=run["latency"]["p95_ms"],
            rss_mb=run["rss_mb"],
            wakeups=None if use is None else use["process"]["wakeups"],
        )

    def run(self, checkout: Path, size: str, seconds: float) -> tuple[float, dict[str, Any]]:
        """Return the CPU seconds of a bench with all its children, and what it told."""
        # Whether a file is there, since an installed build may lend an older one the modules that it lacks.
        moved = (checkout / "facepuppet" / "diagnose" / "bench.py").is_file()
        words = ["facepuppet.diagnose.bench" if moved else "facepuppet.bench", size.partition("x")[0]]
        words += ["bench", "--json", "--seconds", str(seconds), "--input", self.video]
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(
                [self.python, "-c", _BENCH, *words],
                cwd=checkout,
                env={**os.environ, "PYTHONPATH": str(checkout)},
                stdout=out,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                sys.exit(f"compare_builds: the bench in {checkout} ended with {process.returncode}")
            out.seek(0)
            told: dict[str, Any] = json.load(out)
        return usage.ru_utime + usage.ru_stime, told


def main() -> None:
    """Measure and print; exit status 1 if a budget was to be kept and is not."""
    arguments = _arguments()
    old, new = arguments.old.resolve(), arguments.new.resolve()
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="facepuppet-compare-") as folder:
        bench = Bench(arguments.python, driver_clip(Path(folder)))
        measured: dict[str, list[Round]] = {size: [] for size in BUDGETS}
        for number in range(arguments.rounds):
            for size, rounds in measured.items():
                rounds.append(_round(bench, old, new, size, arguments.seconds, new_first=number % 2 == 1))
                print(f"round {number + 1}, {size}: {rounds[-1]}", flush=True)
        print(summary(measured))
        if not arguments.budget:
            return
        memory_mb = {size: bench.run(new, size, MEMORY_S)[1]["runs"][size]["rss_mb"] for size in BUDGETS}
    print(f"memory of new after {MEMORY_S:.0f} s: {memory_mb} MB")
    told = overruns(measured, memory_mb)
    print("\n".join(["over budget:", *told] if told else ["all budgets kept"]))
    sys.exit(int(bool(told)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=24.0, help="by which the longer bench is longer; whole loops of 8 s"
    )
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--budget", action="store_true", help="exit status 1 if a budget is exceeded")
    return parser.parse_args()


def _round(bench: Bench, old: Path, new: Path, size: str, seconds: float, *, new_first: bool) -> Round:
    """Measure both builds; the one that goes first changes from round to round."""
    order = (new, old) if new_first else (old, new)
    samples = {checkout: bench.sample(checkout, size, seconds) for checkout in order}
    return Round(samples[old], samples[new])


def summary(measured: dict[str, list[Round]]) -> str:
    """Return medians over the rounds, and ratios of new to old, round by round."""
    lines = []
    for size, rounds in measured.items():
        lines.append(f"portrait {size}")
        lines += [f"  {name}: {_medians([getattr(one, name) for one in rounds])}" for name in ("old", "new")]
        for figure, words in FIGURES.values():
            each = ratios(rounds, figure)
            lines.append(f"  {words}, new over old: {np.median(each):.3f} (rounds: {np.round(each, 3)})")
    return "\n".join(lines)


def _medians(samples: list[Sample]) -> str:
    cpu, fps, median, p95 = (
        np.median([getattr(sample, figure) for sample in samples])
        for figure in ("cpu_ms", "fps", "median_ms", "p95_ms")
    )
    woken = [sample.wakeups for sample in samples if sample.wakeups is not None]
    return (
        f"{cpu:.2f} ms of CPU a frame, {fps:.2f} frames a second, {median:.1f} / {p95:.1f} ms (median, p95)"
        + (f", woken {np.median(woken):.1f} times a frame" if woken else "")
    )


if __name__ == "__main__":
    main()
