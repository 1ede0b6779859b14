"""What is drawn between the lips keeps the portrait's palette and the order of light."""

from __future__ import annotations

import numpy as np
import pytest

from facepuppet.frames.cpu.render.dentition import PATCH_PX, paint_jaw, paint_skull

WHITE, LIPS = np.array([160, 140, 130], np.float32), np.array([170, 95, 90], np.float32)


def at(patch, u, v):
    """The pixel at (u, v) half mouth widths from the origin."""
    height, width = patch.shape[:2]
    return patch[round(height / 2 + v * PATCH_PX / 2), round(width / 2 + u * PATCH_PX / 2)].astype(float)


def test_teeth_are_lighter_than_gums_and_tongue_and_the_throat_is_darkest():
    skull, jaw = paint_skull(WHITE, LIPS), paint_jaw(WHITE, LIPS)
    tooth, gum, throat = at(skull, 0.17, 0.0), at(skull, 0.17, -0.33), at(skull, 0.0, 0.45)
    tongue, lower_tooth = at(jaw, 0.2, -0.3), at(jaw, 0.1, 0.08)
    assert tooth[:3].mean() > lower_tooth[:3].mean() > tongue[:3].mean()
    assert gum[0] / gum[1] > 1.3 * tooth[0] / tooth[1]
    assert throat[:3].mean() < 0.6 * tongue[:3].mean()
    assert (tooth[3], gum[3], throat[3]) == (255, 255, 0)
    assert (tongue[3], lower_tooth[3]) == (255, 255)


def test_edges_of_teeth_are_rounded_and_lie_just_below_the_lip_line():
    covered = (paint_skull(WHITE, LIPS)[..., 3] > 127).sum(0)
    half = covered.size // 2
    incisor = covered[half : half + round(0.34 * PATCH_PX / 2)]
    reach = (incisor - paint_skull(WHITE, LIPS).shape[0] / 2) / (PATCH_PX / 2)
    assert 0.1 < reach.max() < 0.2
    assert incisor[[0, -1]].max() < incisor.max()


def test_a_grey_portrait_gets_a_nearly_grey_mouth():
    for paint in (paint_skull, paint_jaw):
        patch = paint(np.full(3, 150, np.float32), np.full(3, 100, np.float32))[..., :3].astype(int)
        assert np.ptp(patch, axis=-1).max() <= 16


@pytest.mark.parametrize("white", [(140, 53, 39), (20, 10, 10), (255, 255, 255)])
def test_teeth_are_less_red_than_lips_whatever_the_eyes_say(white):
    tooth = at(paint_skull(np.array(white, np.float32), LIPS), 0.17, 0.0)[:3]
    assert tooth.min() / tooth.max() > 1.2 * LIPS.min() / LIPS.max()
    assert tooth.mean() > LIPS.mean()
