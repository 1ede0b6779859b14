"""Whole frames on the CPU; only the painters' networks may run elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from facepuppet.core.metrics import Meter
from facepuppet.core.types import Motion, Pixels, Quality
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose.composer import Composer
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.frames.cpu.finisher import Finisher
from facepuppet.frames.cpu.render.cutout import Surroundings
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.marked import Marked


class CpuMaker(FrameMaker):
    """Renders, composes and marks; composing one frame runs beside rendering the next.

    Args:
        renderer: of the portrait.
        composer: of the same portrait.
        marker: of the composer's canvas size.
        meter: told the times of "render", "compose" and "mark".

    Attributes:
        renderer, finisher: its two halves, for makers that are built upon them.
    """

    description = "CPU"
    overlaps = True
    adapts = True

    def __init__(
        self, renderer: Renderer, composer: Composer, marker: Marker, meter: Meter | None = None
    ) -> None:
        super().__init__(meter)
        self.renderer = renderer
        self.finisher = Finisher(composer, marker, self._meter)
        self.surround()

    def make(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion."""
        return self.start(motion)()

    def start(self, motion: Motion) -> Callable[[], Marked]:
        """Render; what is returned composes and marks."""
        with self._meter.time("render"):
            rendered = self.renderer.render(motion)
        return partial(self.finisher.finish, rendered)

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures."""
        self.finisher.set_scene(scene)
        self.surround()

    def surround(self) -> bool:
        """Let the renderer cut the person out for what the composer puts around; tells if that is new."""
        composer = self.finisher.composer
        own = composer.scene.backdrop.is_own and not self.finisher.matte  # a stage has another background
        return self.renderer.stand_before(Surroundings(own))

    def set_quality(self, quality: Quality) -> None:
        """Spend more or less work on later pictures."""
        self.renderer.set_quality(quality)

    def set_pixels(self, pixels: Pixels) -> None:
        """Make later pictures as those want them who take them."""
        self.finisher.pixels = pixels

    def set_matte(self, wanted: bool) -> None:
        """Let later pictures come with a matte, or no longer."""
        if wanted != self.finisher.matte:
            self.finisher.matte = wanted
            self.surround()

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each painter's network at present, by the network's name."""
        return self.renderer.networks
