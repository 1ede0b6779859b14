"""Write a page of engine results: what was measured, on which hardware, driver and versions.

    python tools/engine_results.py RESULTS.md [--engine tensorrt-rtx ...] [--networks FOLDER]
        [--frames 10] [--live 15]

Every network runs alone on what it sees in a scripted performance; inputs start and outputs end in the
computer's own memory, so copies are part of the time. "start s" is loading and the first run, and whatever no
cache spared: building, compiling. An engine that does not run is listed with its reason. The CPU is measured
twice: in fp32, which all others are compared with, and in the 8 bits that it runs painters in. With --frames,
whole frames follow, unpaced: from a motion, from a tracked picture, and step by step where a GPU makes them.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

from facepuppet.cli import table
from facepuppet.core import EngineError, FacepuppetError, Spread, __version__, describe_hardware, write_whole
from facepuppet.diagnose import Exact, record, run_bench
from facepuppet.inference import ENGINES, ON_DEVICE, Feed, Network, Runtime, candidates, list_gpus, measure

WHEELS = ("onnxruntime", "onnxruntime-gpu", "tensorrt", "tensorrt-rtx-cu13", "cupy-cuda13x", "numpy")
FRAMES = Path(__file__).with_name("render_throughput.py")
WARM_UP = 20
COLUMNS = (
    *("network", "engine", "start s", "median ms", "p95 ms", "longest ms", "runs", "runs a second"),
    "off from fp32 on the CPU",
)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all installed")
    parser.add_argument("--networks", type=Path, help="folder with a manifest.toml")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--frames", type=float, default=0.0, help="seconds of unpaced whole frames as well")
    parser.add_argument("--live", type=float, default=0.0, help="seconds of the whole live loop as well")
    arguments = parser.parse_args()
    engines = arguments.engine or candidates()
    lines = ["# Engine results", "", *_machine(), "", _line(*COLUMNS), "|---" * len(COLUMNS) + "|"]
    for network, feeds in record(arguments.networks):
        lines += [_row(network, network, feeds, engine, arguments.seconds) for engine in engines]
        if network.int8 is not None and "cpu" in engines:
            lines.append(_row(network.int8, network, feeds, "cpu", arguments.seconds))
    if arguments.frames > 0:
        lines += _frames(engines, arguments.frames)
    if arguments.live > 0:
        lines += _live(engines, arguments.live)
    try:
        write_whole(arguments.page, ("\n".join(lines) + "\n").encode())
    except FacepuppetError as error:
        sys.exit(f"engine_results: {error}")


def _machine() -> list[str]:
    """What the figures belong to."""
    told = [f"- {key}: {value}" for key, value in asdict(describe_hardware()).items()]
    try:
        told += [
            f"- GPU: {gpu.name}, {gpu.target}, {gpu.memory_mb} MiB, "
            f"driver {_driver()} for CUDA {gpu.driver_cuda}"
            for gpu in list_gpus()
        ]
    except EngineError as problem:
        told.append(f"- GPU: none used ({problem.got})")
    there = {wheel.metadata["Name"].replace("_", "-"): wheel.version for wheel in distributions()}
    versions = [
        f"facepuppet {__version__}",
        *(f"{wheel} {there[wheel]}" for wheel in WHEELS if wheel in there),
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    load = f", load average at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return [*told, f"- versions: {', '.join(versions)}", f"- date: {today}{load}"]


def _driver() -> str:
    """NVIDIA's own version of its driver, which CUDA does not tell, as "580.95.05"."""
    question = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(question, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        told = ""
    return next((line.strip() for line in told.splitlines()), "of unknown version (no nvidia-smi)")


def _row(network: Network, exact: Network, feeds: Sequence[Feed], engine: str, seconds: float) -> str:
    """Run one network, in fp32 or made from such an exact one, on one engine for a while."""
    name = network.name if network is exact else f"{network.name}, 8 bits"
    try:
        begun_s = time.perf_counter()
        session = Runtime(engine).open_unchecked(network)
        session.run(feeds[0])
        start_s = time.perf_counter() - begun_s
        deviation = measure(session, Exact().open_unchecked(exact), feeds)
        for i in range(WARM_UP):
            session.run(feeds[i % len(feeds)])
        durations_s: list[float] = []
        end_s = time.perf_counter() + seconds
        while (begun_s := time.perf_counter()) < end_s:
            session.run(feeds[len(durations_s) % len(feeds)])
            durations_s.append(time.perf_counter() - begun_s)
    except EngineError as problem:
        return _line(name, engine, *[""] * (len(COLUMNS) - 3), f"not run: {problem.got}")
    spread = Spread.of(durations_s)
    assert spread is not None
    pace = f"{len(durations_s) / sum(durations_s):.0f}"
    # The gate is for engines; 8 bits are judged by the evaluation.
    off = f"{deviation}{' (too far)' if network is exact and not deviation.passes else ''}"
    times = (f"{ms:.2f}" for ms in (spread.median_ms, spread.p95_ms, spread.max_ms))
    return _line(name, session.description, f"{start_s:.2f}", *times, str(spread.n), pace, off)


def _frames(engines: Sequence[str], seconds: float) -> list[str]:
    """Whole frames with each engine, each in a process of its own."""
    lines = []
    for engine in engines:
        ways = [[], ["--tracked"], *([["--stages"]] if engine in ON_DEVICE else [])]
        for words in ways:
            command = [sys.executable, str(FRAMES), "--engine", engine, "--seconds", str(seconds), *words]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            told = ran.stdout.strip() if ran.returncode == 0 else ran.stderr.strip().splitlines()[-1]
            title = f"## Frames, `{' '.join(['--engine', engine, *words])}`"
            lines += ["", title, "", "```", told, "```"]
    return lines


def _live(engines: Sequence[str], seconds: float) -> list[str]:
    """The whole live loop with each engine, on the installed networks."""
    lines = []
    for engine in engines:
        try:
            told = table(run_bench(seconds, engine=engine))
        except EngineError as problem:
            told = f"not run: {problem}"
        lines += ["", f"## Live, `--engine {engine}`", "", "```", told, "```"]
    return lines


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
