"""Views on the GPU bring what they bring on the CPU."""

from dataclasses import replace

import pytest
from avatars import hopper
from compare import GPU, GPU_DRAWN, assert_pictures_equal, levels
from cuda_parity import Bench
from views import NO_ENGINES, motion, view_of

from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cuda.view_stages import FaceViewsStage, PartViewsStage
from facepuppet.frames.cuda.warping import WarpStage

# The CPU looks where a part lies in every other cell only, the GPU in every one.
SOFT_RIMS = GPU_DRAWN.but(mean=4, at_percentile=30)

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
def test_views_bring_what_they_bring_on_the_cpu(gpu, renderer, name):
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
    given = bench.fetch(warp.moved)
    assert_pictures_equal(given, truth, GPU)
    assert_pictures_equal(given, truth, SOFT_RIMS, levels(truth, bare).max(-1) > 2)
