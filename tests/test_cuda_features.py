"""Mouth, eyes and lids on the GPU are those of the CPU."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, GPU_DRAWN, assert_pictures_equal
from cuda_parity import Bench, motions

from facepuppet.frames.cpu.render.eyes import Eyes
from facepuppet.frames.cpu.render.lid_layer import LidLayer
from facepuppet.frames.cpu.render.mouth import Mouth
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.frames.cuda.features import EyesStage, LashesStage, LidSkinStage, MouthStage


class LidsStage:
    """Skin and lashes, with nothing between."""

    def __init__(self, device, lids, moved, parameters):
        self.parts = [stage(device, lids, moved, parameters) for stage in (LidSkinStage, LashesStage)]

    def set_parameters(self, motion, parameters):
        for part in self.parts:
            part.set_parameters(motion, parameters)

    def enqueue(self):
        for part in self.parts:
            part.enqueue()


class Lids(LidLayer):
    """The same on the CPU."""

    def draw(self, rgba, motion):
        placed = self.place(motion)
        self.draw_skin(rgba, placed)
        self.draw_lashes(rgba, placed)


STAGES = {"mouth": MouthStage, "eyes": EyesStage, "lids": LidsStage}


def on_cpu(feature):
    eyes = Eyes(hopper())
    return {"mouth": Mouth(hopper(), eyes.white_rgb), "eyes": eyes, "lids": Lids(hopper())}[feature]


@pytest.mark.thorough
@pytest.mark.parametrize("feature", STAGES)
def test_a_feature_is_the_cpus(gpu, feature):
    """Rims differ: OpenCV rounds outlines to 1/16 px, and its soft edge varies by direction."""
    reference = on_cpu(feature)
    drawn = 0
    for motion in motions():
        bench, moved = Bench(), Warp(hopper()).render(motion)
        held = bench.device.upload(moved)
        bench.run(STAGES[feature](bench.device, reference, held, bench.parameters), motion=motion)
        truth = moved.copy()
        reference.draw(truth, motion)
        given = bench.fetch(held)
        touched = (truth != moved).any(-1) | (given != moved).any(-1)
        if touched.any():
            assert_pictures_equal(given, truth, GPU_DRAWN, touched)
            drawn += np.count_nonzero((truth != moved).any(-1))
        assert_pictures_equal(given[..., 3], moved[..., 3], EXACT)
    assert drawn > 500


def test_a_portraits_own_teeth_are_drawn_too(gpu):
    reference = on_cpu("mouth")
    reference.shows_teeth, bench = True, Bench()
    motion, moved = motions()[4], Warp(hopper()).render(motions()[4])
    held = bench.device.upload(moved)
    bench.run(MouthStage(bench.device, reference, held, bench.parameters), motion=motion)
    truth = moved.copy()
    reference.draw(truth, motion)
    assert_pictures_equal(bench.fetch(held), truth, GPU_DRAWN, (truth != moved).any(-1))


@pytest.mark.parametrize("feature", STAGES)
def test_a_feature_out_of_the_picture_is_left_out(gpu, feature):
    """Its box is empty, and that of the frame before is forgotten."""
    motion, bench = motions()[4], Bench()
    moved = Warp(hopper()).render(motion)
    held = bench.device.upload(moved)
    stage = STAGES[feature](bench.device, on_cpu(feature), held, bench.parameters)
    bench.run(stage, motion=motion)
    before = bench.fetch(held)
    bench.run(stage, motion=replace(motion, landmarks_px=motion.landmarks_px + np.float32(5000)))
    assert_pictures_equal(bench.fetch(held), before, EXACT)
