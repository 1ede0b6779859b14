"""Frames whose face a large network draws, in the built-in maker's pictures of everything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import cv2

from facepuppet.core.errors import EngineError
from facepuppet.core.geometry import smoothstep
from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.types import F32, Motion, Pixels, Quality, Rendered
from facepuppet.face.topology import RIGID
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.frames.cpu.cpu_maker import CpuMaker
from facepuppet.frames.generated.generated_head import GeneratedHead, HeadPicture
from facepuppet.frames.generated.pace_watch import PaceWatch
from facepuppet.frames.generated.paste import paste
from facepuppet.inference.imported_networks import SHOWN_PX
from facepuppet.watermark.marked import Marked

STEP_DOWN_S = 0.4


@dataclass(frozen=True, slots=True)
class _Shown:
    """The last picture that the network made, and the (K, 2) rigid landmarks that it was made for."""

    head: HeadPicture
    rigid_px: F32


@dataclass(frozen=True, slots=True)
class Generated:
    """A frame before its background.

    Attributes:
        rendered: the moved person with the network's face.
        head: the network's picture by itself.
        taken_s: by all of it.
        network_s: by the network.
    """

    rendered: Rendered
    head: HeadPicture
    taken_s: float
    network_s: float


class GeneratorMaker(FrameMaker):
    """Shows motions of one portrait: hair, neck, torso and background as ever, the face by a network.

    When the network is lost, answers what is no number, or is too slow, its last picture moves along with the
    head and fades over into the built-in maker's, which then goes on for good.

    Args:
        head: of the portrait.
        cpu: the built-in maker on the CPU, whose parts are used, and whose marks.
        below: what goes on when the network is lost; the same, or a faster one that stands before it.
        on_loss: told why the network is given up, once.
        pace: what frames have to hold, else the network is given up; None lets it take its time.
        meter: told the times of "render", "network" and "paste".
        now_s: tells the time.
    """

    overlaps = True
    adapts = True

    def __init__(
        self,
        head: GeneratedHead,
        cpu: CpuMaker,
        below: FrameMaker,
        on_loss: Callable[[EngineError], None],
        pace: PaceWatch | None = None,
        meter: Meter | None = None,
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(meter)
        self._head, self._cpu, self._below = head, cpu, below
        self._own_description = f"LivePortrait at {SHOWN_PX}²"
        self._on_loss, self._pace, self._now_s = on_loss, pace, now_s
        self._shown: _Shown | None = None
        self._lost_ns: int | None = None
        self._gone = False
        self._matte = False

    @property
    def maker(self) -> FrameMaker:
        """What makes frames at present."""
        return self._below if self._gone else self

    @property
    def description(self) -> str:  # type: ignore[override]  # of whoever makes them at present
        """What makes them at present, for people."""
        return self._below.description if self._gone else self._own_description

    def tell_pace(self, found: PaceWatch) -> None:
        """Let the description say what was found when it was tried."""
        self._own_description = f"LivePortrait at {SHOWN_PX}² ({found})"

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each network at present, by the network's name."""
        return self._below.networks if self._lost_ns is not None else {"LivePortrait": self._head.runs_on}

    def make(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion."""
        return self.start(motion)()

    def start(self, motion: Motion) -> Callable[[], Marked]:
        """Do all but composing and marking, by the network as long as it can."""
        if self._gone:
            return self._below.start(motion)
        if self._lost_ns is None:
            try:
                made = self.generate(motion)
            except EngineError as problem:
                self._lose(problem, motion)
            else:
                self._shown = _Shown(made.head, motion.landmarks_px[RIGID, :2])
                self._look_at_pace(made, motion)
                return partial(self._cpu.finisher.finish, made.rendered)
        return self._led_over(motion)

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures, whoever makes them."""
        self._below.set_scene(scene)  # they share a composer; who draws on a GPU has to see it change

    def set_quality(self, quality: Quality) -> None:
        """Spend more or less work on what the built-in maker draws."""
        self._cpu.set_quality(quality)
        self._below.set_quality(quality)

    def set_pixels(self, pixels: Pixels) -> None:
        """Make later pictures as those want them who take them, whoever makes them."""
        self._below.set_pixels(pixels)
        self._cpu.set_pixels(pixels)

    def set_matte(self, wanted: bool) -> None:
        """Let later pictures come with a matte, or no longer."""
        self._matte = wanted
        (self._below if self._gone else self._cpu).set_matte(wanted)

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of each step so far."""
        return {**self._below.timings(), **self._meter.spreads()}

    def generate(self, motion: Motion) -> Generated:
        """Make a frame up to composing and marking; nothing is given up over it.

        Raises:
            EngineError: the network failed, or answered what is no number.
        """
        begun_s = self._now_s()
        with self._meter.time("render"):
            rgba = self._cpu.renderer.render_around_face(motion)
        rendered_s = self._now_s()
        with self._meter.time("network"):
            head = self._head.picture(motion)
        network_s = self._now_s() - rendered_s
        with self._meter.time("paste"):
            paste(head.rgb, head.crop, self._head.mask(motion), rgba)
        rendered = Rendered(rgba, motion.frame_id, motion.captured_ns)
        return Generated(rendered, head, self._now_s() - begun_s, network_s)

    def _look_at_pace(self, made: Generated, motion: Motion) -> None:
        """Give the network up if it is sure that it does not hold the cadence any more.

        A processor that is busy for a while makes all else late, too, which is no reason.
        """
        if self._pace is None:
            return
        is_slowest = made.network_s > 0.5 * made.taken_s
        self._pace.took(made.taken_s if is_slowest else made.network_s)
        if self._pace.is_late:
            problem = EngineError(
                f"LivePortrait at {self._pace}", "one that holds the cadence", "Close what else uses the GPU."
            )
            self._lose(problem, motion)

    def _lose(self, problem: EngineError, motion: Motion) -> None:
        self._lost_ns = motion.captured_ns
        self._on_loss(problem)
        if self._shown is None:
            self._end()

    def _led_over(self, motion: Motion) -> Callable[[], Marked]:
        """Show the built-in maker's frame, and of the last head less and less."""
        elapsed_s = (motion.captured_ns - (self._lost_ns or 0)) * 1e-9
        share = 1.0 - smoothstep(elapsed_s / STEP_DOWN_S)
        if share <= 0.0 or self._shown is None:
            self._end()
            return self._below.start(motion)
        with self._meter.time("render"):
            rendered = self._cpu.renderer.render(motion)
        head, rigid_px = self._shown.head, motion.landmarks_px[RIGID, :2]
        carried, _ = cv2.estimateAffinePartial2D(self._shown.rigid_px, rigid_px)
        crop = head.crop if carried is None else head.crop.carried(carried)
        paste(head.rgb, crop, self._head.mask(motion), rendered.rgba, share)
        return partial(self._cpu.finisher.finish, rendered)

    def _end(self) -> None:
        """Leave everything to the maker below."""
        self._gone, self._shown = True, None
        self._cpu.set_matte(False)
        self._below.set_matte(self._matte)
