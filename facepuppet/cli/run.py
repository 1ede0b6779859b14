"""`facepuppet run`: live, from a camera to a call."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import (
    AvatarOption,
    BackgroundOption,
    CameraOption,
    CanvasOption,
    EngineOption,
    KeyOption,
    LabelEveryOption,
    LabelOption,
    MirrorOption,
    NoLabelOption,
    ProfileOption,
    QualityOption,
    SignerOption,
    StatsOption,
    TrackerOption,
    TrackingOption,
    camera_word,
    check_outputs,
    composer,
    engine_line,
    finite,
    open_engines,
    refuse_clobbering,
    signer,
    watermark_key,
    write_json,
)
from facepuppet.cli.rights import (
    GrantedOption,
    RevokedOption,
    RightOption,
    RightsOptions,
    SubjectOption,
    cleared,
)
from facepuppet.core.errors import FacepuppetError

if TYPE_CHECKING:
    from facepuppet.core.metrics import RunStats
    from facepuppet.drivers.base import Driver
    from facepuppet.drivers.recorded import RecordingDriver
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.puppet import Puppet
    from facepuppet.sinks.fanout import Fanout
    from facepuppet.sinks.preview_window import PreviewWindow
    from facepuppet.watermark.certificate import Credentials

RECENTRE_S = 20.0  # a lean held this long has become the way the driver sits
ENOUGH = 0.75  # of the output's rate; films of 24 and 25 pictures are no surprise at 30
MAX_SECONDS = 31_536_000.0  # a year; infinity has no end to wait for


def run(
    avatar: AvatarOption,
    camera: CameraOption = "0",
    profile: ProfileOption = None,
    sink: Annotated[
        list[str] | None,
        typer.Option("--sink", "--output", help="virtual, window, or a video file; several at once."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", callback=finite, min=0.1, max=MAX_SECONDS, help="Stop after so long."),
    ] = None,
    canvas: CanvasOption = "1280x720",
    fps: Annotated[
        float, typer.Option("--fps", callback=finite, min=5, max=60, help="Frames a second of the output.")
    ] = 30.0,
    background: BackgroundOption = "portrait",
    mirror: MirrorOption = False,
    label: LabelOption = "br",
    label_every: LabelEveryOption = None,
    no_label: NoLabelOption = False,
    key: KeyOption = None,
    signed_by: SignerOption = None,
    engine: EngineOption = "auto",
    tracker: TrackerOption = "builtin",
    quality: QualityOption = "auto",
    stats: StatsOption = None,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    revoked: RevokedOption = None,
    tracking: TrackingOption = None,
) -> None:
    """Drive a portrait live, from a camera to the virtual camera. Ctrl-C ends it.

    While it runs, type a letter and Enter, or press it in the preview window: r re-centres on how you sit
    and look now (as does SIGUSR1, not on Windows), f freezes the puppet, a leaves you unheard.
    """
    from facepuppet.cli.controls import Controls
    from facepuppet.cli.logs_aside import logs_aside
    from facepuppet.drivers.camera.profile_file import load_profile
    from facepuppet.drivers.driver_words import open_driver
    from facepuppet.portrait.load import load_as_pack
    from facepuppet.session.call_counter import next_session
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.puppet import Puppet

    read = [camera, avatar, profile, background, key, revoked, *(signed_by or ())]
    refuse_clobbering(*(sink or ()), stats, tracking, read=read)
    check_outputs(stats, tracking)
    sinks = sink or ["virtual"]
    credentials, mark_key = signer(signed_by, sinks), watermark_key(key)
    rights = RightsOptions(right, subject, granted)
    pack = load_as_pack(avatar)
    portrait, consent = pack.avatar, cleared(pack, rights, revoked)
    neutral = None if profile is None else load_profile(profile).neutral
    runtime, models = open_engines(engine, tracker)
    puppet = Puppet(
        portrait,
        composer(portrait, canvas, background, mirror, "off" if no_label else label, label_every),
        key=mark_key,
        session=next_session(),
        consent_id=consent.id,
        engine=runtime,
    )
    with ExitStack() as stack:
        stack.enter_context(logs_aside())
        word = camera_word(camera)
        driver = stack.enter_context(
            open_driver(word, fps=fps, neutral=neutral, recentre_s=RECENTRE_S, models=models)
        )
        output, windows = _open_sinks(sinks, puppet, fps, credentials)
        stack.enter_context(output)
        recording = _recording(driver, tracking, stack)
        live = stack.enter_context(
            LivePipeline(recording or driver, puppet, [output], fps=fps, quality=quality)
        )
        ran_by = engine_line(puppet.networks, puppet.fallbacks, puppet.frame_path)
        typer.echo(f"{driver.description} → {output.description}{ran_by}; quality {quality}", err=True)
        if told_rate := _slower_source(driver.fps, fps):
            typer.echo(told_rate, err=True)
        controls = stack.enter_context(Controls(live.control.send, window=bool(windows)))
        for window in windows:
            window.on_key = controls.press
        if controls.hint:
            typer.echo(controls.hint, err=True)
        failure = _play(live, seconds)
        told = live.stats()
    typer.echo(
        f"{told.frames_out} frames in {told.seconds:.1f} s ({told.fps:.1f} a second){_ended_at(told)}",
        err=True,
    )
    if stats is not None:
        write_json(stats, told.to_json())
    if failure is not None:  # told only now, so that a recording so far is kept
        raise failure
    if output.failures:  # the others went on, but not all that was asked for is there
        raise output.failures[0][1]
    if recording is not None and recording.failure is not None:
        raise recording.failure


def _recording(driver: Driver, path: Path | None, stack: ExitStack) -> RecordingDriver | None:
    """Let what the driver does be written down, too, if that is wanted."""
    if path is None:
        return None
    from facepuppet.drivers.recorded import RecordingDriver
    from facepuppet.drivers.recording_writer import RecordingWriter

    writer = stack.enter_context(RecordingWriter(path, driver.description, driver.fps))
    return RecordingDriver(driver, writer)


def _slower_source(source_fps: float | None, fps: float) -> str:
    """Say so where most of what goes out can only repeat; empty where it need not."""
    if source_fps is None or source_fps > ENOUGH * fps:
        return ""
    return (
        f"The source gives {source_fps:g} frames a second: of the {fps:g} that go out, the rest are repeated."
    )


def _ended_at(told: RunStats) -> str:
    """Say how the quality changed, if it did, to be appended to a line."""
    n = len(told.quality_changes)
    return f"; quality {told.quality} in the end, changed {n} times" if n else ""


def _play(live: LivePipeline, seconds: float | None) -> FacepuppetError | None:
    """Run to the end; return what ended the loop early, if something did."""
    try:
        live.run(seconds)
    except KeyboardInterrupt:  # the usual way to end a call
        live.stop()
    except FacepuppetError as error:
        return error
    return None


def _open_sinks(
    words: list[str], puppet: Puppet, fps: float, credentials: Credentials | None
) -> tuple[Fanout, list[PreviewWindow]]:
    """Open every output or none; what one of them meets later does not spoil the others."""
    from facepuppet.core.clock import SystemClock
    from facepuppet.sinks.fanout import Fanout
    from facepuppet.sinks.preview_window import PreviewWindow
    from facepuppet.sinks.sink_words import open_sink

    with ExitStack() as opened:
        opens = partial(
            open_sink, clock=SystemClock(), credentials=credentials, waits=len(words) > 1
        )  # with anything else to see, a camera may come later
        sinks = [opened.enter_context(opens(word, puppet.canvas_px, fps)) for word in words]
        opened.pop_all()
    return Fanout(sinks), [sink for sink in sinks if isinstance(sink, PreviewWindow)]
