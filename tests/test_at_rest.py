"""A puppet that asks for nothing is its picture."""

import cv2
import numpy as np
import pytest
from at_rest import Difference, measure
from avatars import hopper
from pictures import hopper_rgb

from facepuppet.drivers.camera.profile import LEAST_EYE_OPENING, MIN_EYE_OPENING, neutral_from
from facepuppet.drivers.camera.tracking import Face, Tracking
from facepuppet.face.gaze import eye_openings
from facepuppet.frames.cpu.render.coarse_flow import enlarged
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target
from facepuppet.vision.pose import PoseModel


def test_a_portrait_driven_by_its_own_still_stays_that_picture():
    found, (wanted, _, last) = measure(hopper(), hopper_rgb(), 14)
    assert found.is_met, found
    assert found.last == found.first
    assert not Difference.between(np.roll(last, 3, axis=1), wanted).is_rest


def test_shoulders_of_a_still_body_are_the_same_from_the_first_look_on():
    model = PoseModel()
    first, later = model.find(hopper_rgb()), model.find(hopper_rgb())
    assert first is not None and later is not None
    np.testing.assert_array_equal(first[0], later[0])


def test_at_rest_no_landmark_moves():
    avatar = hopper()
    motion = Target(avatar).motion(Deltas.rest())
    np.testing.assert_allclose(motion.landmarks_px, avatar.landmarks_px, atol=0.01)


def _narrowed(share_left: float, share_right: float) -> Tracking:
    """Hopper with lids so far open, of what they are in the picture."""
    avatar = hopper()
    deltas = Deltas.rest()
    deltas.eye_opening[:] = share_left, share_right
    face = Face.of(Target(avatar).motion(deltas).landmarks_px)
    return Tracking(face, None, avatar.size_px, 0, 0)


def test_an_eye_that_is_narrow_beside_an_open_one_rests_so_and_two_are_a_blink():
    one, both = _narrowed(0.3, 1.0), _narrowed(0.3, 0.3)
    own = eye_openings(neutral_from([one]).landmarks_head)
    assert LEAST_EYE_OPENING < own[0] < MIN_EYE_OPENING < own[1]
    np.testing.assert_allclose(neutral_from([one]).eye_opening, own, rtol=1e-3)
    np.testing.assert_allclose(neutral_from([both]).eye_opening, MIN_EYE_OPENING)


@pytest.mark.parametrize("size_px", [(101, 67), (96, 48), (13, 11)])
def test_a_coarse_map_goes_straight_on_to_the_border(size_px):
    """Any bilinear map is exact on cells, so pixels must get exactly it, also half a cell beyond them."""

    def wanted(x, y):
        return np.stack([3 + 2 * x - y + 0.1 * x * y, 1 - x + 4 * y - 0.2 * x * y], axis=-1)

    (width, height), (columns, rows) = size_px, (12, 10)
    x, y = ((np.arange(n) + 0.5) * (n_px / n) - 0.5 for n, n_px in ((columns, width), (rows, height)))
    cells = wanted(x[None], y[:, None]).astype(np.float32)
    x, y = np.arange(width), np.arange(height)
    np.testing.assert_allclose(enlarged(cells, size_px), wanted(x[None], y[:, None]), atol=2e-3 * width)
    repeated = cv2.resize(cells, size_px)
    assert np.abs(repeated - wanted(x[None], y[:, None]))[:, :2].max() > 0.05
