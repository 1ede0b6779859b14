"""Rendering a video: every frame in order, output frame i shows input frame i."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from facepuppet.core.errors import MediaUnreadableError, NoDriverFaceError, OutputUnwritableError
from facepuppet.core.metrics import Meter, RunStats
from facepuppet.core.prefetch import ahead
from facepuppet.core.threads import single_threaded_blas
from facepuppet.core.types import Tracking
from facepuppet.drivers.camera.driver_old import Driver, DriverTracker
from facepuppet.drivers.camera.profile import DriverNeutral, Seat, most_neutral, neutral_from, seat_from
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.drivers.recorded import TrackingRecorder
from facepuppet.frames.cpu.compose import Composer
from facepuppet.media import Source, open_source
from facepuppet.portrait.avatar import Avatar
from facepuppet.session.puppet import Puppet
from facepuppet.sinks import open_sink
from facepuppet.watermark import PUBLIC_KEY, Key

if TYPE_CHECKING:
    from facepuppet.watermark.certificate import Credentials

DEFAULT_FPS = 30.0

Progress = Callable[[str, int, "int | None"], None]  # what is being done, frames done, frames in all


class Neutral(Enum):
    """Which frame of the input shows the driver at rest."""

    FIRST = "first"  # the first one with a face
    AUTO = "auto"  # the most neutral one: frontal, mouth shut, eyes open; needs a pass of its own


@dataclass(frozen=True, slots=True)
class Step:
    """One tracked frame and its presentation time."""

    tracking: Tracking
    pts_s: float


def render_video(
    source: str | Path,
    output: str | Path,
    avatar: Avatar,
    *,
    composer: Composer | None = None,
    neutral: Neutral | DriverNeutral = Neutral.FIRST,
    tracking_to: Path | None = None,
    progress: Progress | None = None,
    tracker: DriverTracker | None = None,
    key: Key = PUBLIC_KEY,
    session: int = 0,
    consent_id: str | None = None,
    engine: str = "auto",
    credentials: Credentials | None = None,
) -> RunStats:
    """Let a portrait perform what the driver does in a video.

    Frame times are the input's, its sound is carried over, and a frame without a face shows the
    puppet held, easing or at rest. Nothing is left under the output's name when this raises.

    Args:
        source: video file, image folder, or URL of a recording.
        output: video file to write.
        avatar: the portrait.
        composer: framing, background, mirror and label; the defaults of Composer if None.
        neutral: the driver's resting face, or how to find it.
        tracking_to: .npz file for the trackings (see `facepuppet.drivers.recorded`).
        progress: called after every frame.
        tracker: an open tracker to use and close; MediaPipe's if None.
        key: who can detect the watermark.
        session: counter that the watermark carries.
        consent_id: id of the consent record, which the watermark carries; the portrait's digest if None.
        engine: what runs the painters.
        credentials: who signs the output's manifest; this machine's own if None.

    Raises:
        CaptureError: the input cannot be decoded.
        OutputUnwritableError: the output cannot be written.
        NoDriverFaceError: no frame shows a face.
        EngineError: the engine that was asked for cannot run here.
    """
    begun_s = time.perf_counter()
    composer = composer or Composer(avatar)
    _refuse_overwriting(source, output)
    progress, meter, recorder = progress or _silent, Meter(), TrackingRecorder()
    sound = Path(source) if Path(source).is_file() else None
    with (
        single_threaded_blas(),
        closing(Driver(tracker or Tracker(live=False), meter)) as driver,
        open_source(source) as opened,
    ):
        _refuse_live(opened)
        fps = opened.fps or DEFAULT_FPS
        with open_sink(
            str(output), composer.canvas_px, fps, audio_from=sound, credentials=credentials
        ) as sink:
            steps: Iterable[Step] = _tracked(opened, driver, fps)
            rest = _Rest(neutral if isinstance(neutral, DriverNeutral) else None)
            if neutral is Neutral.AUTO:
                steps, rest = _searched(steps, opened, progress)
            puppet = Puppet(
                avatar,
                composer,
                neutral=rest.neutral,
                seat=rest.seat,
                settle_frames=1,
                key=key,
                session=session,
                consent_id=consent_id,
                engine=engine,
                meter=meter,
            )
            with ahead(steps) as tracked:
                for n, step in enumerate(tracked, start=1):
                    picture = puppet.show(step.tracking)
                    with meter.time("sink"):
                        sink.send(picture, step.pts_s)
                    if tracking_to is not None:
                        recorder.add(step.tracking, step.pts_s)
                    progress("rendering", n, opened.n_frames)
            if meter.counted("with face") == 0:
                raise _no_face(opened)
    if tracking_to is not None:
        recorder.save(tracking_to)
    elapsed_s = time.perf_counter() - begun_s
    return RunStats.offline(
        meter,
        meter.counted("tracked"),
        elapsed_s,
        networks=puppet.networks,
        frame_path=puppet.frame_path,
        fallbacks=puppet.fallbacks,
    )


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is known of the driver at rest; what is None comes from the first frame with a face."""

    neutral: DriverNeutral | None = None
    seat: Seat | None = None


def _tracked(source: Source, driver: Driver, fps: float) -> Iterator[Step]:
    """Track every frame; captured_ns becomes presentation time, so that a run repeats exactly."""
    n = 0
    while (frame := source.read()) is not None:
        pts_s = n / fps if frame.pts_s is None else frame.pts_s
        yield Step(driver.follow(replace(frame, captured_ns=round(pts_s * 1e9))), pts_s)
        n += 1


def _searched(steps: Iterable[Step], source: Source, progress: Progress) -> tuple[list[Step], _Rest]:
    """Track the whole input first and take its most neutral frame for the driver at rest."""
    listed: list[Step] = []
    for step in steps:
        listed.append(step)
        progress("tracking", len(listed), source.n_frames)
    trackings = [step.tracking for step in listed]
    if all(tracking.face is None for tracking in trackings):
        raise _no_face(source)
    calmest = [trackings[most_neutral(trackings)]]
    neutral = neutral_from(calmest)
    return listed, _Rest(neutral, seat_from(calmest, neutral))


def _refuse_overwriting(source: str | Path, output: str | Path) -> None:
    source, output = Path(source), Path(output)
    if source.exists() and output.exists() and source.samefile(output):
        raise OutputUnwritableError(
            f"'{output}' as both input and output",
            "two different files",
            "Choose another --output.",
        )


def _refuse_live(source: Source) -> None:
    if source.live:
        raise MediaUnreadableError(
            f"{source.description}, which never ends",
            "a recording",
            "Use `facepuppet run` for live input.",
        )


def _no_face(source: Source) -> NoDriverFaceError:
    return NoDriverFaceError(
        f"{source.description}, in which no frame shows a face",
        "a video of one person's face, at least about 60 pixels across",
        "Check the input, or crop it to the face.",
    )


def _silent(phase: str, done: int, total: int | None) -> None:
    """Report nothing."""
