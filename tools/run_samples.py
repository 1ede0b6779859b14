"""What a long run was like, second by second, and what is judged of it (tools/long_run.py)."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

WARM_S, WARM_SHARE = 60.0, 0.2  # not judged: caches fill, memory settles; of a short run, this share
EDGE_SHARE = 0.2  # of the rest: begin and end, which are compared
MEMORY_BAR, INTERVAL_BAR_MS, FPS_BAR = 0.05, 50.0, 0.98
_ROWS = 12  # of the table


@dataclass(frozen=True, slots=True)
class Sample:
    """About one second of a run.

    Attributes:
        time_s: since the first frame.
        seconds: how long it was.
        rss_mb: resident memory in MiB.
        handles, threads: open files and threads of the process.
        cpu: share of one core.
        frames, new: frames that came, and those that differ from the one before.
        interval_p95_ms, interval_max_ms: from frame to frame, where the camera is read; NaN without any.
        dropped: frames that stages dropped so far.
        latency_p95_ms: capture to sink, of the last two minutes; NaN before it is known.
    """

    time_s: float
    seconds: float
    rss_mb: float
    handles: int
    threads: int
    cpu: float
    frames: int
    new: int
    interval_p95_ms: float
    interval_max_ms: float
    dropped: int
    latency_p95_ms: float


def judged(samples: Sequence[Sample]) -> list[Sample]:
    """Return those after the run has warmed up."""
    warm_s = min(WARM_S, WARM_SHARE * samples[-1].time_s) if samples else 0.0
    return [sample for sample in samples if sample.time_s >= warm_s]


def missed_bars(samples: Sequence[Sample], fps: float, planned_s: float) -> list[str]:
    """Return one line for each bar that a run misses."""
    rest = judged(samples)
    if not rest or samples[-1].time_s < 0.95 * planned_s - 2.0:
        return [f"it ended after {samples[-1].time_s if samples else 0.0:.0f} s of {planned_s:.0f}"]
    n = max(1, round(EDGE_SHARE * len(rest)))
    missed = []
    begin_mb, end_mb = (float(np.median([s.rss_mb for s in part])) for part in (rest[:n], rest[-n:]))
    if abs(end_mb / begin_mb - 1.0) > MEMORY_BAR:
        missed.append(f"memory: {begin_mb:.0f} MB at first, {end_mb:.0f} MB in the end")
    for what in ("handles", "threads"):
        begin, end = (float(np.median([getattr(s, what) for s in part])) for part in (rest[:n], rest[-n:]))
        if abs(end - begin) > 1.0:  # a loop's seam opens and closes the clip
            missed.append(f"{what}: {begin:.0f} at first, {end:.0f} in the end")
    rate = sum(s.frames for s in rest) / sum(s.seconds for s in rest)
    if rate < FPS_BAR * fps:
        missed.append(f"cadence: {rate:.1f} frames a second of {fps:g}")
    interval_ms = _typical(rest, "interval_p95_ms")
    if not interval_ms <= INTERVAL_BAR_MS:
        missed.append(f"intervals: 95 % take up to {interval_ms:.0f} ms in the median second")
    return missed


def table(samples: Sequence[Sample]) -> str:
    """Return at most a dozen rows, each over as long a time, for people."""
    lines = [
        "   until      RSS handles threads    CPU frames/s   new/s  p95 ms  max ms dropped latency p95 ms"
    ]
    for part in np.array_split(np.arange(len(samples)), min(_ROWS, len(samples))):
        group = [samples[i] for i in part]
        seconds = sum(s.seconds for s in group)
        last = group[-1]
        lines.append(
            f"{last.time_s:7.0f}s {last.rss_mb:6.0f}MB {last.handles:7d} {last.threads:7d} "
            f"{sum(s.cpu * s.seconds for s in group) / seconds:6.2f} "
            f"{sum(s.frames for s in group) / seconds:8.2f} {sum(s.new for s in group) / seconds:7.2f} "
            f"{_typical(group, 'interval_p95_ms'):7.1f} {np.nanmax([s.interval_max_ms for s in group]):7.1f} "
            f"{last.dropped:7d} {last.latency_p95_ms:14.1f}"
        )
    return "\n".join(lines)


def write(samples: Sequence[Sample], missed: Sequence[str], folder: Path) -> None:
    """Write samples.csv and summary.json."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Sample)])
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)
    rest = judged(samples)
    edges = (rest[: len(rest) // 5 + 1], rest[-(len(rest) // 5 + 1) :])
    summary = {
        "seconds": samples[-1].time_s if samples else 0.0,
        "missed": list(missed),
        **{
            f"{what}_{when}": float(np.median([getattr(s, what) for s in edge])) if edge else None
            for what in ("rss_mb", "handles", "threads", "cpu")
            for when, edge in zip(("begin", "end"), edges, strict=True)
        },
        "frames_per_s": sum(s.frames for s in rest) / max(sum(s.seconds for s in rest), 1e-9),
        "new_per_s": sum(s.new for s in rest) / max(sum(s.seconds for s in rest), 1e-9),
        "longest_interval_ms": max((s.interval_max_ms for s in rest), default=None),
        "dropped": samples[-1].dropped if samples else 0,
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _typical(samples: Sequence[Sample], what: str) -> float:
    return float(np.nanmedian([getattr(sample, what) for sample in samples]))
