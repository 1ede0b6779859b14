"""From the puppet to the outgoing picture: framing, background, mirror and the visible label."""

from facepuppet.compose.background import Backdrop
from facepuppet.compose.composer import Composer
from facepuppet.compose.framing import Framing, Placement, place
from facepuppet.compose.label import Corner

__all__ = ["Backdrop", "Composer", "Corner", "Framing", "Placement", "place"]
