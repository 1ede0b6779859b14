"""All that can be asked of a run by name, declared once: page, program, API and keys are made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from facepuppet.character.directions import SLIDERS
from facepuppet.character.style_file import STYLE_NAMES, load_style
from facepuppet.core.errors import ControlError
from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.frames.cpu.compose.label import Corner
from facepuppet.retarget.gains import MOST
from facepuppet.retarget.manner import REGIONS
from facepuppet.session.commands import (
    Away,
    Command,
    Freeze,
    Mute,
    Panic,
    Play,
    Recentre,
    Record,
    Reset,
    SetBackdrop,
    SetDirection,
    SetGain,
    SetHeadSpeed,
    SetLabel,
    SetMirror,
    SetQuality,
    SetSmoothing,
    SetStill,
    SetStyle,
    SetVoice,
    ShowPuppet,
    StopPlaying,
)
from facepuppet.session.ladder import AUTO, BY_NAME
from facepuppet.voice.voice_manner import Region

_ON = ("on", "yes", "true", "1")
_OFF = ("off", "no", "false", "0")
_LONGEST_WORD = 1000
NO_STYLE = "off"


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off; what is not said turns it over."""

    name: str
    meaning: str

    def read(self, value: Any) -> bool | None:
        """Return what a value means; None for none.

        Raises:
            ControlError: neither on nor off.
        """
        if value is None or isinstance(value, bool):
            return value
        word = str(value)[:80].lower()
        if word not in (*_ON, *_OFF):
            raise _unfit(self.name, value, "on or off")
        return word in _ON


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    name: str
    meaning: str
    words: tuple[str, ...]

    def read(self, value: Any) -> str:
        """Return the word.

        Raises:
            ControlError: another one, or none.
        """
        if not isinstance(value, str) or value not in self.words:
            raise _unfit(self.name, value, f"one of {', '.join(self.words)}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds, or "off" where that is allowed.

    Attributes:
        low, high: bounds.
        step: of a slider.
        unit: for people; empty for factors.
        can_be_off: whether None, told as "off", is a value.
    """

    name: str
    meaning: str
    low: float
    high: float
    step: float
    unit: str = ""
    can_be_off: bool = False

    def read(self, value: Any) -> float | None:
        """Return the number, None for "off".

        Raises:
            ControlError: no number, or one beyond the bounds.
        """
        if self.can_be_off and (value is None or value == "off"):
            return None
        expected = f"a number from {self.low:g} to {self.high:g}" + (", or off" if self.can_be_off else "")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise _unfit(self.name, value, expected)
        try:
            number = float(value)
        except (ValueError, OverflowError) as error:
            raise _unfit(self.name, value, expected) from error
        if not self.low <= number <= self.high:  # nor NaN
            raise _unfit(self.name, value, expected)
        return number


@dataclass(frozen=True, slots=True)
class Word:
    """Any word: a name, or a file.

    Attributes:
        words: some that are always good.
    """

    name: str
    meaning: str
    words: tuple[str, ...] = ()

    def read(self, value: Any) -> str:
        """Return the word.

        Raises:
            ControlError: none, or one that is too long.
        """
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD:
            raise _unfit(self.name, value, f"a word of 1 to {_LONGEST_WORD} letters")
        return value


Parameter = Switch | Choice | Number | Word


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be asked of a run.

    Attributes:
        name: what it is called everywhere.
        meaning: what it does, in one sentence.
        key: letter that stands for it on the page, in the preview window and in the terminal; empty for none.
        parameters: what must be said with it, in this order.
        make: makes the command of their values.
    """

    name: str
    meaning: str
    key: str
    parameters: tuple[Parameter, ...]
    make: Callable[..., Command]

    def command(self, values: Mapping[str, Any]) -> Command:
        """Make the command of values by their parameters' names, as JSON or words give them.

        Raises:
            ControlError: an unknown name, or a value that does not fit.
        """
        known = [parameter.name for parameter in self.parameters]
        if unknown := [name for name in values if name not in known]:
            raise ControlError(
                f"{self.name} with {str(unknown[0])[:60]!r}",
                f"{self.name} with {', '.join(known) or 'nothing else'}",
                "Correct the name.",
            )
        return self.make(*(parameter.read(values.get(parameter.name)) for parameter in self.parameters))


def verb_named(name: str) -> Verb:
    """Return a verb.

    Raises:
        ControlError: there is none of that name.
    """
    if name not in VERBS:
        raise ControlError(f"{name[:60]!r}", f"one of {', '.join(VERBS)}", "Correct the word.")
    return VERBS[name]


def _unfit(name: str, value: Any, expected: str) -> ControlError:
    return ControlError(f"{name} {str(value)[:60]!r}", expected, "Correct the value.")


def _style(word: str) -> SetStyle:
    return SetStyle(None if word == NO_STYLE else load_style(word))


def _head_speed(degrees: float | None) -> SetHeadSpeed:
    return SetHeadSpeed(None if degrees is None else math.radians(degrees))


_REGION = Choice("region", "part of the puppet", REGIONS)
_ALL = (
    Verb("panic", "Send a card in place of the puppet, at once.", "p", (Switch("on", "the card"),), Panic),
    Verb("away", "Let the puppet idle, unheard.", "a", (Switch("on", "away"),), Away),
    Verb("freeze", "Hold the present expression.", "f", (Switch("on", "held"),), Freeze),
    Verb("recentre", "Take how you sit and look now as rest.", "r", (), Recentre),
    Verb("mute", "Send silence in place of the microphone.", "m", (Switch("on", "silence"),), Mute),
    Verb("record", "Record what goes out into a video file.", "v", (Switch("on", "recording"),), Record),
    Verb("avatar", "Go on as another portrait of this run.", "", (Word("name", "its name"),), ShowPuppet),
    Verb(
        "background",
        "Put the puppet before another background.",
        "",
        (Word("word", "portrait, blur, a colour such as #00ff00, or an image file"),),
        lambda word: SetBackdrop(Backdrop.parse(word)),
    ),
    Verb(
        "gain",
        "Take over more or less of the motion of one region.",
        "",
        (_REGION, Number("amount", "1 is as you move, 0 keeps it still", 0.0, MOST, 0.05)),
        SetGain,
    ),
    Verb(
        "still",
        "Let one region keep still, or move again.",
        "",
        (_REGION, Switch("on", "still")),
        SetStill,
    ),
    Verb(
        "head-speed",
        "Let the head turn no faster than this.",
        "",
        (Number("degrees", "a second", 5.0, 360.0, 5.0, "°/s", can_be_off=True),),
        _head_speed,
    ),
    Verb(
        "smoothing",
        "Take more or less tremble out of your motion.",
        "",
        (Number("strength", "1 is as usual, 0 takes none out", 0.0, 4.0, 0.1),),
        SetSmoothing,
    ),
    Verb(
        "liveliness",
        "Let a voice that drives move the head less or more.",
        "",
        (Number("amount", "1 is as people do, 0 keeps it still", 0.0, 2.0, 0.05),),
        lambda amount: SetVoice("liveliness", amount),
    ),
    Verb(
        "voice-intensity",
        "Let a voice that drives open the mouth less or more.",
        "",
        (Number("amount", "1 is as heard", 0.0, 2.0, 0.05),),
        lambda amount: SetVoice("intensity", amount),
    ),
    Verb(
        "voice-region",
        "Let a voice that drives move more or less of the puppet.",
        "",
        (Choice("region", "how far down from the mouth", tuple(region.value for region in Region)),),
        lambda word: SetVoice("region", Region(word)),
    ),
    Verb(
        "emotion",
        "Let what is felt in a voice that drives shape the face.",
        "",
        (Choice("state", "heard in the voice, or not", ("off", "on")),),
        lambda word: SetVoice("emotion", word == "on"),
    ),
    Verb(
        "play",
        "Play a bit over your own motion, after those that wait.",
        "",
        (Word("name", "nod, shake, wave, laugh, or one of your own"),),
        Play,
    ),
    Verb(
        "stop-playing", "Ease out of the bit that is played, and forget those that wait.", "", (), StopPlaying
    ),
    Verb(
        "style",
        "Give the puppet a personality.",
        "",
        (Word("name", "off, a style's name, or a .toml file of your own", (NO_STYLE, *STYLE_NAMES)),),
        _style,
    ),
    Verb(
        "direction",
        "Move the expression along a direction: more or less of a smile, of surprise, of all of it.",
        "",
        (
            Choice("name", "which direction", SLIDERS),
            Number("amount", "0 is as you do, 1 adds a clear one, -1 takes as much away", -1.0, 1.0, 0.05),
        ),
        SetDirection,
    ),
    Verb("mirror", "Flip left and right.", "", (Switch("on", "flipped"),), SetMirror),
    Verb(
        "label",
        "Show the label that says the picture is synthetic.",
        "",
        (Choice("corner", "where", tuple(corner.value for corner in Corner)),),
        lambda word: SetLabel(Corner(word)),
    ),
    Verb("reset", "Go back to the usual settings of this avatar and camera.", "", (), Reset),
    Verb(
        "quality",
        "Keep one quality, or let the run choose.",
        "",
        (Choice("name", "quality", (AUTO, *BY_NAME)),),
        SetQuality,
    ),
)
VERBS: Mapping[str, Verb] = MappingProxyType({verb.name: verb for verb in _ALL})
