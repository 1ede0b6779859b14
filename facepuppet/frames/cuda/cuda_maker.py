"""A whole frame on an NVIDIA GPU: a motion goes up, a marked picture comes down."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np

from facepuppet.core.errors import EngineError
from facepuppet.core.metrics import Meter
from facepuppet.core.types import Motion, Pixels
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.frames.cpu.cpu_maker import CpuMaker
from facepuppet.frames.cpu.finisher import Finisher
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.frames.cuda.composing import ComposeStage
from facepuppet.frames.cuda.device import Device
from facepuppet.frames.cuda.features import EyesStage, LashesStage, LidSkinStage, MouthStage
from facepuppet.frames.cuda.flesh_stage import FleshStage
from facepuppet.frames.cuda.fold_stage import FoldStage
from facepuppet.frames.cuda.painting import PaintersStage
from facepuppet.frames.cuda.parameters import DTYPE, Parameters
from facepuppet.frames.cuda.probe import likeness, probe_motions
from facepuppet.frames.cuda.view_stages import FaceViewsStage, PartViewsStage
from facepuppet.frames.cuda.warping import WarpStage
from facepuppet.portrait.avatar import Avatar
from facepuppet.watermark.mark_gpu import GpuMarker
from facepuppet.watermark.marked import Marked

log = logging.getLogger(__name__)

_FIRST_S = 120.0  # kernels are compiled in the first frame, and TensorRT-RTX compiles its own


class Stage(Protocol):
    """One step of a frame."""

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""

    def enqueue(self) -> None:
        """Enqueue always the same work, which reads what it was told from the GPU."""


class CudaMaker(FrameMaker):
    """Shows motions of one portrait, all on one GPU.

    Args:
        avatar: the portrait.
        cpu: the same on the CPU, whose preparation is used, and whose pictures are the reference. The
            painters' networks run on the engine that its renderer's do.
        meter: told the time of "render", which is the whole frame.

    Raises:
        EngineError: it cannot run here, or what it shows is not what the CPU shows.
    """

    def __init__(self, avatar: Avatar, cpu: CpuMaker, meter: Meter | None = None) -> None:
        super().__init__(meter)
        renderer = cpu.renderer
        engine = renderer.on_device_engine
        if engine is None:
            raise EngineError(
                "painters that do not run on an NVIDIA GPU", "painters that all do", "Use --engine cpu."
            )
        gpu = renderer.runtime.gpu(engine)
        self.engine, self._cpu = engine, cpu
        self._device = Device(gpu, renderer.runtime)
        self._captured_by_graph = False
        self._pinned = self._device.pinned(DTYPE.itemsize)
        self._host_parameters: Parameters = self._pinned.view(DTYPE)
        self._parameters = self._device.empty((DTYPE.itemsize,), np.uint8)
        self._build(avatar, renderer, cpu.finisher)
        motions = probe_motions(avatar)
        self._warm_up(motions[0])
        try:
            self._choose(motions)
        finally:
            cpu.finisher.composer.restart_label()  # nobody saw those frames
        graph = "one CUDA graph a frame" if self._captured_by_graph else "kernel by kernel"
        self.description = f"CUDA kernels on {gpu.name}, {graph}"

    def make(self, motion: Motion) -> Marked:
        """Return the marked picture of a motion.

        Raises:
            EngineError: the GPU was lost; it will not recover.
        """
        with self._meter.time("render"):
            return self._show(motion)

    def set_scene(self, scene: Scene) -> None:
        """Put other things around the puppet in later pictures."""
        composer = self._cpu.finisher.composer
        before = composer.scene
        composer.set_scene(scene)
        if self._cpu.surround():
            self._warp.renew()
        self._compose.renew()
        if self._captured_by_graph and (scene.mirror, scene.label) != (before.mirror, before.label):
            self._device.record(self._enqueue)  # where the puppet and the label lie is part of the graph

    def set_pixels(self, pixels: Pixels) -> None:
        """Make later pictures as those want them who take them; canvases with an odd side are RGB."""
        self._marker.pixels = pixels

    @property
    def networks(self) -> Mapping[str, str]:
        """What runs each painter's network at present, by the network's name."""
        return self._cpu.networks

    def _show(self, motion: Motion) -> Marked:
        self._set_parameters(motion)
        if self._captured_by_graph:
            self._device.replay()
        else:
            self._device.run(self._enqueue)
        self._device.wait()
        return self._marker.take()

    def profile(self, motion: Motion) -> dict[str, float]:
        """Return the seconds of each step of one frame: on the GPU, enqueued one by one, and beside it."""
        begun_s = time.perf_counter()
        self._set_parameters(motion)
        set_s = time.perf_counter() - begun_s
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
        return {"CPU: parameters": set_s, **on_gpu, "CPU: take": taken_s}

    def _build(self, avatar: Avatar, renderer: Renderer, finisher: Finisher) -> None:
        """Make every stage, in the order in which the CPU draws."""
        device, parameters, views = self._device, self._parameters, renderer.views
        opener = partial(renderer.runtime.open_on_device, self.engine, stream=device.stream)
        self._warp = warp = WarpStage(device, renderer.warp, avatar.size_px, parameters)
        self._painters = PaintersStage(device, renderer.painters, opener, warp.moved, parameters)
        self._compose = ComposeStage(device, finisher.composer, warp.moved, parameters)
        self._marker = GpuMarker(device, finisher.marker, self._compose.canvas, parameters)
        stages: dict[str, Stage | None] = {
            "warp": warp,
            "views: face": FaceViewsStage(device, views, warp, parameters) if views else None,
            "folds": FoldStage(device, renderer.folds, warp, parameters),
            "mouth": MouthStage(device, renderer.mouth, warp.moved, parameters),
            "lids": LidSkinStage(device, renderer.lids, warp.moved, parameters),
            "views: parts": PartViewsStage(device, views, warp, parameters) if views else None,
            "eyes": EyesStage(device, renderer.eyes, warp.moved, parameters),
            "lashes": LashesStage(device, renderer.lids, warp.moved, parameters),
            "painters": self._painters,
            "flesh": FleshStage(device, renderer.flesh, warp, parameters),
            "compose": self._compose,
            "mark, bring": self._marker,
        }
        self._stages = {name: stage for name, stage in stages.items() if stage is not None}

    def _set_parameters(self, motion: Motion) -> None:
        self._host_parameters["landmarks_px"] = motion.landmarks_px
        for stage in self._stages.values():
            stage.set_parameters(motion, self._host_parameters[0])

    def _enqueue(self) -> None:
        self._upload()
        for stage in self._stages.values():
            stage.enqueue()

    def _upload(self) -> None:
        self._device.copy_in(self._pinned, self._parameters)

    def _warm_up(self, motion: Motion) -> None:
        """Make one frame, which compiles everything: that cannot be done while a graph is captured."""
        self._set_parameters(motion)
        self._device.run(self._enqueue)
        self._device.wait(_FIRST_S)
        self._painters.keep()

    def _choose(self, motions: Sequence[Motion]) -> None:
        """Capture the frame as a graph if that works and shows the right thing; else launch kernel by kernel.

        Raises:
            EngineError: neither shows what the CPU shows.
        """
        if self._painters.graphable:
            try:
                self._device.record(self._enqueue)
                self._captured_by_graph = True
                self._check(motions)
                return
            except EngineError as problem:
                log.warning("No CUDA graph: frames are launched kernel by kernel. %s", problem)
                self._captured_by_graph = False
        self._check(motions)

    def _check(self, motions: Sequence[Motion]) -> None:
        """Compare with the CPU.

        Raises:
            EngineError: too unlike.
        """
        renderer, finisher = self._cpu.renderer, self._cpu.finisher
        for motion in motions:
            given = self._show(motion).rgb
            composed = finisher.composer.compose(renderer.render(motion))
            found = likeness(given, finisher.marker.mark(composed).rgb, composed.rgb)
            if not found.passes:
                raise EngineError(
                    f"{self._device.gpu.name}, whose pictures differ from the CPU's ({found})",
                    "the same pictures",
                    "Report it with the output of `facepuppet doctor`, or use --engine cpu.",
                )
