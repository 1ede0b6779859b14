"""`facepuppet run`: live, from a camera to a call."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import (
    AvatarOption,
    BackgroundOption,
    CanvasOption,
    EngineOption,
    KeyOption,
    LabelEveryOption,
    LabelOption,
    MirrorOption,
    SignerOption,
    StatsOption,
    composer,
    engine_line,
    refuse_clobbering,
    signer,
    watermark_key,
    write_json,
)
from facepuppet.cli.rights import GrantedOption, RevokedOption, RightOption, Said, SubjectOption, cleared
from facepuppet.core.errors import FacepuppetError

if TYPE_CHECKING:
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.puppet import Puppet
    from facepuppet.sinks import Fanout
    from facepuppet.watermark.certificate import Credentials

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
    label_every: LabelEveryOption = None,
    key: KeyOption = None,
    signed_by: SignerOption = None,
    engine: EngineOption = "auto",
    stats: StatsOption = None,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    revoked: RevokedOption = None,
) -> None:
    """Drive a portrait live, from a camera to the virtual camera. Ctrl-C ends it.

    Re-centre on how you sit and look at any time: type r and Enter, press r in the preview window, or
    send SIGUSR1 (not on Windows).
    """
    from facepuppet.cli.controls import Controls
    from facepuppet.drivers.camera.profile_file import load_profile
    from facepuppet.media import open_source
    from facepuppet.portrait.load import load_as_pack
    from facepuppet.session.call_counter import next_session
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.puppet import Puppet

    read = [camera, avatar, profile, background, key, revoked, *(signed_by or ())]
    refuse_clobbering(*(sink or ()), stats, read=read)
    said = Said(right, subject, granted)
    pack = load_as_pack(avatar)
    portrait, consent = pack.avatar, cleared(pack, said, revoked)
    puppet = Puppet(
        portrait,
        composer(portrait, canvas, background, mirror, label, label_every),
        neutral=None if profile is None else load_profile(profile).neutral,
        recentre_s=RECENTRE_S,
        key=watermark_key(key),
        session=next_session(),
        consent_id=consent.id,
        engine=engine,
    )
    with ExitStack() as stack:
        source = stack.enter_context(open_source(camera_word(camera), fps=fps))
        output = stack.enter_context(_open_sinks(sink or ["virtual"], puppet, fps, signer(signed_by)))
        live = stack.enter_context(LivePipeline(source, puppet, [output], fps=fps))
        ran_by = engine_line(puppet.networks, puppet.fallbacks, puppet.frame_path)
        typer.echo(f"{source.description} → {output.description}{ran_by}", err=True)
        controls = stack.enter_context(Controls(puppet.recentre, window="window" in (sink or ())))
        if controls.hint:
            typer.echo(controls.hint, err=True)
        failure = _play(live, seconds)
        told = live.stats()
    typer.echo(f"{told.frames_out} frames in {told.seconds:.1f} s ({told.fps:.1f} a second)", err=True)
    if stats is not None:
        write_json(stats, told.to_json())
    if failure is not None:  # told only now, so that a recording so far is kept
        raise failure
    if output.failures:  # the others went on, but not all that was asked for is there
        raise output.failures[0][1]


def _play(live: LivePipeline, seconds: float | None) -> FacepuppetError | None:
    """Run to the end; return what ended the loop early, if something did."""
    try:
        live.run(seconds)
    except KeyboardInterrupt:  # the usual way to end a call
        live.stop()
    except FacepuppetError as error:
        return error
    return None


def camera_word(word: str) -> str:
    """Let a camera's bare name stand for the camera: what is no number, file or URL is a name."""
    known = word.isdecimal() or "://" in word or word.startswith("camera:")
    return word if known or Path(word).exists() or Path(word).suffix else f"camera:{word}"


def _open_sinks(words: list[str], puppet: Puppet, fps: float, credentials: Credentials | None) -> Fanout:
    """Open every output or none; what one of them meets later does not spoil the others."""
    from facepuppet.cli.controls import RECENTRE_KEY
    from facepuppet.core.clock import SystemClock
    from facepuppet.sinks import Fanout, open_sink

    with ExitStack() as opened:
        clock = SystemClock()
        sinks = [
            opened.enter_context(
                open_sink(
                    word,
                    puppet.canvas_px,
                    fps,
                    clock=clock,
                    credentials=credentials,
                    keys={RECENTRE_KEY: puppet.recentre},
                )
            )
            for word in words
        ]
        opened.pop_all()
    return Fanout(sinks)
