"""A portrait at another size, and puppets that are drawn no larger than they are shown."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import Tolerance, assert_pictures_equal
from views import motion, view_of

from facepuppet.core.types import Expression
from facepuppet.face.topology import CHIN, FOREHEAD
from facepuppet.frames.cpu.compose import Composer, Corner, Framing
from facepuppet.frames.cpu.compose.wider_portrait import with_sides
from facepuppet.portrait.resized import resized
from facepuppet.portrait.views import view_box
from facepuppet.session.puppet import Puppet

SMALL = (384, 450)  # three quarters of the test portrait


def test_every_picture_and_every_point_shrinks_alike():
    avatar, small = hopper(), resized(hopper(), SMALL)
    assert small.size_px == SMALL and small.source_sha256 == avatar.source_sha256
    for name in ("portrait_rgb", "person_alpha", "foreground_rgb", "background_rgb"):
        expected = cv2.resize(getattr(avatar, name), SMALL, interpolation=cv2.INTER_AREA)
        assert getattr(small, name).shape == expected.shape and getattr(small, name).dtype == np.uint8
        assert np.abs(getattr(small, name).astype(int) - expected).mean() < 2.0
    assert np.allclose((small.landmarks_px[:, :2] + 0.5) / 0.75 - 0.5, avatar.landmarks_px[:, :2], atol=1e-3)
    assert np.allclose(small.landmarks_px[:, 2] / 0.75, avatar.landmarks_px[:, 2], atol=1e-3)
    assert small.inter_ocular_px == pytest.approx(0.75 * avatar.inter_ocular_px)
    assert np.allclose((small.shoulders_px + 0.5) / 0.75 - 0.5, avatar.shoulders_px, atol=1e-3)


def test_views_keep_their_place():
    avatar = replace(hopper(), views=(view_of(motion(yaw=0.3)), view_of(motion(jaw=0.5))))
    for before, after in zip(avatar.views, resized(avatar, SMALL).views, strict=True):
        width, height = view_box(after.landmarks_px)[2:]
        assert after.rgb.shape == (height, width, 3)
        for point in (1, 33, 263, 61, 291):  # the picture under a landmark is the same
            was = before.landmarks_px[point, :2] - before.origin_px
            now = after.landmarks_px[point, :2] - after.origin_px
            patches = [
                cv2.getRectSubPix(picture, (side, side), tuple(map(float, at))).mean((0, 1))
                for picture, side, at in ((before.rgb, 13, was), (after.rgb, 9, now))
            ]
            assert np.abs(patches[0] - patches[1]).max() < 8


@pytest.mark.parametrize("canvas", [(640, 360), (320, 180), (427, 241), (200, 360)])
@pytest.mark.parametrize("face_height", [0.4, 0.7])
def test_a_puppet_that_is_shown_smaller_is_drawn_smaller(canvas, face_height):
    whole = Composer(hopper(), canvas, framing=Framing(face_height=face_height), label=Corner.OFF)
    composer = whole.at_shown_size()
    scale = whole.placement.scale
    if scale > 0.95:
        assert composer.avatar.size_px[1] == 600
        return
    (x, y, shown, height), wide = whole.placement.target_px, composer.placement.target_px
    assert composer.placement.scale == 1.0 and wide[1::2] == (y, height)
    assert wide[0] <= x and wide[0] + wide[2] >= x + shown, "she may go on beyond the sides"
    u, v, width, height = composer.placement.source_px
    assert 0 <= u <= composer.avatar.size_px[0] - width and 0 <= v <= composer.avatar.size_px[1] - height
    assert composer.avatar.size_px[1] == pytest.approx(600 * scale, abs=2)
    assert composer.background is whole.background


def test_it_gives_the_picture_that_drawing_it_whole_gives():
    """As the portrait stands, before a canvas that shows it at six tenths."""
    canvas = (640, 360)
    expression = Expression.absent(0, 0)
    whole = Composer(hopper(), canvas, label=Corner.OFF)
    assert whole.placement.scale < 0.75
    puppet = Puppet(hopper(), whole)
    small = puppet.show(expression).rgb
    large = Puppet(hopper(), never_reduced(whole)).show(expression).rgb
    # Two ways to reduce a picture differ along its sharpest edges.
    assert_pictures_equal(small, large, Tolerance(mean=1.0, at_percentile=12.0))


def never_reduced(composer):
    """The same composer, of a portrait that is drawn whole."""

    class Whole(Composer):
        def at_shown_size(self):
            self.avatar, self.placement = with_sides(self.avatar, self.placement, self.canvas_px)
            return self

    whole = object.__new__(Whole)
    whole.__dict__.update(composer.__dict__)
    return whole


def test_the_face_is_as_tall_as_asked_for():
    composer = Composer(hopper(), (640, 360), label=Corner.OFF).at_shown_size()
    chin, forehead = composer.avatar.landmarks_px[[CHIN, FOREHEAD], :2]
    whole = Composer(hopper(), (640, 360))
    expected = whole.placement.scale * np.linalg.norm(
        np.subtract(*hopper().landmarks_px[[CHIN, FOREHEAD], :2])
    )
    assert np.linalg.norm(chin - forehead) == pytest.approx(expected, rel=0.01)


def test_a_portrait_pixel_on_pixel_stays_as_it_is():
    composer = Composer(hopper(), None)
    assert composer.at_shown_size() is composer
