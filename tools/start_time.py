"""From starting `facepuppet run` to its first frame: how long, and where the time goes.

    python tools/start_time.py [--starts 20] [--side 512] [--against OTHER_CHECKOUT]

A video plays the camera, a file is the sink, the analysed portrait is in the cache (one start before the
others sees to that), and each start is a fresh process. With --against two builds start in alternation, so
that what else the machine does meets both. Prints hardware, median, p95 and the medians of the parts.

The first frame is the portrait at rest: it waits for nobody. "driver seen" is when the first picture of the
driver had been tracked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facepuppet.core import describe_hardware
from facepuppet.diagnose import driver_clip, square_portrait

ROOT = Path(__file__).resolve().parents[1]
BAR_S = 1.2
RUN_S = "1.5"  # long enough for the driver to be seen
PARTS = (
    "interpreter",
    "imports",
    "portrait",
    "puppet",
    "networks",
    "camera",
    "sink",
    "else",
    "loop to frame",
)
_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds from the start of the process.

    Attributes:
        frame_s: when the first frame was out.
        cpu_s: the time of CPUs that the process had used by then, which other processes hardly change.
        driver_s: when the first picture of the driver had been tracked.
        parts_s: how long each of PARTS took of the main thread.
    """

    frame_s: float
    cpu_s: float
    driver_s: float
    parts_s: dict[str, float]


def main() -> None:
    """Measure and print; exit status 1 if the median start takes longer than the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--side", type=int, default=512, help="of the square portrait in pixels")
    parser.add_argument("--against", type=Path, help="checkout of another build, started in turn")
    arguments = parser.parse_args()
    builds = {"this": ROOT}
    if arguments.against is not None:
        builds["other"] = arguments.against.resolve()
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    starts: dict[str, list[Start]] = {name: [] for name in builds}
    with tempfile.TemporaryDirectory(prefix="facepuppet-start-") as name:
        folder = Path(name)
        portrait, video = square_portrait(folder, arguments.side), driver_clip(folder)
        for number in range(arguments.starts + 1):
            for build, checkout in builds.items():
                seen = start(checkout, folder, build, portrait, video)
                if number > 0:
                    starts[build].append(seen)
    for build, some in starts.items():
        print(summary(build, some))
    sys.exit(int(np.median([one.frame_s for one in starts["this"]]) > BAR_S))


def start(checkout: Path, folder: Path, build: str, portrait: Path, video: str) -> Start:
    """Start one build once.

    Args:
        checkout: the build.
        folder: scratch; each build has folders for its cache and its answers in there.
        build: its name.
        portrait: picture.
        video: of a face, which plays the camera.
    """
    report, film = folder / "report.json", folder / "out.mp4"
    own = {variable: str(folder / build / variable) for variable in _FOLDERS}
    environment = {**os.environ, **own, "PYTHONPATH": str(checkout)}
    observer = str(Path(__file__).with_name("start_observer.py"))
    words = ["run", "--avatar", str(portrait), "--right", "public-domain", "--camera", video]
    words += ["--sink", str(film), "--seconds", RUN_S]
    begun_ns = time.monotonic_ns()
    subprocess.run(
        [sys.executable, observer, str(report), str(begun_ns), *words],
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return _start_of(json.loads(report.read_text(encoding="utf-8")))


def _start_of(seen: dict[str, Any]) -> Start:
    noted, spent = seen["noted_ns"], seen["spent_ns"]
    spent["interpreter"] = noted["interpreter"]
    after_ns = noted["first frame"] - noted["loop"]  # below 0: the frame was out before the loop had started
    spent["loop to frame"] = max(after_ns, 0)
    spent["else"] += spent.pop("loop", 0) + min(after_ns, 0)
    return Start(
        noted["first frame"] * 1e-9,
        seen["cpu_ns"]["first frame"] * 1e-9,
        noted["tracking"] * 1e-9 if "tracking" in noted else float("nan"),
        {part: spent.get(part, 0) * 1e-9 for part in PARTS},
    )


def summary(build: str, starts: list[Start]) -> str:
    """Say what was measured of one build."""
    frames_s = [start.frame_s for start in starts]
    cpu_s, driver_s = (
        np.median([getattr(start, name) for start in starts]) for name in ("cpu_s", "driver_s")
    )
    parts = (f"{part} {1e3 * np.median([start.parts_s[part] for start in starts]):.0f}" for part in PARTS)
    return (
        f"{build}: first frame median {np.median(frames_s):.2f} s, p95 {np.percentile(frames_s, 95):.2f} s "
        f"of {len(starts)} starts, {cpu_s:.2f} s of CPU; driver seen {driver_s:.2f} s\n"
        f"  main thread, median ms: {', '.join(parts)}"
    )


if __name__ == "__main__":
    main()
