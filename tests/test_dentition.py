"""What is drawn between the lips keeps the portrait's palette and the order of light."""

from __future__ import annotations

import numpy as np
import pytest

from facepuppet.face.mouth_model import WIDTH_CM, mouth_model
from facepuppet.frames.cpu.render.dentition import Light, Palette, paint_layers

WHITE, LIPS = np.array([160, 140, 130], np.float32), np.array([170, 95, 90], np.float32)
EVEN = Light(1.0, np.zeros(3, np.float32))


def painted(white=WHITE, lips=LIPS, light=EVEN, px_per_cm=20.0):
    return paint_layers(mouth_model(), Palette.of(np.float32(white), np.float32(lips)), light, px_per_cm)


def at(layer, x_cm, y_cm):
    """The pixel at a place in cm from the middle of the upper lip's edge."""
    column, row = (x_cm + WIDTH_CM / 2) * layer.px_per_cm, (y_cm - layer.top_cm) * layer.px_per_cm
    return layer.rgba[int(row), int(column)].astype(float)


def test_teeth_are_lighter_than_gums_and_tongue_and_the_throat_is_darkest():
    layers = painted()
    tooth, gum, throat = (
        at(layers["upper"], 0.4, -0.3),
        at(layers["upper"], 0.4, -1.4),
        at(layers["cavity"], 0, 1),
    )
    tongue, lower_tooth = at(layers["tongue"], 0.2, 0.9), at(layers["lower"], 0.3, 1.8)
    assert tooth[:3].mean() > lower_tooth[:3].mean() > tongue[:3].mean()
    assert gum[0] / gum[1] > 1.3 * tooth[0] / tooth[1]
    assert throat[:3].mean() < 0.7 * tongue[:3].mean()
    assert (tooth[3], gum[3], tongue[3], lower_tooth[3]) == (255, 255, 255, 255)


def test_a_row_of_teeth_darkens_inward():
    upper = painted()["upper"]
    light = [at(upper, x, -0.4)[:3].mean() for x in (0.4, 1.7, 2.6)]
    assert light[0] > 1.1 * light[1] > 1.25 * light[2]


def test_a_central_incisor_is_as_wide_as_bone_says_and_ends_just_below_the_lips():
    upper = mouth_model().layers["upper"]
    shown = upper.cover.sum(0) / mouth_model().px_per_cm + upper.top_cm  # how low each column reaches
    middle = shown.size // 2
    incisor = shown[middle : middle + round(0.85 * mouth_model().px_per_cm)]
    assert 0.15 < incisor.max() < 0.3
    assert (
        np.median(incisor) > shown[middle + round(1.0 * mouth_model().px_per_cm)] + 0.04
    )  # beside it, shorter


def test_a_grey_portrait_gets_a_nearly_grey_mouth():
    for layer in painted((150, 150, 150), (100, 100, 100)).values():
        assert np.ptp(layer.rgba[..., :3].astype(int), axis=-1).max() <= 16


@pytest.mark.parametrize("white", [(140, 53, 39), (20, 10, 10), (255, 255, 255)])
def test_teeth_are_less_red_than_lips_whatever_the_eyes_say(white):
    tooth = at(painted(white)["upper"], 0.4, -0.3)[:3]
    assert tooth.min() / tooth.max() > 1.2 * LIPS.min() / LIPS.max()
    assert tooth.mean() > LIPS.mean()


def test_teeth_are_lighter_on_the_side_that_the_light_comes_from():
    lit = painted(light=Light(1.0, np.array([-0.3, 0, 0], np.float32)))["upper"].rgba[..., :3].mean((0, 2))
    assert lit[: lit.size // 2].mean() > 1.1 * lit[lit.size // 2 :].mean()


def test_layers_of_a_small_portrait_are_small_and_show_the_same():
    large, small = painted(px_per_cm=20.0)["upper"], painted(px_per_cm=7.0)["upper"]
    assert small.rgba.size < 0.3 * large.rgba.size
    for x_cm, y_cm in ((0.4, -0.3), (0.0, -1.2), (0.4, 0.4)):
        assert np.abs(at(small, x_cm, y_cm) - at(large, x_cm, y_cm)).max() < 25
