"""`facepuppet render`: offline, every frame in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.live_parts import tell_remarks
from facepuppet.cli.options import (
    AvatarOption,
    BackgroundOption,
    CanvasOption,
    EngineOption,
    FpsOption,
    KeyOption,
    LabelEveryOption,
    LabelOption,
    MakerOption,
    MirrorOption,
    NoLabelOption,
    ProfileOption,
    SignerOption,
    StatsOption,
    StyleOption,
    TrackerOption,
    TrackingOption,
    check_outputs,
    composer,
    engine_line,
    open_engines,
    refuse_clobbering,
    signer,
    style_of,
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
from facepuppet.cli.voice_options import (
    EmotionOption,
    LivelinessOption,
    SeedOption,
    VoiceIntensityOption,
    VoiceRegionOption,
    voice_manner,
)

if TYPE_CHECKING:
    from facepuppet.drivers.camera.profile import DriverNeutral
    from facepuppet.session.offline import Neutral


def render(
    avatar: AvatarOption,
    source: Annotated[
        str,
        typer.Option(
            "--driver",
            "--input",
            "--camera",
            help="Video of the driver, a recording (.npz, .csv), or a file of sound whose voice drives; "
            "voice:FILE lets the sound of a video drive.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "--sink", help="Video to write (.mp4, .mov, .mkv, .webm).")
    ],
    neutral: Annotated[
        str,
        typer.Option("--neutral", help="Driver at rest: first (moments with a face), auto, or a profile."),
    ] = "first",
    profile: ProfileOption = None,
    canvas: CanvasOption = "1280x720",
    background: BackgroundOption = "portrait",
    mirror: MirrorOption = False,
    label: LabelOption = "br",
    label_every: LabelEveryOption = None,
    no_label: NoLabelOption = False,
    key: KeyOption = None,
    signed_by: SignerOption = None,
    engine: EngineOption = "auto",
    maker: MakerOption = "auto",
    tracker: TrackerOption = "builtin",
    stats: StatsOption = None,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    revoked: RevokedOption = None,
    tracking: TrackingOption = None,
    fps: FpsOption = 30.0,
    liveliness: LivelinessOption = "natural",
    voice_region: VoiceRegionOption = "shoulders",
    voice_intensity: VoiceIntensityOption = 1.0,
    emotion: EmotionOption = "off",
    seed: SeedOption = 0,
    style: StyleOption = "off",
) -> None:
    """Let a portrait perform what the driver does in a video, or speak what a voice says; sound is kept.

    Of a video frame i shows frame i; a voice gives --fps frames a second, and the picture is as long as it.
    """
    from facepuppet.cli.progress import progress_bar
    from facepuppet.drivers.voice.voice_setup import VoiceSetup
    from facepuppet.portrait.load import load_as_pack
    from facepuppet.session.call_counter import next_session
    from facepuppet.session.offline import render_video
    from facepuppet.sinks.video_formats import format_of

    personality = style_of(style)
    manner = voice_manner(liveliness, voice_region, voice_intensity, emotion)
    refuse_clobbering(
        output,
        stats,
        tracking,
        read=[source, avatar, neutral, profile, background, key, revoked, *(signed_by or ())],
    )
    format_of(output)
    check_outputs(output, stats, tracking)
    credentials, mark_key = signer(signed_by, [output]), watermark_key(key)
    rights = RightsOptions(right, subject, granted)
    pack = load_as_pack(avatar)
    portrait, consent = pack.avatar, cleared(pack, rights, revoked)
    tell_remarks(pack)
    label = "off" if no_label else label
    runtime, models = open_engines(engine, tracker)
    with progress_bar() as show:
        told = render_video(
            source,
            output,
            portrait,
            composer=composer(portrait, canvas, background, mirror, label, label_every),
            neutral=_neutral(neutral, profile),
            recording_to=tracking,
            progress=show,
            key=mark_key,
            session=next_session(),
            consent_id=consent.id,
            engine=runtime,
            maker=maker,
            models=models,
            credentials=credentials,
            voice=VoiceSetup(manner, seed),
            fps=fps,
            style=personality,
        )
    if stats is not None:
        write_json(stats, told.to_json())
    pace = f"{told.frames_out} frames in {told.seconds:.1f} s ({told.fps:.1f} a second)"
    typer.echo(f"{output}: {pace}{engine_line(told.networks, told.fallbacks, told.frame_path)}")


def _neutral(word: str, profile: Path | None) -> Neutral | DriverNeutral:
    from facepuppet.drivers.camera.profile_file import load_profile
    from facepuppet.session.offline import Neutral

    if profile is None and word in {choice.value for choice in Neutral}:
        return Neutral(word)
    return load_profile(profile or Path(word)).neutral
