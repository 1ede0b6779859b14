"""What every maker of frames offers: motions of one portrait in, marked pictures out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.types import Motion, Pixels, Quality
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.watermark.marked import Marked

MAKERS = ("auto", "builtin", "liveportrait")  # the words for those that are not somebody's own


class FrameMaker(ABC):
    """Makes the outgoing pictures of one portrait; one thread at a time, in the order of capture.

    A subclass needs `make` and `set_scene`. It may draw as it likes, but only markers construct Marked,
    so its pictures end in `cpu.finisher.Finisher` or on a GPU in `watermark.mark_gpu.GpuMarker`.

    Args:
        meter: told the time of each step; a new one if None.

    Attributes:
        description: what makes them, for people.
        networks: what runs each network at present, by the network's name.
        overlaps: the rest of one frame, which `start` returns, may run beside the next `start`.
        adapts: `set_quality` changes how much work a picture is.
    """

    description: str = "a frame maker"
    overlaps: bool = False
    adapts: bool = False

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or Meter()

    @abstractmethod
    def make(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion.

        Raises:
            EngineError: what runs it was lost; it will not recover.
        """

    @abstractmethod
    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures."""

    def set_quality(self, quality: Quality) -> None:  # noqa: B027 - a maker may have no choice
        """Spend more or less work on later pictures; makers that do not `adapt` ignore it."""

    def set_pixels(self, pixels: Pixels) -> None:  # noqa: B027 - ignoring it is right for most
        """Make later pictures as those want them who take them; makers that cannot choose make RGB."""

    def set_matte(self, wanted: bool) -> None:  # noqa: B027 - a maker may be unable to tell
        """Let later pictures come with a matte, or no longer; may be told so before every frame."""

    def start(self, motion: Motion) -> Callable[[], Marked]:
        """Do what must be done in order, and return what does the rest, on any one thread.

        Raises:
            EngineError: as `make`.
        """
        marked = self.make(motion)
        return lambda: marked

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of each step so far, by its name, in the order of work."""
        return self._meter.spreads()

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each network at present, by the network's name."""
        return {}
