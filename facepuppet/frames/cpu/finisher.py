"""From a moved portrait to the marked picture: composition, then the mark."""

from __future__ import annotations

from facepuppet.core.metrics import Meter
from facepuppet.core.types import Pixels, Rendered
from facepuppet.frames.cpu.compose.composer import Composer
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.marked import Marked


class Finisher:
    """The end of every frame that is made on the CPU, whoever drew the portrait.

    Args:
        composer: framing, background, mirror and label.
        marker: of the composer's canvas size.
        meter: told the times of "compose" and "mark".

    Attributes:
        composer, marker: as given.
        pixels: what pictures are made as; canvases with an odd side are RGB all the same.
        matte: whether they come with one.
    """

    def __init__(self, composer: Composer, marker: Marker, meter: Meter) -> None:
        self.composer, self.marker, self._meter = composer, marker, meter
        self.pixels = Pixels.RGB
        self.matte = False

    def finish(self, rendered: Rendered) -> Marked:
        """Put the moved portrait before its background, and mark the picture."""
        if self.pixels is Pixels.I420 and self.composer.is_even:
            with self._meter.time("compose"):
                planes = self.composer.compose_i420(rendered, matte=self.matte)
            with self._meter.time("mark"):
                return self.marker.mark_i420(planes)
        with self._meter.time("compose"):
            composed = self.composer.compose(rendered, matte=self.matte)
        with self._meter.time("mark"):
            return self.marker.mark(composed)

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures."""
        self.composer.set_scene(scene)
