"""What a run cost: time per stage, drops, latency, memory."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

SCHEMA_VERSION = 1
_WINDOW = 4096  # newest samples kept for percentiles; memory must not grow with time


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 95th percentile and largest of the newest samples, in milliseconds.

    Attributes:
        n: how many samples there were in all.
        cpu_ms: CPU time that the measured thread itself took, mean over all samples (helpers that it waited
            for are not in there); None where a duration is no work of one thread.
    """

    median_ms: float
    p95_ms: float
    max_ms: float
    n: int
    cpu_ms: float | None = None

    @classmethod
    def of(
        cls, durations_s: Sequence[float], n: int | None = None, cpu_ms: float | None = None
    ) -> Spread | None:
        """Summarise durations in seconds; None when there are none."""
        if not durations_s:
            return None
        samples_ms = np.asarray(durations_s) * 1e3
        median, p95 = np.percentile(samples_ms, [50, 95])
        largest = float(samples_ms.max())
        median_ms, p95_ms = round(float(median), 3), round(float(p95), 3)
        return cls(median_ms, p95_ms, round(largest, 3), n or len(durations_s), cpu_ms)


@dataclass(frozen=True, slots=True)
class RunStats:
    """A snapshot of a run, live or offline.

    Attributes:
        seconds: since the start.
        frames_in: frames or packets that came in from the driver.
        frames_tracked: of those, made into expressions.
        frames_with_face: of those, in which the driver was seen, and rest was known.
        frames_hidden: of those, in which something was before a part of the face, by the part's name.
        frames_out: new pictures delivered.
        frames_repeated: pictures delivered again to keep the cadence.
        dropped: frames replaced by newer ones before a stage took them, by the stage that was late.
        fps: new pictures delivered a second.
        first_frame_s: from the start to the first delivered picture, None before it.
        latency: capture to sink; None offline.
        stages: time of each stage by name, in the order of the pipeline.
        rss_mb: resident memory of the process in MiB.
        networks: what ran each painter's network in the end, by the network's name.
        frame_path: what made pictures of motions in the end, "CPU" or a GPU.
        fallbacks: one sentence for each painter or engine that failed; geometry or the next engine stood in.
        quality: name of the one that pictures had in the end.
        quality_changes: one sentence for each time it changed by itself.
        restarts: one sentence for each time a stage failed in a way nobody foresaw, and was begun again.
        rejected: packets from the network that were none of the driver's protocol, or somebody else's.
    """

    seconds: float
    frames_in: int
    frames_tracked: int
    frames_with_face: int
    frames_out: int
    frames_repeated: int
    dropped: Mapping[str, int]
    fps: float
    first_frame_s: float | None
    latency: Spread | None
    stages: Mapping[str, Spread]
    rss_mb: float
    networks: Mapping[str, str] = field(default_factory=dict)
    frame_path: str = "CPU"
    fallbacks: Sequence[str] = ()
    quality: str = "best"
    quality_changes: Sequence[str] = ()
    restarts: Sequence[str] = ()
    rejected: int = 0
    frames_hidden: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def offline(
        cls,
        n_frames: int,
        seconds: float,
        *,
        n_with_face: int,
        n_hidden: Mapping[str, int],
        stages: Mapping[str, Spread],
        networks: Mapping[str, str],
        frame_path: str,
        fallbacks: Sequence[str],
    ) -> RunStats:
        """Describe a finished run in which every frame was shown and none had to be in time."""
        return cls(
            seconds=round(seconds, 3),
            frames_in=n_frames,
            frames_tracked=n_frames,
            frames_with_face=n_with_face,
            frames_out=n_frames,
            frames_repeated=0,
            dropped={},
            fps=round(n_frames / seconds, 2) if seconds > 0 else 0.0,
            first_frame_s=None,
            latency=None,
            stages=stages,
            rss_mb=rss_mb(),
            networks=networks,
            frame_path=frame_path,
            fallbacks=fallbacks,
            frames_hidden=n_hidden,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for json.dumps; `schema` counts incompatible changes."""
        return {"schema": SCHEMA_VERSION, **asdict(self)}


class Meter:
    """Collects durations from several threads, in bounded memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations_s: dict[str, deque[float]] = {}
        self._n: Counter[str] = Counter()
        self._cpu_s: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Measure the body of a with statement in this thread; nothing is recorded when it raises."""
        start, cpu_start = time.perf_counter(), time.thread_time()
        yield
        cpu_s = time.thread_time() - cpu_start
        self.record(stage, time.perf_counter() - start, cpu_s)

    def record(self, stage: str, duration_s: float, cpu_s: float) -> None:
        """Add one duration of a stage, and the CPU time that its thread took in it."""
        with self._lock:
            self._durations_s.setdefault(stage, deque(maxlen=_WINDOW)).append(duration_s)
            self._n[stage] += 1
            self._cpu_s[stage] = self._cpu_s.get(stage, 0.0) + cpu_s

    def spreads(self) -> dict[str, Spread]:
        """Summarise every stage, in the order in which they were first measured."""
        with self._lock:
            samples = {stage: tuple(durations) for stage, durations in self._durations_s.items()}
            n, cpu_s = dict(self._n), dict(self._cpu_s)
        spreads = {
            stage: Spread.of(durations, n[stage], round(1e3 * cpu_s[stage] / n[stage], 4))
            for stage, durations in samples.items()
        }
        return {stage: spread for stage, spread in spreads.items() if spread is not None}


def rss_mb() -> float:
    """Return the resident memory of this process in MiB."""
    import psutil

    return round(float(psutil.Process().memory_info().rss) / 2**20, 1)
