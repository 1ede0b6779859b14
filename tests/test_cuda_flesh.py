"""Light and shade on the GPU are those of the CPU."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from compare import GPU, assert_pictures_equal
from cuda_parity import Bench
from test_flesh import SMILE, showing

from facepuppet.frames.cpu.render.flesh import Flesh
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.frames.cuda.flesh_stage import FleshStage
from facepuppet.frames.cuda.warping import WarpStage
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target


@pytest.mark.parametrize(("names", "turn"), [((), 0.5), (SMILE, 0.5), (("cheekPuff", "browInnerUp"), 0.0)])
def test_the_shaded_picture_is_the_cpus(gpu, names, turn):
    motion, warp, bench = showing(*names, turn=turn), Warp(hopper()), Bench()
    flesh = Flesh(hopper(), warp)
    moved = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(moved, FleshStage(bench.device, flesh, moved, bench.parameters), motion=motion)
    flow = warp.flow(motion)
    picture = warp.sample(flow)
    bare = picture.copy()
    flesh.draw(picture, flow, motion)
    assert ((picture != bare).any(-1).sum() > 3000) == bool(names)
    assert_pictures_equal(bench.fetch(moved.moved), picture, GPU)


def test_a_face_that_left_the_picture_is_not_shaded(gpu):
    warp, bench = Warp(hopper()), Bench()
    gone = Target(hopper()).motion(replace(Deltas.rest(), shift=np.array([40.0, 0.0], np.float32)))
    moved = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    stage = FleshStage(bench.device, Flesh(hopper(), warp), moved, bench.parameters)
    bench.run(moved, stage, motion=showing(*SMILE))
    bench.run(moved, stage, motion=gone)
    assert_pictures_equal(bench.fetch(moved.moved), warp.render(gone), GPU)
