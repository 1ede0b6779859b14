"""The measure of dots along borders of the mesh, and what the renderer has of them."""

import cv2
import numpy as np
import pytest
import rim_dots
from avatars import hopper

from facepuppet.retarget.deltas import Deltas

# Dots of 10,000 pixels at most; before folds were mended 228, 173 and 135. What is left is grain of the skin.
MOST = {"turn 2 nod 0 gap 0.15": 60.0, "turn -2 nod 0 gap 0": 45.0, "turn -2 nod -2 gap 0": 100.0}


def planted(count: int) -> np.ndarray:
    """The portrait with dark dots on the face's outline, well apart from each other."""
    picture = cv2.GaussianBlur(hopper().portrait_rgb, (0, 0), 2.0)
    border = max(rim_dots.borders(hopper().landmarks_px, hopper().size_px), key=len)
    for x, y in border[np.linspace(0, len(border) - 1, count, endpoint=False).astype(int)].astype(int):
        picture[y, x] = picture[y, x] // 2
    return picture


def test_an_unwarped_portrait_has_no_dots():
    averaged = rim_dots.Puppet(hopper()).averaged(Deltas.rest())
    pixels, dots = rim_dots.dots_along(hopper().portrait_rgb, averaged, hopper().landmarks_px)
    assert pixels > 2000 and dots / pixels < 2e-3


def test_planted_dots_are_found():
    plain = planted(0)
    found = [rim_dots.dots_along(planted(n), plain, hopper().landmarks_px)[1] for n in (0, 30, 60)]
    assert found[0] == 0
    assert found[1] >= 15 and 1.6 * found[1] <= found[2]


def test_an_edge_along_a_border_is_no_dot():
    mask = np.zeros(hopper().size_px[::-1], np.uint8)
    for border in rim_dots.borders(hopper().landmarks_px, hopper().size_px):
        if len(border) > 500:
            cv2.fillPoly(mask, [(border * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    edge = cv2.merge([cv2.GaussianBlur(mask, (0, 0), 3.0)] * 3)
    _, dots = rim_dots.dots_along(edge, np.zeros_like(edge), hopper().landmarks_px)
    assert dots == 0


@pytest.mark.thorough
@pytest.mark.parametrize("name", MOST)
def test_turned_faces_have_hardly_any(name):
    puppet, deltas = rim_dots.Puppet(hopper()), dict(rim_dots.motions(hopper()))[name]
    rgb, landmarks_px = puppet.drawn(deltas)
    pixels, dots = rim_dots.dots_along(rgb, puppet.averaged(deltas), landmarks_px)
    assert 1e4 * dots / pixels < MOST[name]
