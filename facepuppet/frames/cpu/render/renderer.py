"""From a motion to a picture of the moved portrait."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from facepuppet.core.types import U8, Motion, Quality, Rendered
from facepuppet.frames.cpu.render.cutout import Surroundings
from facepuppet.frames.cpu.render.eyes import Eyes
from facepuppet.frames.cpu.render.flesh import Flesh
from facepuppet.frames.cpu.render.folds import Folds
from facepuppet.frames.cpu.render.lid_layer import LidLayer
from facepuppet.frames.cpu.render.mouth import Mouth
from facepuppet.frames.cpu.render.painter import load_painters
from facepuppet.frames.cpu.render.painter_pool import PainterPool
from facepuppet.frames.cpu.render.view_layers import ViewLayers
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.inference import Runtime
from facepuppet.inference.on_device import ON_DEVICE
from facepuppet.portrait.avatar import Avatar


class Renderer:
    """Renders one portrait: warp, then mouth and eyes, then the painters that the manifest names.

    Only the portrait's own pixels (and what is drawn from their colours) ever appear; no camera
    picture enters here.

    Args:
        avatar: the portrait.
        weights: folder with manifest.toml and weights; None is the installed engines package.
        engine: what runs the painters; "auto" is the best that works (see `inference.ENGINES`); or a
            Runtime that puppets share.

    Attributes:
        warp, folds, eyes, lids, mouth, views, painters, flesh: what draws, in the order of drawing; views is
            None where the portrait has none.
        runtime: what opened the painters' networks.
        problems: one sentence for each painter that could not be loaded; geometry stands in for it.

    Raises:
        EngineError: the engine that was asked for cannot run here.
    """

    def __init__(self, avatar: Avatar, weights: Path | None = None, engine: str | Runtime = "auto") -> None:
        self.runtime = engine if isinstance(engine, Runtime) else Runtime(engine)
        self.warp = Warp(avatar)
        self.folds = Folds(avatar, self.warp)
        self.flesh, self._shades = Flesh(avatar, self.warp), True
        self.eyes = Eyes(avatar)
        self.lids = LidLayer(avatar)
        self.mouth = Mouth(avatar, self.eyes.white_rgb)
        self.views = ViewLayers(avatar, self.warp) if avatar.views else None
        painters, problems = load_painters(avatar, weights, self.runtime)
        self.painters = tuple(painters)
        self._painter_pool = PainterPool(painters, self.runtime.helpers)
        self.problems = tuple(problems)

    @property
    def on_device_engine(self) -> str | None:
        """The engine that runs every painter, if it can leave pictures on the GPU; else None."""
        engines = {painter.session.engine for painter in self.painters}
        return engines.pop() if len(engines) == 1 and engines <= set(ON_DEVICE) else None

    @property
    def networks(self) -> dict[str, str]:
        """What runs each painter's network at present, by the network's name."""
        return {painter.network.name: painter.session.description for painter in self.painters}

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """One sentence for each painter that geometry stands in for, and each engine that failed, so far."""
        return (*self.problems, *self.runtime.fallbacks)

    def stand_before(self, surroundings: Surroundings) -> bool:
        """Cut the person out for what they stand before from now on; tells whether that is new."""
        return self.warp.stand_before(surroundings)

    def set_quality(self, quality: Quality) -> None:
        """Spend more or less work on later pictures."""
        self.warp.mesh.max_grid = quality.flow_cells
        self._painter_pool.every = quality.painters_every
        self._shades = quality.flesh

    def render_around_face(self, motion: Motion) -> U8:
        """Return the moved person without what is drawn into the face, for whoever draws that himself.

        Returns:
            (H, W, 4) uint8 premultiplied RGBA, writable.
        """
        flow = self.warp.flow(motion)
        rgba = self.warp.sample(flow)
        self.folds.mend(rgba, flow, motion.landmarks_px)
        return rgba

    def render(self, motion: Motion, *, left_out: Collection[int] = ()) -> Rendered:
        """Return the moved person without background, in the portrait frame.

        Args:
            motion: where everything goes.
            left_out: views (by number) not to use, to measure what they bring.
        """
        flow = self.warp.flow(motion)
        rgba = self.warp.sample(flow)
        choice = self.views.choose(motion, left_out) if self.views else None
        if self.views and choice:
            self.views.draw_face(rgba, flow, choice)
        self.folds.mend(rgba, flow, motion.landmarks_px)
        self.mouth.draw(rgba, motion)
        lids = self.lids.place(motion)
        self.lids.draw_skin(rgba, lids)
        if self.views and choice:
            self.views.draw_parts(rgba, flow, choice)
        begun = self._painter_pool.begin(rgba, motion)
        self.eyes.draw(rgba, motion)
        self.lids.draw_lashes(rgba, lids)
        self._painter_pool.paint(rgba, motion, begun)
        if self._shades:  # painters see skin as they were trained on, without it
            self.flesh.draw(rgba, flow, motion)
        return Rendered(rgba, motion.frame_id, motion.captured_ns)
