"""VTube Studio's phone app and MeowFace: their JSON, and how they are asked."""

from __future__ import annotations

import json
import socket
from typing import Any

import numpy as np
import pytest
from fakes import PATIENCE_S

from facepuppet.core.errors import DriverError
from facepuppet.drivers.remote.remote_words import open_remote
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.wires import MalformedPacketError, WireFace
from facepuppet.wires.vtube_phone import VtubePhoneDecoder, request


def spoken(**changes: Any) -> bytes:
    words: dict[str, Any] = {
        "Timestamp": 1_700_000_000_500,
        "Hotkey": -1,
        "FaceFound": True,
        "Rotation": {"x": 20.0, "y": 10.0, "z": 5.0},
        "Position": {"x": 1.0, "y": 2.0, "z": 3.0},
        "EyeLeft": {"x": 3.0, "y": 8.0, "z": 0.5},
        "EyeRight": {"x": 4.0, "y": -6.0, "z": 0.5},
        "BlendShapes": [{"k": "JawOpen", "v": 0.25}],
    }
    return json.dumps(words | changes).encode()


def face_of(packet: bytes) -> WireFace:
    sample = VtubePhoneDecoder().decode(packet)
    assert sample is not None and sample.face is not None
    return sample.face


def shapes_of(*shapes: tuple[str, float]) -> dict[str, float]:
    face = face_of(spoken(BlendShapes=[{"k": name, "v": value} for name, value in shapes]))
    return {name: round(float(w), 3) for name, w in zip(ARKIT_NAMES, face.weights, strict=True) if w}


def test_head_and_eyes_turn_as_seen() -> None:
    face = face_of(spoken())
    np.testing.assert_allclose(np.degrees(face.head_rad), [20.0, 10.0, -5.0], atol=1e-4)
    assert face.eyes_rad is not None and face.position_m is not None
    np.testing.assert_allclose(np.degrees(face.eyes_rad), [[-6.0, 4.0], [8.0, 3.0]], atol=1e-4)
    np.testing.assert_allclose(face.position_m, [-0.04, -0.08, 0.0], atol=1e-6)


def test_the_phone_tells_its_own_time() -> None:
    sample = VtubePhoneDecoder().decode(spoken())
    assert sample is not None and sample.sent_s == pytest.approx(1_700_000_000.5)


@pytest.mark.parametrize("spelled", ["EyeBlinkLeft", "eyeBlinkLeft", "eyeBlink_L", "EYEBLINKLEFT"])
def test_every_spelling_of_a_shape_is_understood(spelled: str) -> None:
    assert shapes_of((spelled, 0.5)) == {"eyeBlinkLeft": 0.5}


def test_all_52_of_an_iphone_arrive() -> None:
    told = {name[0].upper() + name[1:]: (n + 1) / 60 for n, name in enumerate(ARKIT_NAMES)}
    face = face_of(spoken(BlendShapes=[{"v": value, "k": name} for name, value in told.items()]))
    np.testing.assert_allclose(face.weights, list(told.values()), atol=1e-6)


def test_two_halves_of_one_shape_are_its_mean_and_other_names_are_passed_over() -> None:
    told = shapes_of(("browInnerUpLeft", 0.4), ("browInnerUpRight", 0.8), ("headLeft", 0.9), ("jawLeft", 0.1))
    assert told == {"browInnerUp": 0.6, "jawLeft": 0.1}
    assert shapes_of(("browInnerUp_L", 0.4), ("browInnerUp", 0.7)) == {"browInnerUp": 0.7}


def test_keys_come_in_any_order_and_case() -> None:
    words = json.loads(spoken())
    turned = {key.lower(): words[key] for key in reversed(words)}
    turned["blendshapes"] = [{"V": 0.25, "K": "jawOpen"}]
    a, b = face_of(json.dumps(turned).encode()), face_of(spoken())
    np.testing.assert_array_equal(a.weights, b.weights)
    np.testing.assert_array_equal(a.head_rad, b.head_rad)


def test_eyes_that_only_shapes_tell_are_left_to_the_shapes() -> None:
    still = {"x": 0.0, "y": 0.0, "z": 0.0}
    assert face_of(spoken(EyeLeft=still, EyeRight=still)).eyes_rad is None
    words = json.loads(spoken())
    del words["EyeLeft"]
    assert face_of(json.dumps(words).encode()).eyes_rad is None


def test_values_beyond_the_scale_are_held() -> None:
    face = face_of(spoken(BlendShapes=[{"k": "jawOpen", "v": 1.4}, {"k": "cheekPuff", "v": -0.2}]))
    assert face.weights[ARKIT_INDEX["jawOpen"]] == 1.0
    assert face.weights[ARKIT_INDEX["cheekPuff"]] == 0.0


def test_a_face_that_is_not_found_is_nobody() -> None:
    sample = VtubePhoneDecoder().decode(b'{"FaceFound": false, "Timestamp": 5000}')
    assert sample is not None and sample.face is None and sample.sent_s == 5.0


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xff\xfe{}",
        b"[1, 2]",
        b"7",
        b"{}",
        b'{"FaceFound": 1}',
        b"[" * 19_000,
        b" " * 30_000,
        spoken()[:200],
        spoken(Rotation=None),
        spoken(Rotation={"x": 1, "y": 2}),
        spoken(Rotation={"x": 1, "y": 2, "z": float("nan")}),
        spoken(Rotation={"x": 1, "y": 2, "z": float("inf")}),
        spoken(Rotation={"x": 1, "y": 2, "z": 10**400}),
        spoken(Rotation={"x": 1, "y": 2, "z": True}),
        spoken(Rotation=[1, 2, 3]),
        spoken(Timestamp="now"),
        spoken(BlendShapes={"jawOpen": 1}),
        spoken(BlendShapes=[1]),
        spoken(BlendShapes=[{"k": 3, "v": 1}]),
        spoken(BlendShapes=[{"k": "jawOpen"}]),
        spoken(BlendShapes=[{"k": "jawOpen", "v": float("nan")}]),
        spoken(BlendShapes=[{"k": "a", "v": 0}] * 300),
    ],
)
def test_what_is_none_of_it_is_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        VtubePhoneDecoder().decode(packet)


def test_packets_that_are_cut_or_spoilt_are_understood_or_malformed() -> None:
    whole, rng, malformed = spoken(), np.random.default_rng(7), 0
    cut = [whole[:n] for n in range(len(whole))]
    spoilt = [bytearray(whole) for _ in range(300)]
    for packet in spoilt:
        packet[int(rng.integers(len(whole)))] = int(rng.integers(256))
    for packet in [*cut, *map(bytes, spoilt), *(rng.bytes(200) for _ in range(50))]:
        try:
            sample = VtubePhoneDecoder().decode(packet)
        except MalformedPacketError:
            malformed += 1
            continue
        assert sample is not None
        assert sample.face is None or np.isfinite(sample.face.weights).all()
    assert malformed >= len(cut) + 50


def test_the_request_is_as_both_kinds_of_receivers_write_it() -> None:
    words = json.loads(request(50123))
    assert words["messageType"] == "iOSTrackingDataRequest"
    assert 0.5 <= words["time"] == words["sendForSeconds"] <= 10.0
    assert 1 <= len(words["sentBy"]) <= 32
    assert words["ports"] == [50123]


def test_a_phone_is_asked_and_what_it_answers_drives() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(PATIENCE_S)
        with open_remote(f"vts:127.0.0.1:{phone.getsockname()[1]}") as driver:
            answers = iter([spoken(FaceFound=False), spoken(FaceFound=False)])
            # The driver asks as it starts to wait, so the answer has to lie there before.
            phone.sendto(next(answers), ("127.0.0.1", int(driver.description.split(":")[1].split()[0])))
            expression = driver.read()
            assert expression is not None and expression.face is None
            asked, asker = phone.recvfrom(1000)
            assert json.loads(asked)["ports"] == [asker[1]]
            phone.sendto(next(answers), asker)
            assert driver.read() is not None
            assert driver.arrived == 2 and driver.rejected == 0


def test_a_phone_has_to_be_named() -> None:
    with pytest.raises(DriverError, match="where the phone is"):
        open_remote("vts")
