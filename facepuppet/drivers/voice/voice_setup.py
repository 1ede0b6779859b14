"""How a voice that drives is set up: what all drivers of a voice are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from facepuppet.core.types import F32
from facepuppet.drivers.voice.saying import Saying
from facepuppet.voice.voice_manner import VoiceManner

Listener = Callable[[F32, float, float], None]


class Ears(Protocol):
    """What a driver needs of a microphone; `sound.Microphone` is the real one.

    Attributes:
        muted: whoever hears it hears silence.
        listeners: called with each block (n,), its rate in Hz, and when it ended on time.monotonic().
    """

    muted: bool
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class VoiceSetup:
    """How a voice drives.

    Attributes:
        manner: how it moves the face.
        seed: the same seed and sound give the same expressions.
        microphone: an open one, which somebody else closes; None lets a driver open its own.
        saying: how text is read out; by espeak-ng on the system's own output if None.
        alone: no other driver is there.
    """

    manner: VoiceManner = field(default_factory=VoiceManner)
    seed: int = 0
    microphone: Ears | None = None
    saying: Saying | None = None
    alone: bool = True
