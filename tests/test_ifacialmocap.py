"""iFacialMocap's text, both ways."""

from __future__ import annotations

import numpy as np
import pytest

from facepuppet.core.types import N_BLENDSHAPES
from facepuppet.face import ARKIT_INDEX
from facepuppet.wires import MalformedPacketError, WireFace, WireSample
from facepuppet.wires.ifacialmocap import IFacialMocapDecoder, IFacialMocapEncoder


def face_of(text: str) -> WireFace:
    sample = IFacialMocapDecoder().decode(text.encode())
    assert sample is not None and sample.face is not None
    return sample.face


def test_out_and_in_again_nothing_but_rounding_is_lost() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        told = WireFace(
            rng.uniform(0, 1, N_BLENDSHAPES).astype(np.float32),
            rng.uniform(-0.7, 0.7, 3).astype(np.float32),
            rng.uniform(-0.4, 0.4, (2, 2)).astype(np.float32),
            rng.uniform(-0.6, 0.6, 3).astype(np.float32),
        )
        (packet,) = IFacialMocapEncoder().encode(WireSample(told))
        face = face_of(packet.decode())
        np.testing.assert_allclose(face.weights, told.weights, atol=0.0051)  # whole hundredths
        np.testing.assert_allclose(face.head_rad, told.head_rad, atol=1e-5)
        np.testing.assert_allclose(face.eyes_rad, told.eyes_rad, atol=1e-5)  # type: ignore[arg-type]
        np.testing.assert_allclose(face.position_m, told.position_m, atol=1e-4)  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["-", "&"])
@pytest.mark.parametrize("sides", [("_L", "_R"), ("Left", "Right")])
def test_both_versions_and_both_spellings_are_understood(mark: str, sides: tuple[str, str]) -> None:
    left, right = sides
    text = f"jawLeft{mark}7|eyeBlink{left}{mark}40|eyeBlink{right}{mark}60|FM_hat{mark}9|=head#1,2,3,0,0,0|"
    face = face_of(text)
    seen = {name: round(float(face.weights[i]), 2) for name, i in ARKIT_INDEX.items() if face.weights[i]}
    assert seen == {"jawLeft": 0.07, "eyeBlinkLeft": 0.4, "eyeBlinkRight": 0.6}


def test_head_and_eyes_turn_as_seen() -> None:
    text = "jawOpen-0|=head#10,20,30,0.1,0.2,-0.5|rightEye#6.0,2.4,0.3|leftEye#6.0,-1.7,-0.2|"
    face = face_of(text)
    np.testing.assert_allclose(np.degrees(face.head_rad), [20, 10, -30], atol=1e-4)
    assert face.eyes_rad is not None and face.position_m is not None
    np.testing.assert_allclose(np.degrees(face.eyes_rad), [[2.4, 6.0], [-1.7, 6.0]], atol=1e-4)
    np.testing.assert_allclose(face.position_m, [0.1, -0.2, 0.5])


def test_a_head_may_stand_after_a_bar_of_its_own() -> None:
    face = face_of(
        "mouthSmile_R-32|trackingStatus-1|=|head#28.98,-2.57,-6.64,-0.03,-0.1,-0.65|rightEye#6,2,0|"
    )
    assert np.degrees(face.head_rad[1]) == pytest.approx(28.98, abs=1e-3)
    assert face.eyes_rad is None  # one eye alone is no pair


def test_a_face_that_is_not_seen_is_nobody() -> None:
    sample = IFacialMocapDecoder().decode(b"jawOpen-3|trackingStatus-0|=head#0,0,0|")
    assert sample is not None and sample.face is None


def test_values_beyond_the_scale_are_held() -> None:
    face = face_of("jawOpen&-3|cheekPuff&140|=head#0,0,0|")
    assert face.weights[ARKIT_INDEX["jawOpen"]] == 0.0
    assert face.weights[ARKIT_INDEX["cheekPuff"]] == 1.0


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"hello",
        b"\xff\xfe|a|b",
        b"jawOpen-x|a-1|b-2|",
        b"jawOpen-nan|a-1|b-2|",
        b"a-1|b-2|=head#1,2|",
        b"a-1|b-2|c-3|",
        b"jawOpen-30|eyeBlink_L-4|eyeBlink_R-4|mouth",  # cut short
        b"a|" * 4000,
        b"jawOpen-1|=head#1,inf,2|x-1|",
    ],
)
def test_what_is_none_of_it_is_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        IFacialMocapDecoder().decode(packet)


def test_of_nobody_nothing_is_said() -> None:
    assert list(IFacialMocapEncoder().encode(WireSample(None))) == []
