"""A portrait that follows a driver: from an expression to a marked picture, as one object."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from facepuppet.character.character import Character
from facepuppet.core.errors import EngineError
from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.types import U8, Expression, Pixels, Presence, Quality
from facepuppet.drivers.plausible import implausible
from facepuppet.frames.base import MAKERS, FrameMaker
from facepuppet.frames.cpu.compose.card import draw_card
from facepuppet.frames.cpu.compose.composer import Composer
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.frames.cpu.cpu_maker import CpuMaker
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.inference.imported_networks import is_imported
from facepuppet.inference.runtime import Runtime
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.manner import Manner
from facepuppet.retarget.retargeter import Retargeter
from facepuppet.session.safe_card import SafeCard
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.marked import Marked
from facepuppet.watermark.payload import Payload

log = logging.getLogger(__name__)


class Puppet:
    """Retargets, and lets the best frame maker that works do the rest; live and offline runs share it.

    No camera picture enters here, only expressions, so none can leave.

    Args:
        avatar: the portrait.
        composer: framing, background, mirror and label; the defaults of Composer if None.
        key: who can detect the watermark.
        session: counter that the watermark carries, modulo 2²⁴.
        consent_id: id of the consent record, which the watermark carries; the portrait's digest if None.
        engine: what runs the networks; "auto" is the best that works (see `inference.ENGINES`); or a
            Runtime that several puppets share.
        seed: of what it does while nobody drives it: no two seeds give the same.
        maker: makes the frames: "builtin"; "liveportrait", which the user has imported; "auto", the larger
            of the two that holds the cadence; or one of your own, of the composer's canvas size.
        fps: the cadence: pictures a second that are wanted.

    Attributes:
        avatar: as given.
        canvas_px: width and height of the pictures.
        character: what shapes the driver's expressions on their way.
        maker: what makes the frames.
        usual_scene: what is around it until somebody says otherwise.

    Raises:
        EngineError: the engine that was asked for cannot run here; or an unknown word for a maker.
    """

    def __init__(
        self,
        avatar: Avatar,
        composer: Composer | None = None,
        *,
        key: Key = PUBLIC_KEY,
        session: int = 0,
        consent_id: str | None = None,
        engine: str | Runtime = "auto",
        seed: int = 0,
        maker: FrameMaker | str = "builtin",
        fps: float = 30.0,
    ) -> None:
        composer = (composer or Composer(avatar)).at_shown_size()
        shown = composer.avatar
        self.avatar, self.canvas_px = avatar, composer.canvas_px
        self.usual_scene = self._scene = composer.scene
        self._meter = Meter()
        self.character = Character()
        self._retargeter = Retargeter(shown, seed)
        self._fallbacks: Callable[[], tuple[str, ...]] = tuple
        self._refused: set[str] = set()
        payload = (
            Payload.for_avatar(avatar.source_sha256, session)
            if consent_id is None
            else Payload.for_consent(consent_id, session)
        )
        self._marker = Marker(key, payload, size_px=self.canvas_px)
        if isinstance(maker, str):
            if maker not in MAKERS:
                raise EngineError(f"maker {maker!r}", f"one of {', '.join(MAKERS)}", "Correct it.")
            renderer = Renderer(shown, engine=engine)
            self._fallbacks = lambda: renderer.fallbacks
            cpu = CpuMaker(renderer, composer, self._marker, self._meter)
            wanted, maker = maker, _best_built_in(shown, cpu, self._meter)
            if wanted == "liveportrait" or (wanted == "auto" and is_imported()):
                from facepuppet.frames.generated.choosing import Below, with_generator

                maker = with_generator(wanted, Below(shown, cpu, maker, self._meter), fps)
        self.maker = maker

    @property
    def overlaps(self) -> bool:
        """Whether the rest of a frame, which `start` returns, may run beside the next `start`."""
        return self.maker.overlaps

    @property
    def adapts(self) -> bool:
        """Whether `set_quality` changes anything at present."""
        return self.maker.adapts

    @property
    def presence(self) -> Presence:
        """How the puppet stands to its driver."""
        return self._retargeter.presence

    @property
    def manner(self) -> Manner:
        """How it follows its driver."""
        return self._retargeter.manner

    @property
    def scene(self) -> Scene:
        """What is around it."""
        return self._scene

    @property
    def mark(self) -> str:
        """What the mark on every picture says, and whose key it takes to read it, for people."""
        payload, key = self._marker.payload, self._marker.key
        return f"{payload.avatar:07x} · session {payload.session} · {key.name} key"

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each network at present, by the network's name."""
        return self.maker.networks

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """One sentence for each painter or engine that failed so far and was replaced."""
        return self._fallbacks()

    @property
    def frame_path(self) -> str:
        """What makes pictures of motions at present, for people."""
        return self.maker.description

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of each step so far, in the order of work."""
        return {**self._meter.spreads(), **self.maker.timings()}

    def show(self, expression: Expression) -> Marked:
        """Return the outgoing picture for an expression; they must come in the order of their capture."""
        return self.start(expression)()

    def start(self, expression: Expression) -> Callable[[], Marked]:
        """Do what must be done in order; what is returned does the rest, on any one thread.

        What no face can do, such as NaN, counts as nobody's expression.
        """
        wrong = implausible(expression)
        if wrong is not None:
            self._refuse(wrong)
            expression = Expression.absent(expression.frame_id, expression.captured_ns)
        if self.character.shapes:
            with self._meter.time("character"):
                expression = self.character.update(expression)
        else:
            self.character.begin()
        with self._meter.time("retarget"):
            motion = self._retargeter.update(expression)
        return self.maker.start(motion)

    def card(self, rgb: U8 | None = None) -> SafeCard:
        """Return a card that can go out in place of the puppet, with the same mark.

        Args:
            rgb: (H, W, 3) of the canvas's size; a plain card if None.
        """
        return SafeCard(draw_card(self.canvas_px) if rgb is None else rgb, self._marker.twin())

    def set_manner(self, manner: Manner) -> None:
        """Follow the driver in another way, from the next frame on."""
        self._retargeter.manner = manner

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures; not beside `start`."""
        self._scene = scene
        self.maker.set_scene(scene)

    def set_quality(self, quality: Quality) -> None:
        """Spend more or less work on later pictures; not beside `start`."""
        self.maker.set_quality(quality)

    def set_pixels(self, pixels: Pixels) -> None:
        """Make later pictures as a sink wants them; not beside `start`."""
        self.maker.set_pixels(pixels)

    def set_matte(self, wanted: bool) -> None:
        """Let later pictures come with a matte, or no longer; not beside `start`."""
        self.maker.set_matte(wanted)

    def _refuse(self, wrong: str) -> None:
        """Tell each kind of nonsense once."""
        kind = wrong.split(" ", 1)[0]
        if kind not in self._refused:
            self._refused.add(kind)
            log.warning("The driver sends %s: such frames count as frames without a face.", wrong)


def _best_built_in(avatar: Avatar, cpu: CpuMaker, meter: Meter) -> FrameMaker:
    """Open every built-in maker that works here, best first; the CPU is always among them."""
    if cpu.renderer.on_device_engine is None:
        return cpu
    from facepuppet.frames.cuda.cuda_maker import CudaMaker  # costs a start without a GPU 15 ms
    from facepuppet.frames.fallback import FallbackMaker

    runtime = cpu.renderer.runtime
    try:
        cuda = CudaMaker(avatar, cpu, meter)
    except EngineError as problem:
        runtime.fell_back(f"Frames are made on the CPU, networks alone on the GPU. {problem}")
        return cpu
    # Networks go with the frames: what lost the frame would cost each of them a time-out.
    return FallbackMaker([cuda, cpu], lambda lost, problem: runtime.lose(cuda.engine, problem))
