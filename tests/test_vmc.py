"""VMC: what python-osc, a performer or another receiver says and hears."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import SimpleUDPClient

from facepuppet.core.types import F32, N_BLENDSHAPES
from facepuppet.drivers.remote.inbox import LOOPBACK
from facepuppet.face import ARKIT_INDEX, ARKIT_NAMES
from facepuppet.wires import MalformedPacketError, WireFace, WireSample
from facepuppet.wires.names import VRM_EXPRESSIONS, arkit_index, vrm_of_weights, weights_of_vrm
from facepuppet.wires.vmc import VmcDecoder, VmcEncoder

STILL = np.zeros(3, np.float32)


def message(address: str, *values: object) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)  # type: ignore[arg-type]
    return builder.build().dgram


def face_of(decoder: VmcDecoder, *packets: bytes) -> WireFace:
    samples = [decoder.decode(packet) for packet in packets]
    last = samples[-1]
    assert last is not None and last.face is not None
    return last.face


def turned(decoder: VmcDecoder, *quaternion: float) -> F32:
    """The head of a performer that tells no expressions, yaw, pitch and roll."""
    bone = message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *quaternion)
    return face_of(decoder, *[bone] * 6).head_rad


def some_face(rng: np.random.Generator) -> WireFace:
    head = rng.uniform(-0.6, 0.6, 3).astype(np.float32)
    weights = rng.uniform(0, 1, N_BLENDSHAPES).astype(np.float32)
    return WireFace(weights, head)


def test_out_and_in_again_nothing_is_lost() -> None:
    rng = np.random.default_rng(7)
    encoder, decoder = VmcEncoder(), VmcDecoder()
    for n in range(20):
        told = some_face(rng)
        packets = encoder.encode(WireSample(told, 1000 + n / 30))
        assert max(map(len, packets)) <= 1400
        samples = [decoder.decode(packet) for packet in packets]
        assert [sample is not None for sample in samples] == [False] * (len(packets) - 1) + [True]
        last = samples[-1]
        assert last is not None and last.face is not None
        assert last.sent_s == pytest.approx(n / 30, abs=1e-4)
        np.testing.assert_allclose(last.face.weights, told.weights, atol=1e-6)
        np.testing.assert_allclose(last.face.head_rad, told.head_rad, atol=math.radians(0.1))


def test_a_bone_turned_in_unity_turns_as_seen() -> None:
    """By 20 degrees about Unity's y, left-handed: to the avatar's own right, which is the image's left."""
    sine, cosine = math.sin(math.radians(10)), math.cos(math.radians(10))
    head = turned(VmcDecoder(), 0.0, sine, 0.0, cosine)
    np.testing.assert_allclose(head, [-math.radians(20), 0, 0], atol=1e-5)
    nod = turned(VmcDecoder(), sine, 0.0, 0.0, cosine)
    np.testing.assert_allclose(nod, [0, math.radians(20), 0], atol=1e-5)


def test_neck_and_head_turn_together() -> None:
    half = (0.0, math.sin(math.radians(5)), 0.0, math.cos(math.radians(5)))
    decoder = VmcDecoder()
    decoder.decode(message("/VMC/Ext/Bone/Pos", "Neck", 0.0, 0.0, 0.0, *half))
    np.testing.assert_allclose(turned(decoder, *half), [-math.radians(20), 0, 0], atol=1e-5)


def test_expressions_count_only_once_applied() -> None:
    decoder = VmcDecoder()
    assert decoder.decode(message("/VMC/Ext/Blend/Val", "jawOpen", 0.5)) is None
    face = face_of(decoder, message("/VMC/Ext/Blend/Apply"))
    assert face.weights[ARKIT_INDEX["jawOpen"]] == pytest.approx(0.5)


def test_what_is_not_told_again_stays() -> None:
    decoder, apply = VmcDecoder(), message("/VMC/Ext/Blend/Apply")
    face_of(decoder, message("/VMC/Ext/Blend/Val", "jawOpen", 0.5), apply)
    face = face_of(decoder, message("/VMC/Ext/Blend/Val", "cheekPuff", 0.2), apply)
    assert face.weights[ARKIT_INDEX["jawOpen"]] == pytest.approx(0.5)


@pytest.mark.parametrize("names", [("A", "Blink_L", "Joy"), ("aa", "blinkLeft", "happy")])
def test_vrm_names_of_both_versions_are_understood(names: tuple[str, ...]) -> None:
    told = [message("/VMC/Ext/Blend/Val", name, 1.0) for name in names]
    face = face_of(VmcDecoder(), *told, message("/VMC/Ext/Blend/Apply"))
    seen = {name for name, index in ARKIT_INDEX.items() if face.weights[index] > 0.25}
    assert {"jawOpen", "eyeBlinkLeft", "mouthSmileLeft", "mouthSmileRight"} <= seen
    assert "eyeBlinkRight" not in seen


def test_vrm_names_do_not_count_beside_arkits() -> None:
    told = [message("/VMC/Ext/Blend/Val", *pair) for pair in (("jawOpen", 0.1), ("A", 1.0), ("Joy", 1.0))]
    face = face_of(VmcDecoder(), *told, message("/VMC/Ext/Blend/Apply"))
    assert face.weights.sum() == pytest.approx(0.1)


@pytest.mark.parametrize("spelling", ["eyeBlinkLeft", "EyeBlinkLeft", "eyeblinkleft", "eyeBlink_L"])
def test_arkit_names_are_known_in_every_spelling(spelling: str) -> None:
    assert arkit_index(spelling) == ARKIT_INDEX["eyeBlinkLeft"]


def test_eyes_that_look_at_a_point_turn_there() -> None:
    decoder = VmcDecoder()
    decoder.decode(message("/VMC/Ext/Set/Eye", 1, 1.0, 0.0, 1.0))
    face = face_of(decoder, message("/VMC/Ext/Blend/Apply"))
    assert face.eyes_rad is not None
    np.testing.assert_allclose(face.eyes_rad, [[-math.pi / 4, 0]] * 2, atol=1e-5)


def looked(decoder: VmcDecoder, bones_rad: float, **looks: float) -> WireFace:
    """What a performer says whose eyes' bones turn down so far, and its shapes as told."""
    quaternion = (math.sin(bones_rad / 2), 0.0, 0.0, math.cos(bones_rad / 2))
    bones = [
        message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *quaternion) for name in ("LeftEye", "RightEye")
    ]
    told = [message("/VMC/Ext/Blend/Val", name, value) for name, value in looks.items()]
    return face_of(decoder, *bones, *told, message("/VMC/Ext/Blend/Apply"))


@pytest.mark.parametrize(
    ("bones_deg", "looks", "counts"),
    [
        pytest.param(20.0, {}, "bones", id="bones alone, as VSeeFace"),
        pytest.param(0.0, {"LookDown": 0.5}, "shapes", id="VRM's expressions beside bones at rest"),
        pytest.param(
            0.0, {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}, "shapes", id="shapes, bones rest"
        ),
        pytest.param(5.0, {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}, "shapes", id="bones held back"),
        pytest.param(17.5, {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}, "bones", id="both, as ARKit's"),
    ],
)
def test_eyes_told_twice_look_where_more_is_told(
    bones_deg: float, looks: dict[str, float], counts: str
) -> None:
    decoder = VmcDecoder()
    for _ in range(5):
        face = looked(decoder, math.radians(bones_deg), **looks)
    if counts == "shapes":
        assert face.eyes_rad is None
        assert face.weights[ARKIT_INDEX["eyeLookDownLeft"]] == pytest.approx(0.5)
    else:
        assert face.eyes_rad is not None
        np.testing.assert_allclose(face.eyes_rad, [[0, math.radians(bones_deg)]] * 2, atol=1e-5)


def test_one_glance_does_not_change_whose_word_counts() -> None:
    decoder, looks = VmcDecoder(), {"eyeLookDownLeft": 0.4, "eyeLookDownRight": 0.4}
    for _ in range(60):
        looked(decoder, math.radians(12.0), **looks)
    assert looked(decoder, 0.0, **looks).eyes_rad is not None


def test_more_arguments_are_passed_over_and_fewer_are_dropped() -> None:
    decoder, apply = VmcDecoder(), message("/VMC/Ext/Blend/Apply", 3, "more")
    decoder.decode(message("/VMC/Ext/Blend/Val", "jawOpen", 0.5, "later version"))
    decoder.decode(message("/VMC/Ext/Blend/Val", "cheekPuff"))
    decoder.decode(message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0))
    decoder.decode(message("/VMC/Ext/Of/Tomorrow", 1.0))
    assert face_of(decoder, apply).weights.sum() == pytest.approx(0.5)


def test_a_message_cut_short_changes_nothing() -> None:
    decoder = VmcDecoder()
    face_of(decoder, message("/VMC/Ext/Blend/Val", "jawOpen", 0.5), message("/VMC/Ext/Blend/Apply"))
    assert decoder.decode(message("/VMC/Ext/Blend/Val", "jawOpen", 0.9)[:-4]) is None
    face = face_of(decoder, message("/VMC/Ext/Blend/Apply"))
    assert face.weights[ARKIT_INDEX["jawOpen"]] == pytest.approx(0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -3.0, 7.0])
def test_values_beyond_all_bounds_make_no_face_of_their_own(value: float) -> None:
    decoder = VmcDecoder()
    decoder.decode(message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, value, math.nan, 0.0, 1.0))
    decoder.decode(message("/VMC/Ext/Blend/Val", "jawOpen", value))
    face = face_of(decoder, message("/VMC/Ext/Blend/Apply"))
    assert np.isfinite(face.head_rad).all()
    assert ((face.weights >= 0) & (face.weights <= 1)).all()


@pytest.mark.parametrize("packet", [b"", b"no osc", b"#bundle\0", bytes(40)])
def test_what_is_no_osc_is_malformed(packet: bytes) -> None:
    try:
        assert VmcDecoder().decode(packet) is None
    except MalformedPacketError as error:
        assert "OSC" in str(error)


def test_a_performer_that_lost_its_face_tells_nobody() -> None:
    encoder, decoder = VmcEncoder(), VmcDecoder()
    for packet in encoder.encode(WireSample(some_face(np.random.default_rng(1)), 0.0)):
        decoder.decode(packet)
    for packet in encoder.encode(WireSample(None, 0.1)):
        decoder.decode(packet)
    sample = decoder.decode(message("/VMC/Ext/Blend/Apply"))
    assert sample is not None and sample.face is None


def test_a_bundle_of_tomorrow_counts_now() -> None:
    bundle = OscBundleBuilder(int(time.time()) + 3600)
    for packet in (("/VMC/Ext/Blend/Val", "jawOpen", 0.5), ("/VMC/Ext/Blend/Apply",)):
        builder = OscMessageBuilder(packet[0])
        for value in packet[1:]:
            builder.add_arg(value)  # type: ignore[arg-type]
        bundle.add_content(builder.build())
    assert face_of(VmcDecoder(), bundle.build().dgram).weights.sum() == pytest.approx(0.5)


def test_python_osc_hears_what_is_performed() -> None:
    heard: dict[str, tuple[object, ...]] = {}
    dispatcher = Dispatcher()
    dispatcher.map("/VMC/Ext/Blend/Val", lambda _, name, value: heard.__setitem__(name, (value,)))
    dispatcher.map("/VMC/Ext/Bone/Pos", lambda _, name, *pose: heard.__setitem__(name, pose))
    dispatcher.map("/VMC/Ext/Blend/Apply", lambda _: done.set())
    done = threading.Event()
    with BlockingOSCUDPServer((LOOPBACK, 0), dispatcher) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = SimpleUDPClient(LOOPBACK, server.server_address[1])
        told = some_face(np.random.default_rng(3))
        for packet in VmcEncoder().encode(WireSample(told)):
            client._sock.sendto(packet, server.server_address)
        assert done.wait(10.0)
        server.shutdown()
    for name in ARKIT_NAMES:
        assert heard[name] == (pytest.approx(float(told.weights[ARKIT_INDEX[name]])),)
    assert {"A", "aa", "Blink_L", "blinkLeft", "Joy", "happy"} <= set(heard)
    assert len(heard["Head"]) == 7


@pytest.mark.parametrize("told", [one for one in VRM_EXPRESSIONS if one.gain], ids=lambda one: one.vrm1)
def test_a_vrm_expression_comes_back(told) -> None:  # type: ignore[no-untyped-def]
    values = vrm_of_weights(weights_of_vrm({told.vrm0: 0.8}))
    assert values[told.vrm1] == pytest.approx(0.8, abs=0.25)
    assert values[told.vrm0] == values[told.vrm1]
