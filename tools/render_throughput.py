"""How fast a motion becomes a marked picture: warp, paint, blend and mark, as fast as it goes.

    python tools/render_throughput.py [--engine NAME ...] [--portrait 1024] [--canvas 1280x720] [--seconds 10]
    python tools/render_throughput.py --stages        # where each microsecond goes, on a GPU
    python tools/render_throughput.py --maker liveportrait      # an imported network draws the face

Nothing paces it and nothing is tracked: a scripted piece drives the portrait. With --tracked the built-in
driver clip is tracked as well, one frame after the other, as in a live loop without its camera. Prints
hardware, median, p95 and frames a second; with several engines, ratios to the first of one run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import cycle
from pathlib import Path

import numpy as np

from facepuppet.core import Expression, FacepuppetError, Frame, Spread, describe_hardware
from facepuppet.diagnose import driver_clip, square_portrait
from facepuppet.drivers import CameraDriver, Performance, Tracker
from facepuppet.frames import MAKERS, Composer, CudaMaker, FallbackMaker, probe_motions
from facepuppet.inference import ENGINES
from facepuppet.media import Source, open_source
from facepuppet.portrait import Avatar, load_avatar
from facepuppet.session import Puppet

N_EXPRESSIONS = 300
WARM_UP = 30


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", action="append", choices=("auto", *ENGINES), help="repeatable")
    parser.add_argument("--portrait", type=int, default=1024, help="side of the square portrait in pixels")
    parser.add_argument("--canvas", default="1280x720")
    parser.add_argument("--maker", default="builtin", choices=MAKERS, help="who draws the face")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--tracked", action="store_true", help="track a driver clip as well")
    parser.add_argument("--stages", action="store_true", help="time every stage of the GPU's frame path")
    arguments = parser.parse_args()
    width, height = map(int, arguments.canvas.split("x"))
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="facepuppet-throughput-") as folder:
        avatar = load_avatar(square_portrait(Path(folder), arguments.portrait), cache=False)
        first_s: float | None = None
        for engine in arguments.engine or ["auto"]:
            try:
                composer = Composer(avatar, (width, height))
                puppet = Puppet(avatar, composer, engine=engine, maker=arguments.maker)
                if arguments.stages:
                    print(_stages(engine, puppet, avatar, arguments.seconds))
                    continue
                step = _tracking_step(puppet, folder) if arguments.tracked else _rendering_step(puppet)
                durations_s = _timed(step, arguments.seconds)
            except FacepuppetError as error:
                sys.exit(f"render_throughput: {error}")
            first_s = first_s or float(np.median(durations_s))
            print(_line(engine, puppet, durations_s, first_s))


def _rendering_step(puppet: Puppet) -> Callable[[], None]:
    """Render the next moment of the built-in piece."""
    piece = Performance()
    played = cycle([piece.expression(i / 30, i) for i in range(N_EXPRESSIONS)])
    return lambda: _show(puppet, next(played))


def _tracking_step(puppet: Puppet, folder: str) -> Callable[[], None]:
    """Track the next frame of a clip, decoded beforehand, and render it."""
    with open_source(driver_clip(Path(folder))) as source:
        frames = list(_frames(source))
    driver = CameraDriver(_Looped(frames), make_tracker=lambda: Tracker(live=True))

    def step() -> None:
        expression = driver.read()
        assert expression is not None, "the clip never ends"
        _show(puppet, expression)

    return step


class _Looped(Source):
    """Decoded frames, over and over, with times that go on."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.fps, self.live, self.n_frames = 30.0, False, None
        self.size_px = (frames[0].rgb.shape[1], frames[0].rgb.shape[0])
        self.description = "a clip, looped"
        self._frames, self._n = cycle(frames), 0

    def read(self) -> Frame | None:
        """Return the next frame."""
        self._n += 1
        return replace(next(self._frames), frame_id=self._n - 1, pts_s=(self._n - 1) / 30.0)

    def close(self) -> None:
        """Nothing is held."""


def _frames(source: Source) -> Iterator[Frame]:
    while (frame := source.read()) is not None:
        yield frame


def _show(puppet: Puppet, expression: Expression) -> None:
    puppet.show(expression)


def _timed(step: Callable[[], None], seconds: float) -> list[float]:
    for _ in range(WARM_UP):
        step()
    durations_s: list[float] = []
    end_s = time.perf_counter() + seconds
    while (begun_s := time.perf_counter()) < end_s:
        step()
        durations_s.append(time.perf_counter() - begun_s)
    return durations_s


def _stages(engine: str, puppet: Puppet, avatar: Avatar, seconds: float) -> str:
    """Time every step on the GPU; the CPU's own are in the line of a plain run."""
    path = puppet.maker.maker if isinstance(puppet.maker, FallbackMaker) else puppet.maker
    if not isinstance(path, CudaMaker):
        sys.exit(
            f"render_throughput: --stages needs frames made on a GPU, got {puppet.frame_path} by {engine}"
        )
    motions = cycle(probe_motions(avatar))
    found: dict[str, list[float]] = {}
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        for name, taken_s in path.profile(next(motions)).items():
            found.setdefault(name, []).append(taken_s)
    rows = [f"{'step':<14} median µs     p95 µs"]
    rows += [
        f"{name:<14} {1e6 * np.median(taken_s):9.1f}  {1e6 * np.percentile(taken_s, 95):9.1f}"
        for name, taken_s in found.items()
    ]
    return "\n".join([f"{engine}: {path.description}, enqueued one by one", *rows])


def _line(engine: str, puppet: Puppet, durations_s: Sequence[float], first_s: float) -> str:
    spread = Spread.of(durations_s)
    assert spread is not None
    pace = len(durations_s) / sum(durations_s)
    by = ", ".join(sorted(set(puppet.networks.values()))) or "no network"
    stages = ", ".join(f"{name} {told.median_ms:.2f}" for name, told in puppet.timings().items())
    ratio = first_s * 1e3 / spread.median_ms
    lines = [
        f"{engine}: {pace:.0f} frames a second, {ratio:.2f} times the first",
        f"  median {spread.median_ms:.2f} ms, p95 {spread.p95_ms:.2f} ms",
        f"  frames by {puppet.frame_path}; networks by {by}",
        f"  medians in ms: {stages}",
        *(f"  {sentence}" for sentence in puppet.fallbacks),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
