"""Flow and warp on the GPU are those of the CPU."""

import numpy as np
import pytest
from avatars import hopper
from cuda_parity import MOMENTS, Bench, difference, motions
from emulated_cuda import needs_compiler
from fake_gpu import Machine

from facepuppet.cuda.flow import WarpStage
from facepuppet.render.warp import Warp

pytestmark = needs_compiler


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    machine.install(monkeypatch)
    yield machine
    machine.check_fences()


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_the_warp_is_the_cpus(machine, moment):
    """OpenCV counts coordinates in 1/32 px, and triangles meet in other cells here and there."""
    motion, warp, bench = motions()[moment], Warp(hopper()), Bench()
    stage = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(stage, motion=motion)
    off = difference(bench.fetch(stage.moved), warp.render(motion))
    assert off.mean() < 0.25
    assert np.percentile(off, 99.9) <= 6
