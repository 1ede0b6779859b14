"""Rendering without a clock: every expression in order, one picture each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from facepuppet.character.style import Style
from facepuppet.core.errors import MediaUnreadableError, NoDriverFaceError, OutputUnwritableError
from facepuppet.core.metrics import Meter, RunStats
from facepuppet.core.prefetch import prefetch
from facepuppet.core.threads import single_threaded_blas
from facepuppet.core.types import Expression, Pixels
from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.camera_driver import DEFAULT_FPS, CameraDriver, FrameTracker
from facepuppet.drivers.camera.profile import DriverNeutral
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.drivers.recorded import RecordingDriver
from facepuppet.drivers.recording_words import is_playable, open_playable, open_writer
from facepuppet.drivers.remote.protocol_names import is_remote
from facepuppet.drivers.voice.say_names import is_say
from facepuppet.drivers.voice.voice_file_driver import VoiceFileDriver
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.drivers.voice.voice_words import VOICE, is_mic, voice_file
from facepuppet.frames.cpu.compose.composer import Composer
from facepuppet.inference.runtime import Runtime
from facepuppet.media.source_words import open_source
from facepuppet.portrait.avatar import Avatar
from facepuppet.session.puppet import Puppet
from facepuppet.sinks.sink import Sink
from facepuppet.sinks.sink_words import open_sink
from facepuppet.vision.trackers import TrackingModels
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.marked import Marked

if TYPE_CHECKING:
    from facepuppet.watermark.certificate import Credentials

PICTURES_AHEAD = 3  # of the sink: an encoder takes its time now and then

Progress = Callable[[str, int, "int | None"], None]  # what is being done, frames done, frames in all
Each = Callable[[Expression, Marked], None]


class Neutral(Enum):
    """Which frame of the input shows the driver at rest."""

    FIRST = "first"  # the first one with a face, or soon after it the first that is at rest
    AUTO = "auto"  # the most neutral one: frontal, mouth shut, eyes open; needs a pass of its own


def play(driver: Driver, puppet: Puppet, sink: Sink, each: Each | None = None) -> RunStats:
    """Let a puppet perform all that a driver does, into a sink, as fast as it goes.

    Args:
        driver: read in a thread of its own, a few expressions ahead.
        puppet: fresh; performs in another one, a few pictures ahead.
        sink: stays open.
        each: called with every expression and its picture.

    Raises:
        FacepuppetError: the driver or the sink cannot go on.
    """
    begun_s, meter, n, n_with_face = time.perf_counter(), Meter(), 0, 0
    n_hidden: Counter[str] = Counter()
    puppet.set_pixels(sink.pixels or Pixels.RGB)
    with (
        single_threaded_blas(),
        prefetch(_expressions(driver)) as expressions,
        prefetch(_shown(puppet, expressions), PICTURES_AHEAD) as pictures,
    ):
        for expression, picture in pictures:
            with meter.time("sink"):
                sink.send(picture, expression.captured_ns * 1e-9)
            n, n_with_face = n + 1, n_with_face + (expression.face is not None)
            n_hidden.update(part.value for part in expression.hidden)
            if each is not None:
                each(expression, picture)
    return RunStats.offline(
        n,
        time.perf_counter() - begun_s,
        n_with_face=n_with_face,
        n_hidden=n_hidden,
        stages={**driver.timings(), **puppet.timings(), **meter.spreads()},
        networks=puppet.networks,
        frame_path=puppet.frame_path,
        fallbacks=puppet.fallbacks,
    )


def render_video(
    source: str | Path,
    output: str | Path,
    avatar: Avatar,
    *,
    composer: Composer | None = None,
    neutral: Neutral | DriverNeutral = Neutral.FIRST,
    recording_to: Path | None = None,
    progress: Progress | None = None,
    tracker: FrameTracker | None = None,
    models: TrackingModels | None = None,
    key: Key = PUBLIC_KEY,
    session: int = 0,
    consent_id: str | None = None,
    engine: str | Runtime = "auto",
    maker: str = "builtin",
    credentials: Credentials | None = None,
    voice: VoiceSetup | None = None,
    fps: float | None = None,
    style: Style | None = None,
) -> RunStats:
    """Let a portrait perform what the driver does in a video or a recording, or what a voice says.

    Frame times are the input's, its sound is carried over, and a frame without a face shows the
    puppet held, easing or at rest. Nothing is left under the output's name when this raises.

    Args:
        source: video file, image folder, URL of a recording, a recording of expressions (.npz, or .csv
            of Live Link Face), a file of sound, or "voice:" and any file with sound.
        output: video file to write.
        avatar: the portrait.
        composer: framing, background, mirror and label; the defaults of Composer if None.
        neutral: the driver's resting face, or how to find it; recordings of expressions know it.
        recording_to: file for the expressions, .npz or .csv (see `facepuppet.drivers.recording_words`).
        progress: called after every frame.
        tracker: an open tracker to use and close; one of its own if None.
        models: the networks of that one; the project's own runner of them if None.
        key: who can detect the watermark.
        session: counter that the watermark carries.
        consent_id: id of the consent record, which the watermark carries; the portrait's digest if None.
        engine: what runs the painters.
        maker: "builtin", "liveportrait" or "auto", as of `Puppet`; the cadence is the video's.
        credentials: who signs the output's manifest; this machine's own if None.
        voice: how a voice drives; as usual if None.
        fps: frames a second of what a voice drives; 30 if None. Everything else has its own.
        style: the puppet's personality; the driver's own if None.

    Raises:
        CaptureError: the input cannot be decoded.
        RecordingError: the recording cannot be read.
        OutputUnwritableError: the output cannot be written.
        NoDriverFaceError: no frame shows a face.
        EngineError: the engine that was asked for cannot run here.
    """
    composer = composer or Composer(avatar)
    _refuse_overwriting(source, output)
    show, done = progress or _silent, 0
    with ExitStack() as stack:
        driver = stack.enter_context(
            _played(source, fps or DEFAULT_FPS, voice) or _video_driver(source, neutral, tracker, models)
        )
        _refuse_live(driver)
        fps = driver.fps or DEFAULT_FPS
        sound = _sound_of(source)
        sink = stack.enter_context(
            open_sink(str(output), composer.canvas_px, fps, audio_from=sound, credentials=credentials)
        )
        if isinstance(driver, CameraDriver) and neutral is Neutral.AUTO:
            driver = _Searched(driver, show)
        if recording_to is not None:
            writer = stack.enter_context(open_writer(recording_to, driver.description, fps))
            driver = RecordingDriver(driver, writer)
        puppet = Puppet(
            avatar,
            composer,
            key=key,
            session=session,
            consent_id=consent_id,
            engine=engine,
            maker=maker,
            fps=fps,
        )
        if style is not None:
            puppet.character.style = style

        def each(expression: Expression, picture: Marked) -> None:
            nonlocal done
            done += 1
            show("rendering", done, driver.n_frames)

        stats = play(driver, puppet, sink, each)
        if stats.frames_with_face == 0:
            raise _no_face(driver)
    return stats


class _Searched(Driver):
    """A camera driver whose whole input is tracked first; its most neutral frame is the driver at rest."""

    def __init__(self, camera: CameraDriver, progress: Progress) -> None:
        self.description, self.fps = camera.description, camera.fps
        self.timings = camera.timings  # type: ignore[method-assign]
        trackings: list[Tracking] = []
        while (tracking := camera.read_tracking()) is not None:
            trackings.append(tracking)
            progress("tracking", len(trackings), camera.n_frames)
        if all(tracking.face is None for tracking in trackings):
            raise _no_face(camera)
        self.n_frames: int | None = len(trackings)
        self._rest = Rest.at_the_calmest(trackings)
        self._trackings = iter(trackings)

    def read(self) -> Expression | None:
        """Return the next frame's expression."""
        tracking = next(self._trackings, None)
        return None if tracking is None else self._rest.express(tracking)


def _shown(puppet: Puppet, expressions: Iterator[Expression]) -> Iterator[tuple[Expression, Marked]]:
    for expression in expressions:
        yield expression, puppet.show(expression)


def _expressions(driver: Driver) -> Iterator[Expression]:
    while (expression := driver.read()) is not None:
        yield expression


def _video_driver(
    source: str | Path,
    neutral: Neutral | DriverNeutral,
    tracker: FrameTracker | None,
    models: TrackingModels | None,
) -> CameraDriver:
    rest = Rest(neutral if isinstance(neutral, DriverNeutral) else None)
    return CameraDriver(open_source(source), rest, None if tracker is None else lambda: tracker, models)


def _played(source: str | Path, fps: float, voice: VoiceSetup | None) -> Driver | None:
    """Open what needs nobody's picture: a recording, or a voice; None for anything else."""
    if is_mic(source):
        raise _endless("a microphone")
    if is_say(str(source)):
        raise MediaUnreadableError(
            f"'{source}', which reads out live",
            "a recording",
            "Use `facepuppet run`, or let the speech command write a sound file first, and give that.",
        )
    if is_remote(str(source)):
        raise _endless(f"'{source}'")
    if is_playable(source):
        return open_playable(source)
    path = voice_file(source)
    return None if path is None else VoiceFileDriver(path, fps, voice)


def _sound_of(source: str | Path) -> Path | None:
    """The file whose sound goes along: the voice that drives, or the video's own."""
    path = Path(str(source).removeprefix(VOICE)).expanduser()
    return path if path.is_file() and not is_playable(source) else None


def _refuse_overwriting(source: str | Path, output: str | Path) -> None:
    source, output = Path(str(source).removeprefix(VOICE)), Path(output)
    if source.exists() and output.exists() and source.samefile(output):
        raise OutputUnwritableError(
            f"'{output}' as both input and output",
            "two different files",
            "Choose another --output.",
        )


def _refuse_live(driver: Driver) -> None:
    if driver.live:
        raise _endless(driver.description)


def _endless(what: str) -> MediaUnreadableError:
    return MediaUnreadableError(
        f"{what}, which never ends", "a recording", "Use `facepuppet run` for live input."
    )


def _no_face(driver: Driver) -> NoDriverFaceError:
    return NoDriverFaceError(
        f"{driver.description}, in which no frame shows a face",
        "a video of one person's face, at least about 60 pixels across",
        "Check the input, or crop it to the face.",
    )


def _silent(phase: str, done: int, total: int | None) -> None:
    """Report nothing."""
