"""Flow and warp on the GPU are those of the CPU."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from compare import GPU, assert_pictures_equal
from cuda_parity import MOMENTS, Bench, motions

from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.frames.cuda.warping import WarpStage
from facepuppet.portrait.working_picture import Whole
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_the_warp_is_the_cpus(gpu, moment):
    """Triangles meet in other cells here and there."""
    motion, warp, bench = motions()[moment], Warp(hopper()), Bench()
    stage = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(stage, motion=motion)
    assert_pictures_equal(bench.fetch(stage.moved), warp.render(motion), GPU)


AT_THE_BORDER = GPU.but(mean=0.4, percentile=99)  # its line may fall aside as a whole


@pytest.mark.parametrize(
    ("turn", "scale", "shift"),
    [
        ((0.0, 0.0, 0.5), 1.6, (0.0, 0.0)),  # rolled and near: parts of the face beyond the border
        ((0.0, -0.6, 0.0), 1.0, (1.5, 0.0)),  # turned far, half out at the side
        ((0.5, 0.3, 0.0), 0.5, (0.0, -2.0)),  # small and high
        ((0.0, 0.0, 0.0), 1.0, (40.0, 0.0)),  # gone
    ],
)
def test_the_warp_is_the_cpus_at_the_border(gpu, turn, scale, shift):
    deltas = replace(
        Deltas.rest(),
        turn=np.array(turn, np.float32),
        log_scale=float(np.log(scale)),
        shift=np.array(shift, np.float32),
        lean=np.array(shift, np.float32) / 4,
        torso_roll=0.1,
    )
    motion = Target(hopper()).motion(deltas)
    warp, bench = Warp(hopper()), Bench()
    stage = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(stage, motion=motion)
    assert_pictures_equal(bench.fetch(stage.moved), warp.render(motion), AT_THE_BORDER)


def test_the_warp_is_the_cpus_in_a_picture_that_stands_still_around(gpu):
    width, height = hopper().size_px
    around = Whole(np.zeros((height + 90, width + 200, 3), np.uint8), (100, 0, width, height))
    avatar = replace(hopper(), whole=around)
    motion = Target(avatar).motion(replace(Deltas.rest(), lean=np.array([0.3, -0.2], np.float32)))
    warp, bench = Warp(avatar), Bench()
    stage = WarpStage(bench.device, warp, avatar.size_px, bench.parameters)
    bench.run(stage, motion=motion)
    moved = bench.fetch(stage.moved)
    assert_pictures_equal(moved, warp.render(motion), GPU)
    still = Warp(avatar).render(Target(avatar).motion(Deltas.rest()))
    for side in (np.s_[:, :3], np.s_[:, -3:], np.s_[-3:]):
        assert_pictures_equal(moved[side], still[side], GPU)


def test_the_map_goes_on_to_the_picture_s_border_as_on_the_cpu(gpu):
    """A shift alone: what is copied there must not be drawn out, which both would be wrong about alike."""
    shifted = replace(Deltas.rest(), lean=np.array((0.1, 0.1), np.float32))
    motion, warp, bench = Target(hopper()).motion(shifted), Warp(hopper()), Bench()
    stage = WarpStage(bench.device, warp, hopper().size_px, bench.parameters)
    bench.run(stage, motion=motion)
    edges = [np.s_[:, :4], np.s_[:, -4:], np.s_[:4], np.s_[-4:]]
    for edge in edges:
        assert_pictures_equal(bench.fetch(stage.moved)[edge], warp.render(motion)[edge], GPU)
