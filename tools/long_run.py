"""A long live run, watched from outside: memory, handles, threads, processor, cadence, drops, latency.

    python tools/long_run.py [--minutes 60] [--clip FILE] [--out DIR] [-- MORE OPTIONS OF RUN]

The program's own `run` plays a looped clip as its camera (by default the sample portrait performing the
built-in piece) in a process of its own; its virtual camera is a pipe, read here as a call would read it
(tools/piped_camera.py). Once a second the process is looked at. Prints a table and a verdict, writes
samples.csv, summary.json and the program's log; exit status 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
from piped_camera import PipedRun
from run_samples import Sample, missed_bars, table, write

from facepuppet.core import describe_hardware
from facepuppet.diagnose import driver_clip, square_portrait

SIDE_PX = 512  # of the portrait
START_S = 60.0  # how long the first frame may take
EVERY_S = 1.0
_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


class CameraReader:
    """Reads the camera on a thread of its own, and notes when what came.

    Attributes:
        first: set with the first frame.
        ended: set when no more will come.
    """

    def __init__(self, run: PipedRun) -> None:
        self.first, self.ended = threading.Event(), threading.Event()
        self._run, self._lock = run, threading.Lock()
        self._seen: list[tuple[int, bool]] = []  # when, and whether it differs from the one before
        self._last_ns: int | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> tuple[int, int, list[float]]:
        """Return how many frames came since the last call, how many were new, and the intervals (ms)."""
        with self._lock:
            seen, self._seen = self._seen, []
        times_ns = [] if self._last_ns is None else [self._last_ns]
        times_ns += [time_ns for time_ns, _ in seen]
        self._last_ns = times_ns[-1] if times_ns else None
        return len(seen), sum(new for _, new in seen), (np.diff(times_ns) * 1e-6).tolist()

    def _read(self) -> None:
        last = b""
        while (frame := self._run.read()) is not None:
            rows = frame.i420[::16].tobytes()
            with self._lock:
                self._seen.append((frame.read_ns, rows != last))
            last = rows
            self.first.set()
        self.ended.set()
        self.first.set()


class Watch:
    """Looks at a run from outside, about once a second."""

    def __init__(self, run: PipedRun, reader: CameraReader) -> None:
        self._run, self._reader = run, reader
        self._process = psutil.Process(run.process.pid)
        self._begun_s = self._last_s = time.monotonic()
        self._last_cpu_s = self._cpu_s()

    def sample(self) -> Sample:
        """Return what the time since the last call was like.

        Raises:
            psutil.Error: the process has ended.
        """
        now_s, cpu_s = time.monotonic(), self._cpu_s()
        seconds, used_s = now_s - self._last_s, cpu_s - self._last_cpu_s
        self._last_s, self._last_cpu_s = now_s, cpu_s
        frames, new, intervals_ms = self._reader.take()
        stats = self._run.last_snapshot().get("stats", {})
        latency = stats.get("latency") or {}
        is_windows = not hasattr(self._process, "num_fds")
        with self._process.oneshot():
            return Sample(
                time_s=round(now_s - self._begun_s, 3),
                seconds=round(seconds, 3),
                rss_mb=round(self._process.memory_info().rss / 2**20, 1),
                handles=self._process.num_handles() if is_windows else self._process.num_fds(),
                threads=self._process.num_threads(),
                cpu=round(used_s / seconds, 3),
                frames=frames,
                new=new,
                interval_p95_ms=round(float(np.percentile(intervals_ms, 95)), 2) if intervals_ms else np.nan,
                interval_max_ms=round(max(intervals_ms), 2) if intervals_ms else np.nan,
                dropped=sum(stats.get("dropped", {}).values()),
                latency_p95_ms=latency.get("p95_ms", np.nan),
            )

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def observe(
    seconds: float,
    words: Sequence[str],
    folder: Path,
    fps: float = 30.0,
    env: Mapping[str, str] | None = None,
) -> list[Sample]:
    """Let the program run for so long; returns what it was like.

    Args:
        seconds: from the first frame; it ends early where the program does.
        words: options of `run`, without sink and rate.
        folder: where its snapshots and its log go.
        fps: of the output.
        env: of the program; this process's own if None.

    Raises:
        RuntimeError: there is no first frame; the program's log is in the message.
    """
    samples: list[Sample] = []
    with PipedRun([*words, "--sink", "virtual", "--fps", f"{fps:g}"], folder, env=env) as run:
        reader = CameraReader(run)
        reader.first.wait(START_S)
        if reader.ended.is_set() or not reader.first.is_set():
            raise RuntimeError(f"no first frame:\n{run.log.read_text(encoding='utf-8', errors='replace')}")
        watch = Watch(run, reader)
        reader.take()
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not reader.ended.wait(EVERY_S):
            try:
                samples.append(watch.sample())
            except psutil.Error:
                break
    return samples


def default_words(clip: Path | None, folder: Path) -> list[str]:
    """Return the options of `run` for the sample portrait, driven by a clip over and over."""
    driver = driver_clip(folder) if clip is None else str(clip.resolve())
    portrait = square_portrait(folder, SIDE_PX)
    return ["--avatar", str(portrait), "--camera", f"loop:{driver}", "--right", "public-domain"]


def main() -> None:
    """Run, print, write; exit status 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--clip", type=Path, help="of a driver, played over and over")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path("long-run"), help="folder of the results")
    given = sys.argv[1:]
    split = given.index("--") if "--" in given else len(given)
    arguments, more = parser.parse_args(given[:split]), given[split + 1 :]
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    seconds = 60.0 * arguments.minutes
    with tempfile.TemporaryDirectory(prefix="facepuppet-long-") as name:
        words = [*default_words(arguments.clip, Path(name)), *more]
        own = {**os.environ, **dict.fromkeys(_FOLDERS, name)}  # the user's cache and answers stay as they are
        samples = observe(seconds, words, arguments.out, arguments.fps, own)
    missed = missed_bars(samples, arguments.fps, seconds)
    write(samples, missed, arguments.out)
    print(table(samples) if samples else "no samples")
    print("\n".join(missed) or "Memory, handles, threads and cadence are within their bars.")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
