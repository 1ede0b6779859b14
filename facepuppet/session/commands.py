"""What can be asked of a run while it is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from facepuppet.character.style import Style
from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.frames.cpu.compose.label import Corner
from facepuppet.voice.voice_manner import Region


@dataclass(frozen=True, slots=True)
class Recentre:
    """Take the driver's next moments as rest."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold the present expression, or follow again; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """Leave the driver unheard: the puppet eases to rest and idles; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Panic:
    """Send a card in place of the puppet, at once, whatever the puppet's stages do; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Record what goes out, or end the recording; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """Pass silence on in place of the microphone; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class SetGain:
    """Take over more or less of the driver's motion of one region (see `Gains`)."""

    region: str
    amount: float


@dataclass(frozen=True, slots=True)
class SetStill:
    """Let one region keep still, or move again; None turns it over."""

    region: str
    on: bool | None = None


@dataclass(frozen=True, slots=True)
class SetHeadSpeed:
    """Let the head turn no faster than this; None lets it go as it comes."""

    most_rad_s: float | None


@dataclass(frozen=True, slots=True)
class SetSmoothing:
    """Take more or less tremble out of the driver's motion; 1 is as usual, 0 takes none out."""

    strength: float


@dataclass(frozen=True, slots=True)
class SetVoice:
    """Let a voice that drives move the face in another way: one field of `VoiceManner`, and its value."""

    what: str
    value: float | bool | Region


@dataclass(frozen=True, slots=True)
class Play:
    """Play a bit over the live driver, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """Ease out of the bit that is played, and forget those that wait."""


@dataclass(frozen=True, slots=True)
class SetStyle:
    """Give the puppet that is shown a personality; None leaves it the driver's own."""

    style: Style | None


@dataclass(frozen=True, slots=True)
class SetDirection:
    """Move the expression along a direction of the expression code, from −1 to 1, or its intensity."""

    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Go back to the usual settings of the avatar that is shown, and of the camera."""


@dataclass(frozen=True, slots=True)
class SetBackdrop:
    """Put the puppet before another background."""

    backdrop: Backdrop


@dataclass(frozen=True, slots=True)
class SetMirror:
    """Flip left and right; None turns it over."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class SetLabel:
    """Show the visible label in a corner, or not."""

    corner: Corner


@dataclass(frozen=True, slots=True)
class ShowPuppet:
    """Go on with another of the run's puppets."""

    name: str


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Keep one quality, by its name ("best", "good", "fair", "low"), or "auto"."""

    name: str


Command: TypeAlias = (
    Recentre
    | Freeze
    | Away
    | Panic
    | Record
    | Mute
    | SetGain
    | SetStill
    | SetHeadSpeed
    | SetSmoothing
    | SetVoice
    | Play
    | StopPlaying
    | SetStyle
    | SetDirection
    | Reset
    | SetBackdrop
    | SetMirror
    | SetLabel
    | ShowPuppet
    | SetQuality
)
