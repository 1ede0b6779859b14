"""Views on the GPU bring what they bring on the CPU."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from cuda_parity import Bench, difference
from emulated_cuda import needs_compiler
from views import NO_ENGINES, motion, view_of

from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cuda.view_stages import FaceViewsStage, PartViewsStage
from facepuppet.frames.cuda.warping import WarpStage

pytestmark = needs_compiler

WANTED = {
    "turned": {"yaw": 0.3},
    "speaking": {"jaw": 0.6},
    "between": {"yaw": 0.15, "jaw": 0.4},
    "blinking": {"eyes": 0.1},
    "resting": {},
}


@pytest.fixture(scope="module")
def renderer():
    views = tuple(view_of(motion(**wanted)) for wanted in ({"jaw": 0.7}, {"yaw": 0.35}, {"eyes": 0.0}))
    return Renderer(replace(hopper(), views=views), NO_ENGINES)


@pytest.mark.parametrize("name", WANTED)
def test_views_bring_what_they_bring_on_the_cpu(machine, renderer, name):
    """The CPU looks where a part lies in every other cell only, the GPU in every one."""
    wanted, bench = motion(**WANTED[name]), Bench()
    warp = WarpStage(bench.device, renderer.warp, hopper().size_px, bench.parameters)
    face = FaceViewsStage(bench.device, renderer.views, warp, bench.parameters)
    parts = PartViewsStage(bench.device, renderer.views, warp, bench.parameters)
    bench.run(warp, face, parts, motion=wanted)
    flow = renderer.warp.flow(wanted)
    bare = renderer.warp.sample(flow)
    truth, choice = bare.copy(), renderer.views.choose(wanted)
    renderer.views.draw_face(truth, flow, choice)
    renderer.views.draw_parts(truth, flow, choice)
    touched = difference(truth, bare).max(-1) > 2
    off = difference(bench.fetch(warp.moved), truth)
    assert touched.any() and off.mean() < 0.2
    assert off[touched].mean() < 4 and np.percentile(off[touched], 99) <= 30
