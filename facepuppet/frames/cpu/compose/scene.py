"""What stands around the puppet, and which way round it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.frames.cpu.compose.label import Corner


@dataclass(frozen=True, slots=True)
class Scene:
    """What a composer puts around a puppet.

    Attributes:
        backdrop: what stands behind it.
        mirror: flip left and right (not the label).
        label: corner of the visible "synthetic" label, or Corner.OFF.
    """

    backdrop: Backdrop = field(default_factory=Backdrop)
    mirror: bool = False
    label: Corner = Corner.BOTTOM_RIGHT
