"""`facepuppet run`: live, from a camera to a call."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import (
    AvatarOption,
    BackgroundOption,
    CanvasOption,
    KeyOption,
    LabelOption,
    MirrorOption,
    StatsOption,
    composer,
    refuse_clobbering,
    watermark_key,
    write_json,
)

if TYPE_CHECKING:
    from facepuppet.sinks import Fanout

RECENTRE_S = 20.0  # a lean held this long has become the way the driver sits
MAX_SECONDS = 31_536_000.0  # a year; infinity has no end to wait for


def run(
    avatar: AvatarOption,
    camera: Annotated[str, typer.Option("--camera", help="Camera index or name, video file, or URL.")] = "0",
    profile: Annotated[Path | None, typer.Option("--profile", help="Driver profile (TOML).")] = None,
    sink: Annotated[
        list[str] | None, typer.Option("--sink", help="virtual, window, or a video file; several at once.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, max=MAX_SECONDS, help="Stop after so long.")
    ] = None,
    canvas: CanvasOption = "1280x720",
    fps: Annotated[float, typer.Option("--fps", min=5, max=60, help="Frames a second of the output.")] = 30.0,
    background: BackgroundOption = "portrait",
    mirror: MirrorOption = False,
    label: LabelOption = "br",
    key: KeyOption = None,
    stats: StatsOption = None,
) -> None:
    """Drive a portrait live, from a camera to the virtual camera. Ctrl-C ends it."""
    from facepuppet.avatar.load import load_avatar
    from facepuppet.capture import open_source
    from facepuppet.pipeline import LivePipeline
    from facepuppet.profile_file import load_profile
    from facepuppet.puppet import Puppet
    from facepuppet.session import next_session

    refuse_clobbering(*(sink or ()), stats, read=[camera, avatar, profile, background, key])
    portrait = load_avatar(avatar)
    puppet = Puppet(
        portrait,
        composer(portrait, canvas, background, mirror, label),
        neutral=None if profile is None else load_profile(profile),
        recentre_s=RECENTRE_S,
        key=watermark_key(key),
        session=next_session(),
    )
    with ExitStack() as stack:
        source = stack.enter_context(open_source(camera_word(camera), fps=fps))
        output = stack.enter_context(_open_sinks(sink or ["virtual"], puppet.canvas_px, fps))
        live = stack.enter_context(LivePipeline(source, puppet, [output], fps=fps))
        typer.echo(f"{source.description} → {output.description}", err=True)
        with suppress(KeyboardInterrupt):  # the usual way to end a call
            live.run(seconds)
        live.stop()
        told = live.stats()
    typer.echo(f"{told.frames_out} frames in {told.seconds:.1f} s ({told.fps:.1f} a second)", err=True)
    if stats is not None:
        write_json(stats, told.to_json())
    if output.failures:  # the others went on, but not all that was asked for is there
        raise output.failures[0][1]


def camera_word(word: str) -> str:
    """Let a camera's bare name stand for the camera: what is no number, file or URL is a name."""
    known = word.isdecimal() or "://" in word or word.startswith("camera:")
    return word if known or Path(word).exists() or Path(word).suffix else f"camera:{word}"


def _open_sinks(words: list[str], canvas_px: tuple[int, int], fps: float) -> Fanout:
    """Open every output or none; what one of them meets later does not spoil the others."""
    from facepuppet.clock import SystemClock
    from facepuppet.sinks import Fanout, open_sink

    with ExitStack() as opened:
        sinks = [opened.enter_context(open_sink(word, canvas_px, fps, clock=SystemClock())) for word in words]
        opened.pop_all()
    return Fanout(sinks)
