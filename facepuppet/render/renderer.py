"""From a motion to a picture of the moved portrait."""

from __future__ import annotations

from facepuppet.avatar.model import Avatar
from facepuppet.render.eyes import Eyes
from facepuppet.render.mouth import Mouth
from facepuppet.render.warp import Warp
from facepuppet.types import Motion, Rendered


class Renderer:
    """Renders one portrait: warp, then eyes and mouth, then the painters that the manifest names.

    Only the portrait's own pixels (and what is drawn from their colours) ever appear; no camera
    picture enters here.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._warp = Warp(avatar)
        self._eyes = Eyes(avatar)
        self._mouth = Mouth(avatar, self._eyes.sclera_rgb)

    def render(self, motion: Motion) -> Rendered:
        """Return the moved person without background, in the portrait frame."""
        rgba = self._warp.render(motion)
        self._mouth.draw(rgba, motion)
        self._eyes.draw(rgba, motion)
        return Rendered(rgba, motion.frame_id, motion.captured_ns)
