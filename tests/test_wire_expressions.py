"""Faces on the wire become expressions and come back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facepuppet.core.types import N_BLENDSHAPES, Expression
from facepuppet.face import ARKIT_INDEX
from facepuppet.wires import WireFace, angles_of_looks, face_of_wire, sample_of_expression, with_looks

STILL = np.zeros(3, np.float32)


def face(head: tuple[float, float, float] = (0, 0, 0), **weights: float) -> WireFace:
    told = np.zeros(N_BLENDSHAPES, np.float32)
    for name, weight in weights.items():
        told[ARKIT_INDEX[name]] = weight
    return WireFace(told, np.array(head, np.float32))


def back(told: WireFace, rest: WireFace | None = None) -> WireFace:
    sample = sample_of_expression(Expression(face_of_wire(told, rest), None, 0, 1_500_000_000))
    assert sample.face is not None
    assert sample.sent_s == pytest.approx(1.5)
    return sample.face


def test_shapes_come_back_as_they_were() -> None:
    told = face(mouthSmileLeft=0.7, jawOpen=0.4, tongueOut=1.0, browInnerUp=0.25, mouthClose=0.1)
    np.testing.assert_allclose(back(told).weights, told.weights, atol=1e-6)


@pytest.mark.parametrize("blink", [0.0, 0.3, 1.0])
def test_lids_come_back_by_eye(blink: float) -> None:
    again = back(face(eyeBlinkLeft=blink))
    assert again.weights[ARKIT_INDEX["eyeBlinkLeft"]] == pytest.approx(blink, abs=0.02)
    assert again.weights[ARKIT_INDEX["eyeBlinkRight"]] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("head", [(0.3, 0.0, 0.0), (0.0, -0.25, 0.0), (0.2, 0.1, 0.4)])
def test_a_turned_head_comes_back(head: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(back(face(head)).head_rad, head, atol=1e-5)


def test_a_turned_head_alone_turns_no_eye() -> None:
    again = back(face((0.4, 0.1, 0.2)))
    assert again.eyes_rad is not None
    np.testing.assert_allclose(again.eyes_rad, 0.0, atol=1e-5)


@pytest.mark.parametrize("head", [(0.0, 0.0, 0.0), (0.25, -0.1, 0.05)])
@pytest.mark.parametrize("look", ["eyeLookOutLeft", "eyeLookInLeft", "eyeLookUpRight", "eyeLookDownRight"])
def test_a_look_comes_back_by_eye(look: str, head: tuple[float, float, float]) -> None:
    again = back(face(head, **{look: 0.6}))
    looks = {name: float(again.weights[i]) for name, i in ARKIT_INDEX.items() if name.startswith("eyeLook")}
    assert looks.pop(look) == pytest.approx(0.6, abs=0.12)
    assert max(looks.values()) < 0.12


def test_looks_and_angles_say_the_same() -> None:
    eyes = np.array([[0.2, -0.3], [-0.1, 0.05]], np.float32)
    np.testing.assert_allclose(angles_of_looks(with_looks(face().weights, eyes)), eyes, atol=1e-6)


def test_eyes_to_the_image_right_look_out_on_its_right_and_in_on_its_left() -> None:
    weights = with_looks(face().weights, np.array([[0.3, 0.0], [0.3, 0.0]], np.float32))
    seen = {name for name, i in ARKIT_INDEX.items() if weights[i] > 0}
    assert seen == {"eyeLookInRight", "eyeLookOutLeft"}


def test_told_angles_count_in_place_of_shapes() -> None:
    told = WireFace(face(eyeLookUpLeft=1.0).weights, STILL, np.zeros((2, 2), np.float32))
    np.testing.assert_allclose(face_of_wire(told).gaze, face_of_wire(face()).gaze, atol=1e-6)


def test_where_the_phone_stands_is_no_motion() -> None:
    rest = WireFace(face().weights, np.array([0.3, 0.2, 0.1], np.float32), None, STILL + 2.0)
    same = face_of_wire(rest, rest)
    np.testing.assert_allclose(same.head.turn, 0.0, atol=1e-6)
    assert same.head.shift == (0.0, 0.0)
    assert same.head.log_scale == 0.0


def test_a_head_that_comes_nearer_and_to_the_side_comes_back() -> None:
    rest = WireFace(face().weights, STILL, None, STILL)
    near = WireFace(face().weights, STILL, None, np.array([0.05, -0.02, -0.1], np.float32))
    told = face_of_wire(near, rest)
    assert told.head.log_scale == pytest.approx(math.log(0.55 / 0.45), abs=1e-5)
    again = back(near, rest)
    assert again.position_m is not None
    np.testing.assert_allclose(again.position_m, near.position_m, atol=1e-5)


def test_nobody_is_told_as_nobody() -> None:
    sample = sample_of_expression(Expression.absent(3, 2_000_000_000))
    assert sample.face is None
    assert sample.sent_s == pytest.approx(2.0)
