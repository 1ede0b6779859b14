"""What the microphone of `run --mic` would find here."""

from __future__ import annotations

import platform

from facepuppet.core.errors import SoundError
from facepuppet.diagnose.doctor import Check, Verdict
from facepuppet.sound.portaudio import PortAudio
from facepuppet.sound.sound_server import server_name
from facepuppet.sound.virtual_microphone import virtual_microphone_advice, virtual_outputs

_N_TOLD = 6  # names of each kind


def examine_sound() -> Check:
    """Name the sound systems and devices that are there, and the command that makes a virtual microphone."""
    try:
        system = PortAudio()
    except SoundError as error:
        return Check("sound", Verdict.WARN, f"got {error.got}; only --mic needs it", error.todo)
    server = server_name()
    sources, sinks = system.names("source"), system.names("sink")
    ways = ", ".join(filter(None, (server, *system.host_systems())))
    detail = f"{ways or 'no sound system'}; microphones: {_told(sources)}; outputs: {_told(sinks)}"
    fit = virtual_outputs(sinks)
    if not fit:
        advice = virtual_microphone_advice(platform.system(), server)
        return Check("sound", Verdict.WARN, f"{detail}; no virtual microphone, for --mic-to", advice)
    return Check("sound", Verdict.OK, f"{detail}; --mic-to '{fit[0]}' makes a microphone for calls")


def _told(names: list[str]) -> str:
    more = f" and {len(names) - _N_TOLD} more" if len(names) > _N_TOLD else ""
    return (", ".join(names[:_N_TOLD]) or "none") + more
