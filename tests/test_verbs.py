"""Everything that can be asked of a run by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepuppet.character import load_style
from facepuppet.core.errors import ControlError
from facepuppet.frames.cpu.compose import Corner
from facepuppet.retarget.manner import REGIONS
from facepuppet.session.commands import (
    Freeze,
    Panic,
    Play,
    SetBackdrop,
    SetDirection,
    SetGain,
    SetHeadSpeed,
    SetLabel,
    SetStill,
    SetStyle,
    SetVoice,
    ShowPuppet,
    StopPlaying,
)
from facepuppet.session.verbs import VERBS, Number, verb_named
from facepuppet.voice import Region

SAID: dict[str, tuple[str, dict[str, Any], object]] = {
    "json": ("freeze", {"on": True}, Freeze(True)),
    "a word": ("freeze", {"on": "off"}, Freeze(False)),
    "nothing": ("panic", {}, Panic(None)),
    "a gain": ("gain", {"region": "head", "amount": 0.5}, SetGain("head", 0.5)),
    "a gain in words": ("gain", {"region": "head", "amount": "0.5"}, SetGain("head", 0.5)),
    "still": ("still", {"region": "mouth", "on": True}, SetStill("mouth", True)),
    "degrees": ("head-speed", {"degrees": 180}, SetHeadSpeed(math.pi)),
    "no limit": ("head-speed", {"degrees": "off"}, SetHeadSpeed(None)),
    "a label": ("label", {"corner": "off"}, SetLabel(Corner.OFF)),
    "a voice": ("liveliness", {"amount": "0.5"}, SetVoice("liveliness", 0.5)),
    "a voice's region": ("voice-region", {"region": "mouth"}, SetVoice("region", Region.MOUTH)),
    "a voice's emotion": ("emotion", {"state": "on"}, SetVoice("emotion", True)),
    "a bit": ("play", {"name": "nod"}, Play("nod")),
    "no bit": ("stop-playing", {}, StopPlaying()),
    "no style": ("style", {"name": "off"}, SetStyle(None)),
    "a style": ("style", {"name": "calm"}, SetStyle(load_style("calm"))),
    "a direction": ("direction", {"name": "smile", "amount": "-0.5"}, SetDirection("smile", -0.5)),
    "an avatar": ("avatar", {"name": "mona"}, ShowPuppet("mona")),
}


@pytest.mark.parametrize("case", SAID)
def test_what_is_said_becomes_a_command(case: str) -> None:
    name, values, command = SAID[case]
    assert verb_named(name).command(values) == command


def test_a_background_is_read_where_it_is_asked_for() -> None:
    command = VERBS["background"].command({"word": "#00ff00"})
    assert isinstance(command, SetBackdrop) and command.backdrop.rgb == (0, 255, 0)
    assert command.backdrop.word == "#00ff00"


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "another verb": ("fly", {}, "'fly'; expected one of panic"),
    "another name": ("freeze", {"off": True}, "freeze with 'off'"),
    "another word": ("freeze", {"on": "maybe"}, "on 'maybe'; expected on or off"),
    "a list": ("freeze", {"on": ["x"]}, "expected on or off"),
    "no number": (
        "gain",
        {"region": "head", "amount": "lots"},
        "amount 'lots'; expected a number from 0 to 4",
    ),
    "NaN": ("gain", {"region": "head", "amount": math.nan}, "expected a number from 0 to 4"),
    "too much": ("gain", {"region": "head", "amount": 1e300}, "expected a number"),
    "a digit too many": ("gain", {"region": "head", "amount": 10**400}, "expected a number"),
    "true is no number": ("smoothing", {"strength": True}, "expected a number from 0 to 4"),
    "no region": ("gain", {"amount": 1}, f"expected one of {', '.join(REGIONS)}"),
    "an object for a name": ("avatar", {"name": {}}, "expected a word"),
    "an endless name": ("avatar", {"name": "x" * 10_000}, "expected a word"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_one_short_sentence(case: str) -> None:
    name, values, told = WRONG[case]
    with pytest.raises(ControlError) as caught:
        verb_named(name).command(values)
    assert told in str(caught.value) and len(str(caught.value)) < 300


@given(
    st.sampled_from(list(VERBS)), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists)
)
def test_whatever_json_says_is_a_command_or_an_error(name: str, value: object) -> None:
    """Background and style aside, whose words name files."""
    verb = VERBS[name]
    if name in ("background", "style"):
        return
    try:
        verb.command({parameter.name: value for parameter in verb.parameters})
    except ControlError as problem:
        assert "\n" not in problem.expected


def test_keys_and_names_are_distinct_and_every_word_is_explained() -> None:
    keys = [verb.key for verb in VERBS.values() if verb.key]
    assert len(set(keys)) == len(keys) and all(len(key) == 1 for key in keys)
    for verb in VERBS.values():
        assert verb.meaning.endswith(".") and all(parameter.meaning for parameter in verb.parameters)
        for parameter in verb.parameters:
            if isinstance(parameter, Number):
                assert parameter.read(parameter.low) == parameter.low < parameter.high
