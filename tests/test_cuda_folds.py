"""Mended folds on the GPU are those of the CPU."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from compare import GPU, GPU_DRAWN, assert_pictures_equal
from cuda_parity import Bench

from facepuppet.core.geometry import rotation_from_euler, vector_from_rotation
from facepuppet.frames.cpu.render.folds import Folds
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.frames.cuda.fold_stage import FoldStage
from facepuppet.frames.cuda.warping import WarpStage
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target


def turned(yaw, pitch):
    turn = vector_from_rotation(rotation_from_euler(yaw, pitch, 0.0)).astype(np.float32)
    return Target(hopper()).motion(replace(Deltas.rest(), turn=turn))


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (0.8, 0.0), (-0.8, -0.4), (0.5, 0.8)])
def test_the_mended_picture_is_the_cpus(gpu, yaw, pitch):
    motion, warp, bench = turned(yaw, pitch), Warp(hopper()), Bench()
    folds = Folds(hopper(), warp)
    moved = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(moved, FoldStage(bench.device, folds, moved, bench.parameters), motion=motion)
    flow = warp.flow(motion)
    picture = warp.sample(flow)
    folds.mend(picture, flow, motion.landmarks_px)
    given = bench.fetch(moved.moved)
    mended = (picture != warp.sample(flow)).any(-1)
    assert (mended.sum() > 500) == (yaw != 0.0)
    assert_pictures_equal(given, picture, GPU)
    if mended.any():
        assert_pictures_equal(given, picture, GPU_DRAWN, mended)


def test_of_a_face_that_left_the_picture_nothing_is_mended(gpu):
    motion, warp, bench = turned(0.8, 0.0), Warp(hopper()), Bench()
    gone = Target(hopper()).motion(replace(Deltas.rest(), shift=np.array([40.0, 0.0], np.float32)))
    moved = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    folds = FoldStage(bench.device, Folds(hopper(), warp), moved, bench.parameters)
    bench.run(moved, folds, motion=motion)
    bench.run(moved, folds, motion=gone)
    assert bench.given[0]["fold_count"] == 0
    assert_pictures_equal(bench.fetch(moved.moved), warp.render(gone), GPU)
