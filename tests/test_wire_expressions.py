"""Faces on the wire become expressions and come back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from facepuppet.core.types import N_BLENDSHAPES, Expression
from facepuppet.face import ARKIT_INDEX
from facepuppet.wires import (
    Decoder,
    Encoder,
    WireFace,
    WireSample,
    angles_of_looks,
    face_of_wire,
    sample_of_expression,
    with_looks,
)
from facepuppet.wires.expressions import LOOK_RAD
from facepuppet.wires.ifacialmocap import IFacialMocapDecoder, IFacialMocapEncoder
from facepuppet.wires.livelink import LiveLinkDecoder, LiveLinkEncoder
from facepuppet.wires.vmc import VmcDecoder, VmcEncoder

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
    assert again.weights[ARKIT_INDEX["eyeBlinkLeft"]] == pytest.approx(blink, abs=1 / 255)
    assert again.weights[ARKIT_INDEX["eyeBlinkRight"]] == pytest.approx(0.0, abs=1 / 255)


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
    assert looks.pop(look) == pytest.approx(0.6, abs=1 / 255)
    assert max(looks.values()) < 1 / 255


ARKITS_LOOK_RAD = 0.61  # turn of an eye at an eyeLook* of 1, in a public capture of Live Link Face


def faces(look_rad: float | None) -> Iterator[WireFace]:
    """Any faces, whose eyes turn so far at an eyeLook* of 1; None: nobody tells angles."""
    rng = np.random.default_rng(11)
    for n in range(40):
        weights = rng.uniform(0, 1 if n % 2 else 0.2, N_BLENDSHAPES).astype(np.float32)
        for side in ("Left", "Right"):
            for pair in (("Out", "In"), ("Up", "Down")):
                weights[ARKIT_INDEX[f"eyeLook{pair[rng.integers(2)]}{side}"]] = 0.0
            lids = ("eyeBlink", "eyeWide")[rng.integers(2)]
            weights[ARKIT_INDEX[f"{lids}{side}"]] = 0.0
        eyes = None if look_rad is None else (angles_of_looks(weights) / LOOK_RAD * look_rad)
        yield WireFace(weights, rng.uniform(-0.4, 0.4, 3).astype(np.float32), eyes)


def as_told(face: WireFace) -> WireFace:
    return face


def by(encoder: Encoder, decoder: Decoder) -> Callable[[WireFace], WireFace]:
    """What arrives of a face by one protocol."""

    def told(face: WireFace) -> WireFace:
        samples = [decoder.decode(packet) for packet in encoder.encode(WireSample(face, 1.0))]
        assert samples[-1] is not None and samples[-1].face is not None
        return samples[-1].face

    return told


@pytest.mark.thorough
@pytest.mark.parametrize("look_rad", [None, ARKITS_LOOK_RAD, LOOK_RAD])
@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(as_told, id="no wire"),
        pytest.param(by(VmcEncoder(), VmcDecoder()), id="VMC"),
        pytest.param(by(LiveLinkEncoder(), LiveLinkDecoder()), id="Live Link Face"),
        pytest.param(by(IFacialMocapEncoder(), IFacialMocapDecoder()), id="iFacialMocap"),
    ],
)
def test_what_comes_in_and_goes_out_again_and_again_stays(
    wire: Callable[[WireFace], WireFace], look_rad: float | None
) -> None:
    for told in faces(look_rad):
        came = wire(told)
        for _ in range(3):
            went = wire(back(came))
            np.testing.assert_allclose(went.weights, came.weights, atol=1 / 255)
            np.testing.assert_allclose(went.head_rad, came.head_rad, atol=math.radians(0.1))
            looked = angles_of_looks(came.weights) if came.eyes_rad is None else came.eyes_rad
            assert went.eyes_rad is not None
            np.testing.assert_allclose(went.eyes_rad, looked, atol=math.radians(0.1))


def test_from_one_protocol_to_another_nothing_is_lost() -> None:
    first, second = by(LiveLinkEncoder(), LiveLinkDecoder()), by(VmcEncoder(), VmcDecoder())
    for told in faces(ARKITS_LOOK_RAD):
        heard = second(back(first(told)))
        np.testing.assert_allclose(heard.weights, told.weights, atol=1 / 255)
        assert heard.eyes_rad is not None and told.eyes_rad is not None
        np.testing.assert_allclose(heard.eyes_rad, told.eyes_rad, atol=math.radians(0.1))


def test_eyes_that_squint_and_look_down_till_they_are_shut_do_not_blink() -> None:
    squint = {f"{name}{side}": 1.0 for name in ("eyeSquint", "eyeLookDown") for side in ("Left", "Right")}
    told = face(**squint, cheekSquintLeft=1.0, cheekSquintRight=1.0)
    assert not back(told).weights[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]].any()


def test_looks_that_gainsay_the_angles_give_way() -> None:
    told = replace(face(eyeLookUpLeft=0.5), eyes_rad=np.array([[0, 0], [0.2, 0.2]], np.float32))
    again = back(told)
    assert again.weights[ARKIT_INDEX["eyeLookUpLeft"]] == 0.0
    assert again.weights[ARKIT_INDEX["eyeLookDownLeft"]] == pytest.approx(0.2 / LOOK_RAD, abs=1e-3)


def test_a_driver_whose_lids_are_not_its_shapes_is_told_by_its_lids() -> None:
    still = face_of_wire(face())
    half = replace(still, eye_opening=np.array([0.5, 1.0], np.float32))
    told = sample_of_expression(Expression(half, None, 0, 0)).face
    assert told is not None
    assert told.weights[ARKIT_INDEX["eyeBlinkRight"]] == pytest.approx(0.5, abs=0.01)
    assert told.weights[ARKIT_INDEX["eyeBlinkLeft"]] == 0.0


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
