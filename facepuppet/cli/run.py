"""`facepuppet run`: live, from a camera to a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.live_clients import Clients, wanted_hotkeys
from facepuppet.cli.live_parts import (
    PAGE,
    Look,
    card_of,
    open_outputs,
    open_puppets,
    said,
    tell,
    tell_end,
)
from facepuppet.cli.options import (
    AvatarsOption,
    BackgroundOption,
    CameraOption,
    CanvasOption,
    DriversOption,
    EngineOption,
    FpsOption,
    KeyOption,
    LabelEveryOption,
    LabelOption,
    MakerOption,
    MirrorOption,
    NoLabelOption,
    ProfileOption,
    QualityOption,
    SendOption,
    SignerOption,
    StatsOption,
    StyleOption,
    TrackerOption,
    TrackingOption,
    camera_word,
    check_outputs,
    engine_line,
    finite,
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
)
from facepuppet.cli.say_options import SayCommandOption, SayRawOption, SayToOption, say_wanted
from facepuppet.cli.sound_options import MicDelayOption, MicOption, MicToOption, loaded_sound
from facepuppet.cli.voice_options import (
    EmotionOption,
    LivelinessOption,
    SeedOption,
    VoiceIntensityOption,
    VoiceRegionOption,
    voice_manner,
)
from facepuppet.core.errors import FacepuppetError

if TYPE_CHECKING:
    from facepuppet.character.bits import Bit
    from facepuppet.core.metrics import RunStats
    from facepuppet.drivers.base import Driver
    from facepuppet.drivers.camera.acquaintance import Acquaintance
    from facepuppet.drivers.recorded import RecordingDriver
    from facepuppet.session.live import LivePipeline
    from facepuppet.session.user_memory import UserMemory
    from facepuppet.vision.trackers import TrackingModels

CAMERA = "camera"  # among drivers: what --camera says
RECENTRE_S = 20.0  # a lean held this long has become the way the driver sits
ENOUGH = 0.75  # of the output's rate; films of 24 and 25 pictures are no surprise at 30
MAX_SECONDS = 31_536_000.0  # a year; infinity has no end to wait for


def run(
    context: typer.Context,
    avatar: AvatarsOption,
    camera: CameraOption = "0",
    driver: DriversOption = None,
    profile: ProfileOption = None,
    user: Annotated[
        str | None,
        typer.Option("--user", help="Remember you by this name: face at rest, seat, light, each camera."),
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(
            "--sink",
            "--output",
            help="virtual, window, page (the control room alone), or a video file; several.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", callback=finite, min=0.1, max=MAX_SECONDS, help="Stop after so long."),
    ] = None,
    canvas: CanvasOption = "1280x720",
    fps: FpsOption = 30.0,
    background: BackgroundOption = "portrait",
    mirror: MirrorOption = False,
    label: LabelOption = "br",
    label_every: LabelEveryOption = None,
    no_label: NoLabelOption = False,
    card: Annotated[
        str | None, typer.Option("--card", help="Text or picture file of the card that panic sends.")
    ] = None,
    bits: Annotated[
        Path | None, typer.Option("--bits", help="Folder of own performances (.npz), to play in mid-run.")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option("--recordings", help="Folder of recordings that you start in mid-run.")
    ] = None,
    key: KeyOption = None,
    signed_by: SignerOption = None,
    engine: EngineOption = "auto",
    maker: MakerOption = "auto",
    tracker: TrackerOption = "builtin",
    quality: QualityOption = "auto",
    stats: StatsOption = None,
    right: RightOption = None,
    subject: SubjectOption = None,
    granted: GrantedOption = None,
    revoked: RevokedOption = None,
    tracking: TrackingOption = None,
    send: SendOption = None,
    mic: MicOption = None,
    mic_to: MicToOption = None,
    mic_delay: MicDelayOption = "auto",
    say_command: SayCommandOption = None,
    say_raw: SayRawOption = None,
    say_to: SayToOption = "default",
    hotkeys: Annotated[
        bool,
        typer.Option("--hotkeys", help="Hear keys under other windows, too (extra facepuppet[hotkeys])."),
    ] = False,
    settings: Annotated[
        bool,
        typer.Option("--settings/--no-settings", help="Begin with what you last set, and keep what you set."),
    ] = True,
    ui: Annotated[
        bool, typer.Option("--ui/--no-ui", help="Serve the control room, a page on this machine alone.")
    ] = True,
    ui_port: Annotated[
        int | None,
        typer.Option("--ui-port", min=1024, max=65535, help="Its port; the first free one from 8765 on."),
    ] = None,
    liveliness: LivelinessOption = "natural",
    voice_region: VoiceRegionOption = "shoulders",
    voice_intensity: VoiceIntensityOption = 1.0,
    emotion: EmotionOption = "off",
    seed: SeedOption = 0,
    style: StyleOption = "off",
) -> None:
    """Drive a portrait live, from a camera or your voice to the virtual camera. Ctrl-C ends it.

    While it runs, type a letter and Enter, or press it in the preview window: p sends a card in place of the
    puppet, a leaves you unheard, f freezes the puppet, r re-centres on how you sit and look now (as does
    SIGUSR1, not on Windows), m mutes the microphone, v records.
    """
    from facepuppet.cli.logs_aside import logs_aside
    from facepuppet.drivers.voice.voice_setup import VoiceSetup
    from facepuppet.session.live import LivePipeline

    driven_by = [camera if word == CAMERA else word for word in driver or [CAMERA]]
    read = [*driven_by, *avatar, profile, background, card, key, revoked, *(signed_by or ())]
    refuse_clobbering(*(sink or ()), stats, tracking, read=read)
    check_outputs(stats, tracking)
    if PAGE in (sink or ()) and not ui:
        raise typer.BadParameter("got --sink page with --no-ui, expected one of them")
    by_hand = said(context, "background", "label", "no_label", "mirror", "style")
    memory = None if user is None else _memory_of(user)
    if memory is not None and memory.style and "style" not in by_hand:
        style, by_hand = memory.style, [*by_hand, "style"]
    sound, keys = loaded_sound(mic, mic_to, mic_delay, driven_by), wanted_hotkeys() if hotkeys else []
    lives: list[LivePipeline] = []  # once it is there: what is heard is as late as what is seen
    saying = say_wanted(driven_by, say_command, say_raw, say_to, lambda: lives[0].delay_s if lives else None)
    personality = style_of(style)
    manner = voice_manner(liveliness, voice_region, voice_intensity, emotion)
    clients = Clients(settings, by_hand, keys, sound, ui, ui_port, None if saying is None else saying.typed)
    words = sink or ["virtual"]
    credentials, mark_key = signer(signed_by, words), watermark_key(key)
    rights = RightsOptions(right, subject, granted)
    own_bits = _own_bits(bits)
    runtime, models = open_engines(engine, tracker)
    acquaintance = None if memory is None else memory.acquaintance
    opens = _driver_opener(driven_by, profile, fps, models, acquaintance)
    look = Look(canvas, background, mirror, "off" if no_label else label, label_every)
    puppets = open_puppets(avatar, look, rights, revoked, mark_key, runtime, maker, fps)
    puppet = next(iter(puppets.values()))
    if personality is not None:
        for one in puppets.values():
            one.character.style = personality
    size_px = puppet.canvas_px
    shown_card = puppet.card(card_of(card, size_px))
    with ExitStack() as stack:
        stack.enter_context(logs_aside())
        microphone = None if sound is None else sound.microphone(lambda: lives[0].delay_s if lives else None)
        driving = stack.enter_context(opens(voice=VoiceSetup(manner, seed, microphone, saying)))
        outputs = open_outputs(words, size_px, fps, credentials, ui=ui, folder=recordings)
        output = stack.enter_context(outputs.fanout)
        if send:
            driving = _sending(driving, send, stack)
        recording = _recording(driving, tracking, stack)
        live = stack.enter_context(
            LivePipeline(
                recording or driving,
                puppets,
                [output],
                fps=fps,
                quality=quality,
                card=shown_card,
                bits=own_bits,
            )
        )
        lives.append(live)
        ran_by = engine_line(puppet.networks, puppet.fallbacks, puppet.frame_path)
        tell(f"{driving.description} → {output.description}{ran_by}; quality {quality}")
        tell(_slower_source(driving.fps, fps))
        clients.enter(stack, live, outputs, microphone)
        failure = _play(live, seconds)
        told = live.stats()
    if memory is not None:
        worn = live.control.state.style
        memory.style = "" if worn is None else worn.word
        tell(memory.keep())
    tell(f"{told.frames_out} frames in {told.seconds:.1f} s ({told.fps:.1f} a second){_ended_at(told)}")
    if stats is not None:
        write_json(stats, told.to_json())
    tell_end(output, failure)  # told only now, so that a recording so far is kept
    if recording is not None and recording.failure is not None:
        raise recording.failure


def _driver_opener(
    words: Sequence[str],
    profile: Path | None,
    fps: float,
    models: TrackingModels,
    user: Acquaintance | None = None,
) -> Callable[..., Driver]:
    """Read the driver's profile; return what opens the driver or drivers, given a voice's setup.

    Raises:
        ProfileError: the profile is malformed.
    """
    from facepuppet.drivers.camera.profile_file import load_profile
    from facepuppet.drivers.driver_words import open_drivers

    neutral = None if profile is None else load_profile(profile).neutral
    asked = [camera_word(word) for word in words]
    options = {"neutral": neutral, "recentre_s": RECENTRE_S, "models": models, "user": user}
    return partial(open_drivers, asked, fps=fps, **options)


def _memory_of(user: str) -> UserMemory:
    """Read what is remembered of a user.

    Raises:
        SettingsError: a name that is none.
    """
    from facepuppet.session.user_memory import UserMemory

    memory = UserMemory(user)
    tell(memory.hint)
    return memory


def _own_bits(folder: Path | None) -> Mapping[str, Bit] | None:
    """Read the user's own bits, if there are any."""
    if folder is None:
        return None
    from facepuppet.session.own_bits import load_bits

    return load_bits(folder)


def _sending(driver: Driver, words: Sequence[str], stack: ExitStack) -> Driver:
    """Let others hear of what the driver does."""
    from facepuppet.senders import SendingDriver, open_sender

    senders = [stack.enter_context(open_sender(word)) for word in words]
    tell("Sends " + ", ".join(sender.description for sender in senders))
    return stack.enter_context(SendingDriver(driver, senders))


def _recording(driver: Driver, path: Path | None, stack: ExitStack) -> RecordingDriver | None:
    """Let what the driver does be written down, too, if that is wanted."""
    if path is None:
        return None
    from facepuppet.drivers.recorded import RecordingDriver
    from facepuppet.drivers.recording_words import open_writer

    writer = stack.enter_context(open_writer(path, driver.description, driver.fps))
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
