from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facepuppet.core.types import F32, N_BLENDSHAPES, HeadPose
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.face.blendshapes import BlendshapeFitter
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks, face_of_blendshapes
from facepuppet.face.irises import eye_widths_from_angles
from facepuppet.face.topology import EYES, LOWER_LIP_INNER, UPPER_LIP_INNER

RIGHT_EYE, LEFT_EYE = EYES  # the person's
REST = HeadPose(np.zeros(3, np.float32))


def weights_of(**levels: float) -> F32:
    out = np.zeros(N_BLENDSHAPES, dtype=np.float32)
    for name, level in levels.items():
        out[ARKIT_INDEX[name]] = level
    return out


def test_no_weights_leave_the_face_alone() -> None:
    neutral = canonical_landmarks()
    assert np.allclose(compose_landmarks(neutral, weights_of()), neutral, atol=1e-6)


def test_full_blink_shuts_the_lids_exactly_and_only_there() -> None:
    neutral = canonical_landmarks()
    face = compose_landmarks(neutral, weights_of(eyeBlinkLeft=1, eyeWideLeft=0.4, eyeLookUpLeft=0.5))
    assert np.allclose(face[LEFT_EYE.upper_lid], face[LEFT_EYE.lower_lid], atol=1e-6)
    opening = face[RIGHT_EYE.lower_lid, 1] - face[RIGHT_EYE.upper_lid, 1]
    opening_at_rest = neutral[RIGHT_EYE.lower_lid, 1] - neutral[RIGHT_EYE.upper_lid, 1]
    assert np.allclose(opening, opening_at_rest, atol=0.01)


def test_gaze_moves_irises_without_changing_them() -> None:
    neutral = canonical_landmarks()
    face = compose_landmarks(neutral, weights_of(eyeLookOutLeft=1, eyeLookInRight=1, eyeLookUpLeft=1))
    for eye in EYES:
        shift = face[eye.iris] - neutral[eye.iris]
        assert np.allclose(shift, shift[0], atol=1e-6)
        assert shift[0, 0] > 0.03  # the person's left is the picture's right
    assert face[LEFT_EYE.iris_centre, 1] < neutral[LEFT_EYE.iris_centre, 1] - 0.01


@given(arrays(np.float32, N_BLENDSHAPES, elements=st.floats(0, 1, width=32)))
@settings(max_examples=50, deadline=None)
def test_lids_and_lips_never_cross(weights: F32) -> None:
    face = compose_landmarks(canonical_landmarks(), weights)
    assert np.isfinite(face).all()
    for eye in EYES:
        assert (face[eye.lower_lid, 1] - face[eye.upper_lid, 1] >= -1e-6).all()
    assert (face[LOWER_LIP_INNER, 1] - face[UPPER_LIP_INNER, 1] >= -1e-6).all()


@pytest.mark.parametrize(
    "name", ["jawOpen", "mouthSmileLeft", "eyeBlinkRight", "browInnerUp", "mouthPucker", "eyeLookInLeft"]
)
def test_what_is_composed_can_be_read_back(name: str) -> None:
    neutral = canonical_landmarks()
    found = BlendshapeFitter().fit(compose_landmarks(neutral, weights_of(**{name: 0.8})), neutral)
    assert ARKIT_NAMES[int(found.argmax())] == name
    assert found[ARKIT_INDEX[name]] == pytest.approx(0.8, abs=0.25)


def test_angles_of_eyes_are_shifts_of_irises() -> None:
    """To the image right and down, in eye widths; the mean eye is about 0.3 inter-ocular distances wide."""
    shift = eye_widths_from_angles(np.radians([[0.0, 0.0], [20.0, 0.0], [0.0, 10.0], [-20.0, 0.0]]))
    assert shift[0] == pytest.approx([0.0, 0.0])
    assert shift[1, 0] == pytest.approx(-shift[3, 0]) and 0.08 < shift[1, 0] < 0.2
    assert shift[1, 1] == 0.0 and shift[2, 1] > 0.0
    looking = face_of_blendshapes(weights_of(eyeLookOutLeft=0.5, eyeLookInRight=0.5), REST)
    assert (looking.gaze[:, 0] > 0.03).all(), "the person's left is the image's right"


def test_a_face_of_shapes_shuts_its_lids_and_keeps_its_pose() -> None:
    blinking = face_of_blendshapes(weights_of(eyeBlinkRight=1.0), REST)
    assert blinking.eye_opening == pytest.approx([0.0, 1.0], abs=0.02)
    assert blinking.gaze == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    turned = face_of_blendshapes(weights_of(), HeadPose(np.array([0.0, -0.3, 0.0], np.float32)))
    assert turned.eye_opening == pytest.approx([1.0, 1.0])
