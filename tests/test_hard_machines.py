"""One core, sixty-four, and cores that others keep busy: cadence first, told once, no crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from facepuppet.inference.runtime import MOST_HELPERS, Runtime
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.sinks.video_file import MOST_THREADS, VideoFile

SECONDS = 10
FPS = 30
# A run on some machine, and how many threads of Python's it had in the middle.
PROGRAM = """
import os, sys, threading
{machine}
from facepuppet.cli import main
from facepuppet.sinks.metered_sink import MeteredSink

write, most = MeteredSink._write, [0]

def counting(self, frame, pts_s):
    most[0] = max(most[0], threading.active_count())
    write(self, frame, pts_s)

MeteredSink._write = counting
try:
    main(sys.argv[1:])
finally:
    print("threads", most[0])
"""
ONE_CORE = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
MANY_CORES = "os.cpu_count = lambda: 64; os.sched_getaffinity = lambda pid: set(range(64))"

linux_only = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux's affinity")


def run(folder: Path, machine: str, *words: str) -> tuple[dict[str, Any], int, list[str]]:
    """Let the scripted driver play for a while; returns figures, threads, and the warnings."""
    stats = folder / "stats.json"
    words = (
        *("run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--camera", "script"),
        *("--sink", str(folder / "out.mkv"), "--seconds", str(SECONDS), "--stats", str(stats), *words),
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(machine=machine), *words],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))]
    return json.loads(stats.read_text()), int(done.stdout.split()[-1]), warnings


@contextmanager
def busy_processes(n: int) -> Iterator[None]:
    """Others who want every core for themselves."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def assert_cadence(stats: dict[str, Any]) -> None:
    """Pictures kept coming, new or repeated: most of the run's length, whatever the start took."""
    sent = stats["frames_out"] + stats["frames_repeated"]
    assert sent > 0.6 * FPS * SECONDS
    assert stats["frames_out"] > 0


def assert_told_once(stats: dict[str, Any], warnings: list[str]) -> None:
    """Every change of quality is told by one line, and a step is not told twice without one between."""
    told = [line for line in warnings if "uality" in line]
    assert len(told) - len(stats["quality_changes"]) in (
        0,
        1,
    )  # one may say that even the last step is too much
    assert all(any(change in line for line in told) for change in stats["quality_changes"])
    assert all(n == 1 for n in Counter(line for line in warnings if line not in told).values())


@pytest.mark.slow
@linux_only
def test_one_core(tmp_path: Path) -> None:
    stats, _, warnings = run(tmp_path, ONE_CORE)
    assert_cadence(stats)
    assert_told_once(stats, warnings)


@pytest.mark.slow
@linux_only
def test_one_core_that_others_want_too(tmp_path: Path) -> None:
    """Half of a core is too little for every picture: quality goes, and the last one is repeated."""
    with busy_processes(2 * (os.cpu_count() or 1)):
        stats, _, warnings = run(tmp_path, ONE_CORE)
    assert_cadence(stats)
    assert_told_once(stats, warnings)
    assert stats["quality"] != "best" and stats["quality_changes"]


@pytest.mark.slow
@linux_only
def test_every_core_busy_with_others(tmp_path: Path) -> None:
    with busy_processes(2 * (os.cpu_count() or 1)):
        stats, _, warnings = run(tmp_path, "")
    assert_cadence(stats)
    assert_told_once(stats, warnings)


@pytest.mark.slow
@linux_only
def test_sixty_four_cores_take_no_more_threads(tmp_path: Path) -> None:
    _, threads, _ = run(tmp_path, MANY_CORES, "--seconds", "3")
    _, threads_here, _ = run(tmp_path, "", "--seconds", "3")
    assert threads <= threads_here + MOST_HELPERS


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_no_pool_grows_with_the_cores(tmp_path: Path, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert 1 <= Runtime("cpu").helpers._max_workers <= MOST_HELPERS
    sink = VideoFile(tmp_path / "out.mp4", (128, 128), 30.0)
    assert 1 <= sink._stream.codec_context.thread_count <= MOST_THREADS
    sink.abort()
