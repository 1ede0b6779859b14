"""From what the user typed to the driver it means."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.acquaintance import Acquaintance, camera_named
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.profile import DriverNeutral
from facepuppet.drivers.camera.rest import Rest, settle_frames_at
from facepuppet.drivers.first_of import FirstOf
from facepuppet.drivers.recording_words import is_playable, open_playable
from facepuppet.drivers.remote.protocol_names import is_remote
from facepuppet.drivers.returning_driver import MAY_COME, MEANWHILE, ReturningDriver
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.drivers.voice.say_names import is_say
from facepuppet.drivers.voice.voice_setup import VoiceSetup
from facepuppet.drivers.voice.voice_words import is_mic, voice_file
from facepuppet.media.source_words import open_source
from facepuppet.vision.trackers import TrackingModels

SCRIPT = "script"

log = logging.getLogger(__name__)


def open_driver(
    spec: str | int | Path,
    *,
    fps: float = 30.0,
    neutral: DriverNeutral | None = None,
    recentre_s: float | None = None,
    settle_frames: int | None = None,
    models: TrackingModels | None = None,
    voice: VoiceSetup | None = None,
    user: Acquaintance | None = None,
) -> Driver:
    """Open whatever a user's word stands for.

    Args:
        spec: "script", a tracker on the network (`remote.remote_words`), a recording of expressions (.npz,
            or .csv of Live Link Face), a voice (a file of sound, "voice:" and any file with sound, "mic",
            or "mic:" and the word for a microphone, text to be read out: `voice.say_words`), or whoever is
            before a camera or in a video: see `facepuppet.media.source_words`.
        fps: rate asked of a camera, and given to a voice.
        neutral: the person's resting face; None takes it from the first moments.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
        settle_frames: how many frames with a face are the first moments; None goes by the source's rate.
        models: the tracker's networks; the project's own runner of them if None.
        voice: how a voice drives; as usual if None.
        user: who sits before live cameras, as far as that is known; learns.

    Raises:
        CaptureError: the camera, video or sound is missing, busy or cannot be decoded.
        RecordingError: the recording cannot be read.
        DriverError: the network cannot be listened to.
        SoundError: PortAudio is not installed.
    """
    if spec == SCRIPT:
        return ScriptedDriver(fps=fps)
    if isinstance(spec, str) and is_remote(spec):
        # Decoders of every protocol, which no other start waits for.
        from facepuppet.drivers.remote.remote_words import open_remote

        return open_remote(spec, recentre_s=recentre_s)
    if not isinstance(spec, int) and is_playable(spec):
        return open_playable(spec)
    speaking = open_voice(spec, fps, voice)
    if speaking is not None:
        return speaking
    source = open_source(spec, fps=fps)
    n = settle_frames_at(source.fps) if settle_frames is None else settle_frames
    if user is None or not source.live:
        return CameraDriver(source, Rest(neutral, recentre_s=recentre_s, settle_frames=n), models=models)
    camera = camera_named(source.description)
    known = user.known(camera)
    given = neutral if neutral is not None or known is None else known.neutral
    seat = None if known is None else known.seat
    rest = Rest(given, recentre_s=recentre_s, settle_frames=n, seat=seat)
    return CameraDriver(source, rest, models=models, learner=user.learner(camera))


def open_voice(spec: str | int | Path, fps: float = 30.0, voice: VoiceSetup | None = None) -> Driver | None:
    """Open a voice as a driver; None where a word means something else. See `open_driver`."""
    # What hears a voice is loaded with the first one.
    if isinstance(spec, str) and is_mic(spec):
        from facepuppet.drivers.voice.own_microphone import open_mic

        return open_mic(spec, fps, voice or VoiceSetup())
    if isinstance(spec, str) and is_say(spec):
        from facepuppet.drivers.voice.say_words import open_say

        return open_say(spec, fps, voice or VoiceSetup())
    path = voice_file(spec)
    if path is None:
        return None
    from facepuppet.drivers.voice.voice_file_driver import VoiceFileDriver

    return VoiceFileDriver(path, fps, voice)


def open_drivers(specs: Sequence[str | int | Path], **options: Any) -> Driver:
    """Open one driver or several by priority, all or none; `options` are those of `open_driver`.

    Of several a camera may be missing, at first or in mid-run: the others drive, and it is tried again.

    Raises:
        FacepuppetError: as `open_driver`; or none of several cameras is there.
    """
    if len(specs) == 1:
        return open_driver(specs[0], **options)
    options["voice"] = replace(options.get("voice") or VoiceSetup(), alone=False)
    missing = 0
    with ExitStack() as opened:
        drivers: list[Driver] = []
        for spec in specs:
            opens = partial(open_driver, spec, **options)
            try:
                driver = opens()
            except MAY_COME as problem:
                missing += 1
                if missing == len(specs):
                    raise
                log.warning("%s %s", problem, MEANWHILE)
                driver = ReturningDriver(_name(spec), opens)
            if isinstance(driver, CameraDriver) and driver.live:
                driver = ReturningDriver(_name(spec), opens, driver)
            drivers.append(opened.enter_context(driver))
        opened.pop_all()
    return FirstOf(drivers)


def _name(spec: str | int | Path) -> str:
    """What to call a camera that is not there yet."""
    word = str(spec).removeprefix("camera:")
    return f"camera {word}, once it is there"
