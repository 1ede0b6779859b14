"""From words to sound devices, and the commands that make one."""

from __future__ import annotations

import pytest
import typer

from facepuppet.cli.sound_options import ALLOWANCE_S, sound_wanted
from facepuppet.core.errors import SoundError
from facepuppet.sound.endpoints import find_endpoint
from facepuppet.sound.sound_server import Node
from facepuppet.sound.virtual_microphone import virtual_microphone_advice, virtual_outputs


def device(name: str, inputs: int, outputs: int, hz: float = 44_100.0) -> dict[str, object]:
    return {
        "name": name,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": hz,
    }


MAC = [
    device("MacBook Microphone", 1, 0, 48_000.0),
    device("MacBook Speakers", 0, 2),
    device("BlackHole 2ch", 2, 2),
    device("BlackHole 16ch", 16, 16),
]
LINUX = [device("HDA Intel: ALC (hw:0,0)", 2, 2), device("pulse", 32, 32), device("default", 32, 32)]
SINKS = [Node("alsa_output.pci.analog-stereo", "Built-in Audio"), Node("facepuppet", "facepuppet")]


@pytest.mark.parametrize(
    ("word", "kind", "name"),
    [
        ("default", "source", "MacBook Microphone"),
        ("blackhole 2CH", "sink", "BlackHole 2ch"),
        ("2ch", "sink", "BlackHole 2ch"),
        ("3", "sink", "BlackHole 16ch"),
        ("microphone", "source", "MacBook Microphone"),
    ],
)
def test_a_word_names_one_of_portaudios_devices(word: str, kind: str, name: str) -> None:
    found = find_endpoint(word, kind, MAC, 0, [])  # type: ignore[arg-type]
    assert found.name == name and found.environment == {} and found.node is None


@pytest.mark.parametrize("word", ["blackhole", "speakerz", "1", "77", "", "ⅷ", "-1"])
def test_what_names_no_device_or_several_is_refused_with_the_names(word: str) -> None:
    with pytest.raises(SoundError) as refused:
        find_endpoint(word, "source", MAC, 0, [])
    assert "BlackHole 2ch" in refused.value.expected


def test_without_any_device_the_refusal_says_so() -> None:
    with pytest.raises(SoundError, match="none here"):
        find_endpoint("default", "source", [], -1, [])


@pytest.mark.parametrize("word", ["facepuppet", "Facepuppet", "built-in audio", "analog-stereo"])
def test_a_servers_device_is_opened_by_alsas_way_to_the_server(word: str) -> None:
    found = find_endpoint(word, "sink", LINUX, 2, SINKS)
    assert found.index == 1 and found.environment == {"PULSE_SINK": found.node}
    assert found.node in {node.name for node in SINKS}


def test_a_servers_source_by_pipewires_own_way() -> None:
    pipewire = [device("pipewire", 64, 64, 48_000.0)]
    found = find_endpoint("usb", "source", pipewire, -1, [Node("alsa_input.usb-mic", "USB mic")])
    assert found.environment == {"PIPEWIRE_NODE": "alsa_input.usb-mic"} and found.name == "USB mic"


def test_devices_that_people_call_the_same_are_told_by_the_servers_names() -> None:
    nulls = [Node("one", "Null Output"), Node("two", "Null Output")]
    assert find_endpoint("two", "sink", LINUX, 2, nulls).name == "two"
    with pytest.raises(SoundError, match="one of one, two"):
        find_endpoint("null output", "sink", LINUX, 2, nulls)


def test_a_server_that_alsa_has_no_way_to_is_told_with_the_command() -> None:
    with pytest.raises(SoundError, match="libasound2-plugins"):
        find_endpoint("facepuppet", "sink", LINUX[:1], 0, SINKS)


@pytest.mark.parametrize(
    ("system", "server", "words"),
    [
        ("Darwin", "", ["brew install blackhole-2ch", '--mic-to "BlackHole 2ch"']),
        ("Windows", "", ["vb-audio.com/Cable", '--mic-to "CABLE Input"']),
        ("Linux", "pulseaudio 16.1", ["module-null-sink", "norewinds=1", "module-remap-source"]),
        ("Linux", "PulseAudio (on PipeWire 1.0.5) 15.0.0", ["module-null-sink", "module-remap-source"]),
        ("Linux", "", ["systemctl --user start pipewire-pulse"]),
    ],
)
def test_the_command_that_makes_a_microphone_fits_the_system(
    system: str, server: str, words: list[str]
) -> None:
    advice = virtual_microphone_advice(system, server)
    assert all(word in advice for word in words)
    assert ("norewinds" in advice) == ("norewinds=1" in words)


def test_outputs_that_calls_can_hear_are_known_by_their_names() -> None:
    names = ["Speakers", "BlackHole 2ch", "CABLE Input (VB-Audio)", "facepuppet"]
    assert virtual_outputs(names) == names[1:]


@pytest.mark.parametrize(
    ("text", "at_20_ms"),
    [("auto", 0.02 + ALLOWANCE_S), ("AUTO+40", 0.06), ("auto-50", 0.0), ("150", 0.15), ("0", 0.0)],
)
def test_the_delay_is_the_pictures_or_fixed(text: str, at_20_ms: float) -> None:
    wanted = sound_wanted("default", "cable", text)
    assert wanted is not None and wanted.delay_s(0.02) == pytest.approx(at_20_ms)
    assert wanted.delay_s(None) == (None if text.lower().startswith("auto") else at_20_ms)


@pytest.mark.parametrize("text", ["", "soon", "autobahn", "auto40", "-1", "3000", "nan", "auto+inf", "1e9"])
def test_a_delay_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--mic-delay"):
        sound_wanted("default", "cable", text)


def test_a_microphone_needs_somewhere_to_go_and_the_other_way_round() -> None:
    assert sound_wanted(None, None, "auto") is None
    with pytest.raises(typer.BadParameter, match="doctor"):
        sound_wanted("default", None, "auto")
    with pytest.raises(typer.BadParameter, match="--mic default"):
        sound_wanted(None, "cable", "auto")
