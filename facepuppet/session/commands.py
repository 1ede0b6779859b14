"""What can be asked of a run while it is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.retarget.gains import Gains


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
class SetGains:
    """Take over more or less of the driver's motion."""

    gains: Gains


@dataclass(frozen=True, slots=True)
class SetBackdrop:
    """Put the puppet before another background."""

    backdrop: Backdrop


@dataclass(frozen=True, slots=True)
class ShowPuppet:
    """Go on with another of the run's puppets."""

    name: str


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Keep one quality, by its name ("best", "good", "fair", "low"), or "auto"."""

    name: str


Command: TypeAlias = Recentre | Freeze | Away | SetGains | SetBackdrop | ShowPuppet | SetQuality
