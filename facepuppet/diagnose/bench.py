"""The real live loop on this machine, fed with real faces, measured."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import cv2

from facepuppet.core.cpu_use import CpuUse
from facepuppet.core.hardware import Hardware, describe_hardware
from facepuppet.core.metrics import RunStats
from facepuppet.core.types import Pixels
from facepuppet.diagnose.cpu_watch import CpuWatch
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.frames.cpu.compose import Composer
from facepuppet.inference import Runtime
from facepuppet.media import open_source
from facepuppet.media.pictures import load_picture
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.session.demo import perform
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.sinks import Sink
from facepuppet.sinks.even_size import i420_of
from facepuppet.vision.trackers import TRACKERS, tracking_models
from facepuppet.watermark import Marked

FPS = 30.0
CANVAS_PX = (1280, 720)
PORTRAITS_PX = (512, 1024)
_CLIP_S = 8.0

R = TypeVar("R")
Progress = Callable[[str, int, "int | None"], None]


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured, and on what.

    Attributes:
        canvas: size of the output, for people.
        runs: figures by the portrait's size.
        cpu: what a frame cost after start-up, by the portrait's size; None where there was no new frame.
    """

    hardware: Hardware
    canvas: str
    runs: dict[str, RunStats]
    cpu: dict[str, CpuUse | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for json.dumps."""
        runs = {portrait: stats.to_json() for portrait, stats in self.runs.items()}
        cpu = {portrait: None if use is None else asdict(use) for portrait, use in self.cpu.items()}
        return {
            "schema": 1,
            "hardware": asdict(self.hardware),
            "canvas": self.canvas,
            "runs": runs,
            "cpu": cpu,
        }


class NowhereSink(Sink):
    """Does the work of a virtual camera (I420) and throws the result away."""

    pixels = Pixels.I420

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.size_px = size_px
        self.description = "virtual-camera format, discarded"

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        i420_of(frame)

    def close(self) -> None:
        """Nothing is open."""


def run_bench(
    seconds: float,
    driver: str | None = None,
    progress: Progress | None = None,
    engine: str = "auto",
    tracker: str = TRACKERS[0],
    canvas_px: tuple[int, int] | None = CANVAS_PX,
    maker: str = "builtin",
) -> BenchResult:
    """Measure the live loop for each portrait size.

    Args:
        seconds: length of each measurement.
        driver: video of a face; by default the sample portrait plays the driver.
        progress: called with the phase, steps done and steps in all.
        engine: what runs the networks.
        tracker: who tracks, one of TRACKERS.
        canvas_px: width and height of the output; each portrait's own if None.
        maker: who makes the frames, as of `Puppet`.

    Raises:
        EngineError: the engine that was asked for cannot run here.
        TrackerError: the tracker's package is not installed.
        CaptureError: the driver video cannot be decoded.
    """
    show = progress or _silent
    _apart(_require, engine, tracker)  # refused before minutes of work
    canvas = "x".join(map(str, canvas_px)) if canvas_px else "its own size"
    steps = 1 + len(PORTRAITS_PX)
    runs, cpu = {}, {}
    with tempfile.TemporaryDirectory(prefix="facepuppet-bench-") as folder:
        show("bench", 0, steps)
        video = driver or _apart(driver_clip, Path(folder))
        for done, side in enumerate(PORTRAITS_PX, start=1):
            show("bench", done, steps)
            portrait = square_portrait(Path(folder), side)
            size = f"{side}x{side}"
            runs[size], cpu[size] = _apart(
                _measure, video, portrait, seconds, engine, tracker, canvas_px, maker
            )
        show("bench", steps, steps)
    return BenchResult(describe_hardware(), canvas, runs, cpu)


def _apart(work: Callable[..., R], *arguments: object) -> R:
    """Do work in a fresh process, so that what came before costs it neither memory nor threads."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _require(engine: str, tracker: str) -> None:
    """Check that an engine and a tracker can run here."""
    tracking_models(tracker, Runtime(engine))


def _measure(
    video: str,
    portrait: Path,
    seconds: float,
    engine: str,
    tracker: str,
    canvas_px: tuple[int, int] | None,
    maker: str,
) -> tuple[RunStats, CpuUse | None]:
    avatar, runtime = load_avatar(portrait, cache=False), Runtime(engine)
    puppet = Puppet(avatar, Composer(avatar, canvas_px), engine=runtime, maker=maker, fps=FPS)
    with CameraDriver(open_source(f"loop:{video}"), models=tracking_models(tracker, runtime)) as driver:
        live = LivePipeline(driver, puppet, [NowhereSink(puppet.canvas_px)], fps=FPS, quality="best")
        with CpuWatch(live.stats, seconds) as watch:
            live.run(seconds)
        return live.stats(), watch.use


def driver_clip(folder: Path) -> str:
    """Let the sample portrait play the driver, so that tracking works on a real face."""
    path = folder / "driver.mp4"
    perform(load_avatar(sample_portrait_path()), path, round(_CLIP_S * FPS))
    return str(path)


def square_portrait(folder: Path, side: int) -> Path:
    """The sample portrait cut to a square and scaled, as a file."""
    picture = load_picture(sample_portrait_path())
    length = min(picture.shape[:2])
    how = cv2.INTER_AREA if side < length else cv2.INTER_CUBIC
    path = folder / f"portrait_{side}.png"
    scaled = cv2.resize(picture[:length, :length], (side, side), interpolation=how)
    cv2.imwrite(str(path), cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR))
    return path


def _silent(phase: str, done: int, total: int | None) -> None:
    """Report nothing."""
