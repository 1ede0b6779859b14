"""From what the user typed to the driver it means."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.profile import DriverNeutral
from facepuppet.drivers.camera.rest import Rest, settle_frames_at
from facepuppet.drivers.first_of import FirstOf
from facepuppet.drivers.recording_words import is_playable, open_playable
from facepuppet.drivers.remote.protocol_names import is_remote
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.drivers.voice.say_names import is_say
from facepuppet.media.source_words import open_source
from facepuppet.vision.trackers import TrackingModels

if TYPE_CHECKING:
    from facepuppet.drivers.voice.saying import Saying

SCRIPT = "script"


def open_driver(
    spec: str | int | Path,
    *,
    fps: float = 30.0,
    neutral: DriverNeutral | None = None,
    recentre_s: float | None = None,
    settle_frames: int | None = None,
    models: TrackingModels | None = None,
    saying: Saying | None = None,
) -> Driver:
    """Open whatever a user's word stands for.

    Args:
        spec: "script", a tracker on the network (`remote.remote_words`), text to be read out
            (`voice.say_words`), a recording of expressions (.npz, or .csv of Live Link Face), or whoever is
            before a camera or in a video: see `facepuppet.media.source_words`.
        fps: rate asked of a camera.
        neutral: the person's resting face; None takes it from the first moments.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
        settle_frames: how many frames with a face are the first moments; None goes by the source's rate.
        models: the tracker's networks; the project's own runner of them if None.
        saying: how text is read out; by espeak-ng on the system's own output if None.

    Raises:
        CaptureError: the camera or video is missing, busy or cannot be decoded.
        RecordingError: the recording cannot be read.
        DriverError: the network cannot be listened to.
    """
    if spec == SCRIPT:
        return ScriptedDriver(fps=fps)
    if isinstance(spec, str) and is_remote(spec):
        # Decoders of every protocol, which no other start waits for.
        from facepuppet.drivers.remote.remote_words import open_remote

        return open_remote(spec, recentre_s=recentre_s)
    if isinstance(spec, str) and is_say(spec):
        from facepuppet.drivers.voice.say_words import open_say

        return open_say(spec, saying, fps=fps)
    if not isinstance(spec, int) and is_playable(spec):
        return open_playable(spec)
    source = open_source(spec, fps=fps)
    n = settle_frames_at(source.fps) if settle_frames is None else settle_frames
    rest = Rest(neutral, recentre_s=recentre_s, settle_frames=n)
    return CameraDriver(source, rest, models=models)


def open_drivers(specs: Sequence[str | int | Path], **options: Any) -> Driver:
    """Open one driver or several by priority, all or none; `options` are those of `open_driver`."""
    if len(specs) > 1 and any(isinstance(spec, str) and is_say(spec) for spec in specs):
        from facepuppet.drivers.voice.saying import Saying

        options["saying"] = replace(options.get("saying") or Saying(), alone=False)
    with ExitStack() as opened:
        drivers = [opened.enter_context(open_driver(spec, **options)) for spec in specs]
        opened.pop_all()
    return drivers[0] if len(drivers) == 1 else FirstOf(drivers)
