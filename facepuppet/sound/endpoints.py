"""From the word for a device to the device: PortAudio's, or one of the sound server behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from facepuppet.core.errors import SoundError
from facepuppet.sound.sound_server import Kind, Node

# ALSA's ways to a sound server, and by which variable each is told the device.
_BRIDGES = {"pulse": "PULSE_{}", "pipewire": "PIPEWIRE_NODE"}
_N_TOLD = 12  # names in an error


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device to open.

    Attributes:
        name: for people.
        index: PortAudio's.
        hz: its own rate.
        channels: how many it has.
        environment: variables that must be set while it is opened.
        node: its name with the sound server, if it is one of its.
    """

    name: str
    index: int
    hz: float
    channels: int
    environment: Mapping[str, str] = field(default_factory=dict)
    node: str | None = None


def find_endpoint(
    word: str, kind: Kind, devices: Sequence[Mapping[str, Any]], default: int, nodes: Sequence[Node]
) -> Endpoint:
    """Find the device that a word means.

    Args:
        word: "default", a number of PortAudio's, a name or a part of one that only one has.
        kind: whether sound comes from it or goes to it.
        devices: what PortAudio lists (`sounddevice.query_devices`).
        default: PortAudio's index of the system's default; negative where there is none.
        nodes: what the sound server lists.

    Raises:
        SoundError: no such device, or several.
    """
    channels = "max_input_channels" if kind == "source" else "max_output_channels"
    fit = {i: device for i, device in enumerate(devices) if device[channels] > 0}
    wanted = word.strip().casefold()
    if wanted == "default" and default in fit:
        return _of_portaudio(default, fit[default], channels)
    names = {i: str(device["name"]) for i, device in fit.items()}
    if wanted.isdecimal():
        if int(wanted) in fit:
            return _of_portaudio(int(wanted), fit[int(wanted)], channels)
        raise _missing(word, kind, [f"{i} ({name})" for i, name in names.items()])
    for same in (str.__eq__, str.__contains__):  # who has the very name comes before who has it in theirs
        of_server = [
            one for one in nodes if any(same(t.casefold(), wanted) for t in (one.name, one.description))
        ]
        if len(of_server) == 1:
            node = of_server[0]
            called = [one.description for one in nodes].count(node.description)
            return _of_server(node, node.description if called == 1 else node.name, kind, fit, channels)
        found = [i for i, name in names.items() if same(name.casefold(), wanted)]
        if len(found) == 1 and not of_server:
            return _of_portaudio(found[0], fit[found[0]], channels)
        if found or of_server:
            several = [one.name for one in of_server] + [f"{i} ({names[i]})" for i in found]
            raise SoundError(
                f"'{word}', which is part of {len(several)} names",
                f"one of {', '.join(several[:_N_TOLD])}",
                "Name one of them, or give its number.",
            )
    raise _missing(word, kind, [one.name for one in nodes] + list(dict.fromkeys(names.values())))


def _missing(word: str, kind: Kind, names: Sequence[str]) -> SoundError:
    what = "microphone" if kind == "source" else "output for sound"
    told = f"one of {', '.join(names[:_N_TOLD])}" if names else f"some {what}, of which there is none here"
    return SoundError(f"no {what} '{word}'", told, "See `facepuppet doctor` for what there is.")


def _of_portaudio(index: int, device: Mapping[str, Any], channels: str) -> Endpoint:
    return Endpoint(str(device["name"]), index, float(device["default_samplerate"]), int(device[channels]))


def _of_server(
    node: Node, called: str, kind: Kind, fit: Mapping[int, Mapping[str, Any]], channels: str
) -> Endpoint:
    """A device of the server, by whichever way ALSA has to it."""
    for bridge, variable in _BRIDGES.items():
        for index, device in fit.items():
            if device["name"] == bridge:
                told = {variable.format(kind.upper()): node.name}
                hz, n = float(device["default_samplerate"]), int(device[channels])
                return Endpoint(called, index, hz, n, told, node.name)
    raise SoundError(
        f"'{node.name}', a device of the sound server, to which ALSA has no way here",
        "ALSA's plug-in for PulseAudio or PipeWire",
        "Run `sudo apt-get install libasound2-plugins` (Fedora: `sudo dnf install pipewire-alsa`).",
    )
