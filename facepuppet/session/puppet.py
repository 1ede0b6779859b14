"""A portrait that follows a driver: the stages from a tracking to a marked picture, as one object."""

from __future__ import annotations

from facepuppet.core.errors import EngineError
from facepuppet.core.metrics import Meter
from facepuppet.core.types import Rendered, Tracking
from facepuppet.drivers.camera.profile import DriverNeutral, Seat
from facepuppet.frames.cpu.compose import Composer
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cuda.maker import FramePath
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget import Retargeter
from facepuppet.watermark import PUBLIC_KEY, Key, Marked, Marker, Payload


class Puppet:
    """Retargets, renders, composes and marks; live and offline runs share it.

    No camera picture enters here, only trackings, so none can leave.

    Args:
        avatar: the portrait.
        composer: framing, background, mirror and label; the defaults of Composer if None.
        neutral: the driver's resting face; None takes it from the first `settle_frames` seen.
        seat: where the driver rests before the camera; None takes it from the same frames.
        settle_frames: how many frames with a face define what was not given.
        recentre_s: time constant with which a held lean becomes the new centre; None keeps the first.
        key: who can detect the watermark.
        session: counter that the watermark carries, modulo 2²⁴.
        consent_id: id of the consent record, which the watermark carries; the portrait's digest if None.
        engine: what runs the painters; "auto" is the best that works (see `render.inference.ENGINES`).
        meter: told the time of each stage; a new one if None.

    Attributes:
        canvas_px: width and height of the pictures.
        meter: time of each stage.
        gpu: what makes whole frames on an NVIDIA GPU; None where the CPU does.

    Raises:
        EngineError: the engine that was asked for cannot run here.
    """

    def __init__(
        self,
        avatar: Avatar,
        composer: Composer | None = None,
        *,
        neutral: DriverNeutral | None = None,
        seat: Seat | None = None,
        settle_frames: int = 12,
        recentre_s: float | None = None,
        key: Key = PUBLIC_KEY,
        session: int = 0,
        consent_id: str | None = None,
        engine: str = "auto",
        meter: Meter | None = None,
    ) -> None:
        self._composer = composer or Composer(avatar)
        self.canvas_px = self._composer.canvas_px
        self.meter = meter or Meter()
        self._retargeter = Retargeter(
            avatar, neutral, seat=seat, settle_frames=settle_frames, recentre_s=recentre_s
        )
        self._renderer = Renderer(avatar, engine=engine)
        self.gpu: FramePath | None = None
        self._lost: FramePath | None = None  # kept: destructors of a lost GPU may hang
        payload = (
            Payload.for_avatar(avatar.source_sha256, session)
            if consent_id is None
            else Payload.for_consent(consent_id, session)
        )
        self._marker = Marker(key, payload, size_px=self.canvas_px)
        if self._renderer.resident_engine is not None:
            self._move_to_gpu(avatar)

    @property
    def networks(self) -> dict[str, str]:
        """What runs each painter's network at present, by the network's name."""
        return self._renderer.networks

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """One sentence for each painter or engine that failed so far and was replaced."""
        return self._renderer.fallbacks

    @property
    def frame_path(self) -> str:
        """What makes pictures of motions at present, for people."""
        return self.gpu.description if self.gpu else "CPU"

    def recentre(self) -> None:
        """Take the driver's next moments as rest: seat, and neutral unless it was given. For any thread."""
        self._retargeter.recentre()

    def show(self, tracking: Tracking) -> Marked:
        """Return the outgoing picture for a tracking; they must come in the order of their capture."""
        return self.finish(self.perform(tracking))

    def perform(self, tracking: Tracking) -> Rendered | Marked:
        """Move the portrait; one thread at a time, in the order of capture. A GPU marks it as well."""
        with self.meter.time("retarget"):
            motion = self._retargeter.update(tracking)
        with self.meter.time("render"):
            if self.gpu is not None:
                try:
                    return self.gpu.show(motion)
                except EngineError as problem:
                    self._leave_gpu(problem)
            return self._renderer.render(motion)

    def finish(self, rendered: Rendered | Marked) -> Marked:
        """Put the moved portrait before its background and mark it; may run beside the next `perform`."""
        if isinstance(rendered, Marked):
            return rendered
        with self.meter.time("compose"):
            composed = self._composer.compose(rendered)
        with self.meter.time("mark"):
            return self._marker.mark(composed)

    def _move_to_gpu(self, avatar: Avatar) -> None:
        """Let the GPU that runs the painters make whole frames, if it can."""
        try:
            self.gpu = FramePath(avatar, self._renderer, self._composer, self._marker)
        except EngineError as problem:
            self._renderer.engines.fell_back(
                f"Frames are made on the CPU, networks alone on the GPU. {problem}"
            )

    def _leave_gpu(self, problem: EngineError) -> None:
        """Go on with the CPU, networks included: what lost the frame would cost them a time-out each."""
        engine = self._renderer.resident_engine
        self._lost, self.gpu = self.gpu, None
        if engine is not None:
            self._renderer.engines.lose(engine, problem)
