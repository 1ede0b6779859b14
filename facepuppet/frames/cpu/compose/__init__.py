"""From the puppet to the outgoing picture: framing, background, mirror and the visible label."""

from facepuppet.frames.cpu.compose.background import Backdrop
from facepuppet.frames.cpu.compose.composer import Composer
from facepuppet.frames.cpu.compose.framing import Framing, Placement, place
from facepuppet.frames.cpu.compose.label import Corner
from facepuppet.frames.cpu.compose.scene import Scene

__all__ = ["Backdrop", "Composer", "Corner", "Framing", "Placement", "Scene", "place"]
