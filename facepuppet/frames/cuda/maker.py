"""A whole frame on an NVIDIA GPU: a motion goes up, a marked picture comes down."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.core.types import Motion
from facepuppet.frames.cpu.compose import Composer
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cuda.composing import ComposeStage
from facepuppet.frames.cuda.device import Device
from facepuppet.frames.cuda.features import EyesStage, LashesStage, MouthStage
from facepuppet.frames.cuda.painting import PaintersStage
from facepuppet.frames.cuda.parameters import DTYPE, Parameters
from facepuppet.frames.cuda.probe import likeness, probe_motions
from facepuppet.frames.cuda.view_stages import FaceViewsStage, PartViewsStage
from facepuppet.frames.cuda.warping import WarpStage
from facepuppet.portrait.avatar import Avatar
from facepuppet.watermark import Marked, Marker
from facepuppet.watermark.mark_gpu import GpuMarker

log = logging.getLogger(__name__)

_FIRST_S = 120.0  # kernels are compiled in the first frame, and TensorRT-RTX compiles its own


class Stage(Protocol):
    """One step of a frame."""

    def tell(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""

    def enqueue(self) -> None:
        """Enqueue always the same work, which reads what it was told from the GPU."""


class FramePath:
    """Shows motions of one portrait, all on one GPU.

    Args:
        avatar: the portrait.
        renderer, composer, marker: the same on the CPU, whose preparation is used, and whose pictures
            are the reference. The painters' networks run on the engine that the renderer's do.

    Attributes:
        description: what runs it, for people.

    Raises:
        EngineError: it cannot run here, or what it shows is not what the CPU shows.
    """

    def __init__(self, avatar: Avatar, renderer: Renderer, composer: Composer, marker: Marker) -> None:
        engine = renderer.resident_engine
        if engine is None:
            raise EngineError(
                "painters that do not run on an NVIDIA GPU", "painters that all do", "Use --engine cpu."
            )
        gpu = renderer.engines.gpu(engine)
        self._engine, self._device, self._captured_by_graph = engine, Device(gpu), False
        self._pinned = self._device.pinned(DTYPE.itemsize)
        self._told: Parameters = self._pinned.view(DTYPE)
        self._parameters = self._device.empty((DTYPE.itemsize,), np.uint8)
        self._build(avatar, renderer, composer, marker)
        motions = probe_motions(avatar)
        self._warm_up(motions[0])
        try:
            self._choose(motions, renderer, composer, marker)
        finally:
            composer.restart_label()  # nobody saw those frames
        graph = "one CUDA graph a frame" if self._captured_by_graph else "kernel by kernel"
        self.description = f"CUDA kernels on {gpu.name}, {graph}"

    def show(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion.

        Raises:
            EngineError: the GPU was lost; it will not recover.
        """
        self._tell(motion)
        if self._captured_by_graph:
            self._device.replay()
        else:
            self._device.run(self._enqueue)
        self._device.wait()
        return self._marker.take()

    def profile(self, motion: Motion) -> dict[str, float]:
        """Return the seconds of each step of one frame: on the GPU, enqueued one by one, and beside it."""
        begun_s = time.perf_counter()
        self._tell(motion)
        told_s = time.perf_counter() - begun_s
        steps = {"upload": self._upload, **{name: stage.enqueue for name, stage in self._stages.items()}}
        stamps = [self._device.stamp()]
        for enqueue in steps.values():
            self._device.run(enqueue)
            stamps.append(self._device.stamp())
        self._device.wait()
        begun_s = time.perf_counter()
        self._marker.take()
        taken_s = time.perf_counter() - begun_s
        pairs = pairwise(stamps)
        on_gpu = {name: self._device.elapsed_s(*pair) for name, pair in zip(steps, pairs, strict=True)}
        return {"CPU: tell": told_s, **on_gpu, "CPU: take": taken_s}

    def _build(self, avatar: Avatar, renderer: Renderer, composer: Composer, marker: Marker) -> None:
        """Make every stage, in the order in which the CPU draws."""
        device, told, views = self._device, self._parameters, renderer.views
        opener = partial(renderer.engines.open_resident, self._engine, stream=device.stream)
        warp = WarpStage(device, renderer.warp, avatar.size_px, told)
        self._painters = PaintersStage(device, renderer.painters, opener, warp.moved, told)
        compose = ComposeStage(device, composer, warp.moved, told)
        self._marker = GpuMarker(device, marker, compose.canvas, told)
        stages: dict[str, Stage | None] = {
            "warp": warp,
            "views: face": FaceViewsStage(device, views, warp, told) if views else None,
            "mouth": MouthStage(device, renderer.mouth, warp.moved, told),
            "views: parts": PartViewsStage(device, views, warp, told) if views else None,
            "eyes": EyesStage(device, renderer.eyes, warp.moved, told),
            "lashes": LashesStage(device, renderer.lashes, warp.moved, told),
            "painters": self._painters,
            "compose": compose,
            "mark, bring": self._marker,
        }
        self._stages = {name: stage for name, stage in stages.items() if stage is not None}

    def _tell(self, motion: Motion) -> None:
        self._told["landmarks_px"] = motion.landmarks_px
        for stage in self._stages.values():
            stage.tell(motion, self._told[0])

    def _enqueue(self) -> None:
        self._upload()
        for stage in self._stages.values():
            stage.enqueue()

    def _upload(self) -> None:
        self._device.copy_in(self._pinned, self._parameters)

    def _warm_up(self, motion: Motion) -> None:
        """Make one frame, which compiles everything: that cannot be done while a graph is captured."""
        self._tell(motion)
        self._device.run(self._enqueue)
        self._device.wait(_FIRST_S)
        self._painters.keep()

    def _choose(
        self, motions: Sequence[Motion], renderer: Renderer, composer: Composer, marker: Marker
    ) -> None:
        """Capture the frame as a graph if that works and shows the right thing; else launch kernel by kernel.

        Raises:
            EngineError: neither shows what the CPU shows.
        """
        if self._painters.graphable:
            try:
                self._device.record(self._enqueue)
                self._captured_by_graph = True
                self._check(motions, renderer, composer, marker)
                return
            except EngineError as problem:
                log.warning("No CUDA graph: frames are launched kernel by kernel. %s", problem)
                self._captured_by_graph = False
        self._check(motions, renderer, composer, marker)

    def _check(
        self, motions: Sequence[Motion], renderer: Renderer, composer: Composer, marker: Marker
    ) -> None:
        """Compare with the CPU.

        Raises:
            EngineError: too unlike.
        """
        for motion in motions:
            given = self.show(motion).rgb
            composed = composer.compose(renderer.render(motion))
            found = likeness(given, marker.mark(composed).rgb, composed.rgb)
            if not found.passes:
                raise EngineError(
                    f"{self._device.gpu.name}, whose pictures differ from the CPU's ({found})",
                    "the same pictures",
                    "Report it with the output of `facepuppet doctor`, or use --engine cpu.",
                )
