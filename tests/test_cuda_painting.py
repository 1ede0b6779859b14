"""Painters on the GPU add what they add on the CPU."""

import numpy as np
from avatars import hopper
from compare import EXACT, GPU, GPU_DRAWN, assert_pictures_equal, levels
from cuda_parity import Bench, motions
from gpus import AnyGpu

from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.painter import load_painters
from facepuppet.frames.cpu.render.painter_pool import PainterPool
from facepuppet.frames.cuda.painting import PaintersStage
from facepuppet.inference import Runtime

# Contours are drawn from distances, so that the networks see slightly other rims.
PAINTED = GPU_DRAWN.but(mean=1.5, at_percentile=10)
UNPAINTED = GPU.but(mean=0.02)


def unpainted(motion):
    renderer = Renderer(hopper(), engine="cpu")
    renderer._painter_pool = PainterPool([])
    return renderer.render(motion).rgba


def test_painters_add_what_they_add_on_the_cpu(gpu: AnyGpu):
    painters, _ = load_painters(hopper(), runtime=Runtime("cpu"))
    for motion in motions()[3:]:
        bench, moved = Bench(), unpainted(motion)
        held = bench.device.upload(moved)

        def opener(network, stream=bench.device.stream):
            return gpu.open(network, stream)

        stage = PaintersStage(bench.device, painters, opener, held, bench.parameters)
        bench.run(stage, motion=motion)
        truth = moved.copy()
        PainterPool(painters).paint(truth, motion)
        painted = levels(truth, moved).max(-1) > 2
        given = bench.fetch(held)
        assert painted.sum() > 200
        assert_pictures_equal(given, truth, PAINTED, painted)
        assert_pictures_equal(given, truth, UNPAINTED, ~painted)


def test_what_is_no_number_is_not_painted(gpu):
    """Odd weights of a stranger's pack may overflow; the picture stays as it was."""
    painters, _ = load_painters(hopper(), runtime=Runtime("cpu"))
    motion, bench = motions()[4], Bench()
    moved = unpainted(motion)
    held = bench.device.upload(moved)
    bench.run(PaintersStage(bench.device, painters, Broken, held, bench.parameters), motion=motion)
    assert_pictures_equal(bench.fetch(held), moved, EXACT)


class Broken:
    """A network that gives NaN."""

    def __init__(self, network) -> None:
        side, device = network.crop_px, Bench().device
        shapes = {"warped": 3, "source": 3, "contours": 4, "residual": 3, "mask": 1}
        self.memory = {name: device.empty((1, n, side, side), np.float32) for name, n in shapes.items()}
        device.fill(self.memory["residual"], np.full((1, 3, side, side), np.nan, np.float32))
        device.fill(self.memory["mask"], np.ones((1, 1, side, side), np.float32))

    def enqueue(self, stream) -> None: ...
