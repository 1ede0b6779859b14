"""The exact command that gives this machine an output which calls see as a microphone."""

from __future__ import annotations

from collections.abc import Sequence

SINK = "facepuppet"
_NULL_SINK = f"pactl load-module module-null-sink sink_name={SINK} sink_properties=device.description={SINK}"
_MICROPHONE = (
    f"pactl load-module module-remap-source master={SINK}.monitor source_name={SINK}-microphone "
    f"source_properties=device.description={SINK}-microphone"
)
_KNOWN = ("blackhole", "cable input", "vb-audio", "loopback audio", "null output", "null sink", SINK)


def virtual_outputs(names: Sequence[str]) -> list[str]:
    """Of names of outputs, those that calls can see as a microphone, by their usual names."""
    return [name for name in names if any(known in name.casefold() for known in _KNOWN)]


def virtual_microphone_advice(system: str, server: str) -> str:
    """Return one sentence that says what to run or install, and how to use it.

    Args:
        system: as platform.system() names it.
        server: the sound server's name and version (`sound_server.server_name`); empty where none runs.
    """
    if system == "Darwin":
        return (
            'Run `brew install blackhole-2ch`, then use --mic-to "BlackHole 2ch" and choose it in the call.'
        )
    if system == "Windows":
        return (
            "Install VB-CABLE (https://vb-audio.com/Cable), then use "
            '--mic-to "CABLE Input" and choose "CABLE Output" in the call.'
        )
    if not server:
        return (
            "Start PipeWire or PulseAudio: `systemctl --user start pipewire-pulse` or `pulseaudio --start`."
        )
    # Without it, PulseAudio's null sink hears nobody for up to two seconds whenever somebody begins.
    norewinds = "" if "pipewire" in server.casefold() or _major(server) < 15 else " norewinds=1"
    return f"Run `{_NULL_SINK}{norewinds} && {_MICROPHONE}`, then use --mic-to {SINK}."


def _major(server: str) -> int:
    digits = server.rpartition(" ")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
