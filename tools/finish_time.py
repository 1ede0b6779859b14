"""How long the end of a frame takes on the CPU: composition, the mark, and I420 for a virtual camera.

    python tools/finish_time.py [--canvas 1280x720 ...] [--portrait 512] [--frames 300]

The built-in portrait performs the scripted piece; its frames are drawn beforehand, so that nothing but the
end is timed, in one thread as in a live loop. Prints hardware, and median and p95 of the wall clock and of
processor time for each step: of pictures that leave as RGB and are then converted, and of those that are
made as I420. Both ways take turns frame by frame, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from facepuppet.core import Rendered, describe_hardware, to_i420
from facepuppet.diagnose import square_portrait
from facepuppet.drivers import Performance
from facepuppet.frames import Composer, Renderer
from facepuppet.portrait import Avatar, load_avatar
from facepuppet.retarget import Retargeter
from facepuppet.watermark import Marker

N_DRAWN = 60
WARM_UP = 20
N_HELD = 3  # pictures that pacer and sink still hold: their memory is not free for the next one

R = TypeVar("R")


class Stopwatch:
    """Collects how long steps take, by their names in the order of first use."""

    def __init__(self) -> None:
        self._taken_ns: dict[str, list[tuple[int, int]]] = {}

    def time(self, step: str, work: Callable[[], R]) -> R:
        """Do a step."""
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        result = work()
        taken = time.perf_counter_ns() - wall_ns, time.thread_time_ns() - cpu_ns
        self._taken_ns.setdefault(step, []).append(taken)
        return result

    def rows(self) -> list[str]:
        """Return a line for each step: median and p95, wall clock and processor, in ms."""
        lines = []
        for step, taken_ns in self._taken_ns.items():
            (wall, cpu), (wall_95, cpu_95) = np.percentile(taken_ns[WARM_UP:], (50, 95), axis=0) / 1e6
            lines.append(f"{step:<28} {wall:8.3f} {wall_95:8.3f} {cpu:8.3f} {cpu_95:8.3f}")
        return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--canvas", action="append", help="WIDTHxHEIGHT, even; repeatable")
    parser.add_argument("--portrait", type=int, default=512, help="side of the square portrait in pixels")
    parser.add_argument("--frames", type=int, default=300, help="timed, after some to warm up")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    for key, value in asdict(describe_hardware()).items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="facepuppet-finish-") as folder:
        avatar = load_avatar(square_portrait(Path(folder), arguments.portrait), cache=False)
    drawn = draw(avatar, N_DRAWN)
    for canvas in arguments.canvas or ["1280x720", "1920x1080"]:
        width, height = map(int, canvas.split("x"))
        print(f"\n{canvas:<28} wall ms      p95   CPU ms      p95")
        print("\n".join(measure(avatar, drawn, (width, height), arguments.frames)))


def draw(avatar: Avatar, n: int) -> list[Rendered]:
    """Let a portrait perform so many frames, twice as fast as it would."""
    renderer, retargeter, piece = Renderer(avatar, engine="cpu"), Retargeter(avatar), Performance()
    return [renderer.render(retargeter.update(piece.expression(i / 15, i))) for i in range(n)]


def measure(avatar: Avatar, drawn: Sequence[Rendered], canvas_px: tuple[int, int], frames: int) -> list[str]:
    """Return a line for each step of both ways."""
    composer, marker = Composer(avatar, canvas_px), Marker(size_px=canvas_px)
    watch, held = Stopwatch(), deque[object](maxlen=2 * N_HELD)
    for i in range(WARM_UP + frames):
        rendered = drawn[i % len(drawn)]
        held.append(watch.time("RGB in all", partial(as_rgb, watch, composer, marker, rendered)))
        held.append(watch.time("I420 in all", partial(as_i420, watch, composer, marker, rendered)))
        watch.time("either: the puppet's resize", partial(composer.placement.show, rendered.rgba))
    return watch.rows()


def as_rgb(watch: Stopwatch, composer: Composer, marker: Marker, rendered: Rendered) -> object:
    """Finish a frame as RGB, and convert it as a virtual camera does; return all that others would hold."""
    composed = watch.time("RGB: compose", lambda: composer.compose(rendered))
    marked = watch.time("RGB: mark", lambda: marker.mark(composed))
    return marked, watch.time("RGB: convert to I420", lambda: to_i420(marked.rgb))


def as_i420(watch: Stopwatch, composer: Composer, marker: Marker, rendered: Rendered) -> object:
    """Finish a frame as I420."""
    composed = watch.time("I420: compose", lambda: composer.compose_i420(rendered))
    return watch.time("I420: mark", lambda: marker.mark_i420(composed))


if __name__ == "__main__":
    main()
