"""An ordered list of makers: the best one that works, and the next when it is lost in mid-stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from facepuppet.core.errors import EngineError
from facepuppet.core.metrics import Spread
from facepuppet.core.types import Motion, Pixels, Quality
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.watermark.marked import Marked


class FallbackMaker(FrameMaker):
    """Makes frames by the first of several makers that is not lost.

    Args:
        makers: best first, all open: a call must not wait for one. The last never fails.
        on_loss: told of a maker's loss, before the next one goes on.
    """

    def __init__(
        self, makers: Sequence[FrameMaker], on_loss: Callable[[FrameMaker, EngineError], None]
    ) -> None:
        super().__init__()
        if not makers:
            raise ValueError("got no frame maker, expected at least one")
        self._makers, self._on_loss = list(makers), on_loss
        self._lost: list[FrameMaker] = []  # kept: destructors of a lost GPU may hang
        self._quality, self._matte = Quality(), False

    @property
    def maker(self) -> FrameMaker:
        """What makes frames at present."""
        return self._makers[0]

    @property
    def description(self) -> str:  # type: ignore[override]  # of whoever makes them at present
        """What makes them at present, for people."""
        return self.maker.description

    @property
    def overlaps(self) -> bool:  # type: ignore[override]
        """Whether the maker at present works on two frames at once."""
        return self.maker.overlaps

    @property
    def adapts(self) -> bool:  # type: ignore[override]
        """Whether the maker at present can choose how much work a picture is."""
        return self.maker.adapts

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each network at present, by the network's name."""
        return self.maker.networks

    def make(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion, by whoever can."""
        return self.start(motion)()

    def start(self, motion: Motion) -> Callable[[], Marked]:
        """Begin a frame, by whoever can; the last maker's own errors are not caught."""
        while len(self._makers) > 1:
            try:
                return self.maker.start(motion)
            except EngineError as problem:
                lost = self._makers.pop(0)
                self._lost.append(lost)
                self._on_loss(lost, problem)
                self.maker.set_quality(self._quality)
                self.maker.set_matte(self._matte)
        return self.maker.start(motion)

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures, whoever makes them."""
        for maker in self._makers:
            maker.set_scene(scene)

    def set_quality(self, quality: Quality) -> None:
        """Spend more or less work on later pictures, whoever makes them."""
        self._quality = quality
        self.maker.set_quality(quality)  # the others share its parts, and are told when their turn comes

    def set_pixels(self, pixels: Pixels) -> None:
        """Make later pictures as those want them who take them, whoever makes them."""
        for maker in self._makers:
            maker.set_pixels(pixels)

    def set_matte(self, wanted: bool) -> None:
        """Let later pictures come with a matte, or no longer, whoever makes them."""
        self._matte = wanted
        self.maker.set_matte(wanted)  # the others share its parts here, too

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of each step so far; of steps that several makers share, the present one's."""
        times: dict[str, Spread] = {}
        for maker in (*self._lost, *self._makers):
            times.update(maker.timings())
        return times
