"""OpenSeeFace's packets, built by the documented layout, and where it is there its own tracker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from openseeface_packets import block, packet
from openseeface_parity import expressions_of, packets_of
from shapes_fidelity import correlations, followed, read_all

from facepuppet.core.types import Blendshapes
from facepuppet.drivers import open_driver
from facepuppet.face import ARKIT_INDEX
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.wires import MalformedPacketError, OpenSeeFaceDecoder, WireFace
from facepuppet.wires.openseeface import FACE, WITHOUT_FEATURES

REST_S = 0.5


def rested(*others: np.ndarray) -> OpenSeeFaceDecoder:
    """A decoder that knows a face's rest."""
    decoder = OpenSeeFaceDecoder()
    for n in range(16):
        decoder.decode(packet(block(n * REST_S / 15), *others))
    return decoder


def face_of(decoder: OpenSeeFaceDecoder, *faces: np.ndarray) -> WireFace:
    sample = decoder.decode(packet(*faces))
    assert sample is not None and sample.face is not None
    return sample.face


def test_the_layout_is_as_long_as_documented() -> None:
    assert FACE.itemsize == 1785
    assert WITHOUT_FEATURES.itemsize == 1729


@pytest.mark.parametrize("behind", [True, False])
@pytest.mark.parametrize("head", [(0.0, 0.0, 0.0), (0.4, 0.0, 0.0), (0.0, -0.3, 0.0), (0.2, 0.1, 0.3)])
def test_a_turned_head_arrives(head: tuple[float, float, float], behind: bool) -> None:
    told = face_of(rested(), block(1.0, head, behind=behind))
    np.testing.assert_allclose(told.head_rad, head, atol=np.radians(0.1))


def test_a_real_packets_pose_at_rest_is_straight_ahead() -> None:
    straight = block(1.0)
    straight["quaternion"], straight["translation"] = (0.7071, 0.7071, 0.0, 0.0), (-0.2, 0.0, -2.6)
    np.testing.assert_allclose(face_of(rested(), straight).head_rad, 0.0, atol=1e-3)


@pytest.mark.parametrize(
    "told",
    [
        {"jawOpen": 0.7},
        {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},
        {"mouthPucker": 0.8},
        {"browInnerUp": 0.8},
    ],
    ids=lambda told: next(iter(told)),
)
def test_an_expression_arrives_as_itself(told: dict[str, float]) -> None:
    heard = face_of(rested(), block(1.0, **told)).weights
    for name, weight in told.items():
        assert heard[ARKIT_INDEX[name]] == pytest.approx(weight, abs=0.3)
    others = np.delete(heard, [ARKIT_INDEX[name] for name in told])
    assert others.max() < 0.35


def test_a_blink_of_one_eye_arrives_though_the_header_says_open() -> None:
    heard = face_of(rested(), block(1.0, eyeBlinkLeft=1.0)).weights
    assert heard[ARKIT_INDEX["eyeBlinkLeft"]] > 0.9
    assert heard[ARKIT_INDEX["eyeBlinkRight"]] == 0.0


def test_eyes_look_where_pupils_do_against_rest() -> None:
    eyes = face_of(rested(), block(1.0, eyes=(0.1, -0.05))).eyes_rad
    assert eyes is not None
    assert (eyes[:, 0] > 0.1).all() and (eyes[:, 1] < -0.05).all()


def test_without_a_sure_pupil_eyes_look_ahead() -> None:
    blind = block(1.0, eyes=(0.5, 0.5))
    blind["confidence"][66:] = 0.0
    eyes = face_of(rested(), blind).eyes_rad
    assert eyes is not None and not eyes.any()


def test_of_two_faces_the_one_of_before_is_followed() -> None:
    other = block(0.0, (0.5, 0.0, 0.0), face_id=1, size_px=60.0)
    decoder = rested(other)
    larger = block(1.0, (0.5, 0.0, 0.0), face_id=1, size_px=300.0)
    assert face_of(decoder, larger, block(1.0, (0.1, 0.0, 0.0))).head_rad[0] == pytest.approx(0.1, abs=1e-3)


def test_a_face_just_found_is_nobody_yet() -> None:
    found = np.zeros((), FACE)
    found["time"] = 1.0
    sample = rested().decode(packet(found))
    assert sample is not None and sample.face is None


def test_older_senders_without_features_are_heard() -> None:
    old = np.zeros((), WITHOUT_FEATURES)
    new = block(1.0, (0.2, 0.0, 0.0))
    for name in WITHOUT_FEATURES.names or ():
        old[name] = new[name]
    assert face_of(rested(), old).head_rad[0] == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize("name", ["time", "quaternion", "translation", "points", "points_3d", "confidence"])
def test_what_is_no_number_is_refused(name: str) -> None:
    poisoned = block(1.0)
    poisoned[name] = np.nan
    with pytest.raises(MalformedPacketError):
        rested().decode(packet(poisoned))


def test_a_sender_without_a_clock_comes_to_rest_too() -> None:
    decoder = OpenSeeFaceDecoder()
    for _ in range(130):
        decoder.decode(packet(block(1.0)))
    assert face_of(decoder, block(1.0, jawOpen=0.7)).weights[ARKIT_INDEX["jawOpen"]] > 0.5


def test_whatever_numbers_a_face_holds_nothing_but_a_face_comes_of_it() -> None:
    rng, decoder, seen = np.random.default_rng(8), rested(), 0
    for n in range(300):
        face = np.frombuffer(rng.bytes(FACE.itemsize), FACE)[0].copy()
        for name in ("quaternion", "translation", "confidence", "points", "points_3d"):
            numbers = rng.normal(0, 10.0 ** rng.integers(-8, 30), face[name].shape)
            face[name] = numbers if rng.random() < 0.5 else numbers.flat[0]
        face["quaternion"] = (1.0, 0.0, 0.0, 0.0) if n % 2 else face["quaternion"]
        face["time"], face["id"], face["success"] = 1.0 + n / 60, n // 100, 1
        sample = decoder.decode(packet(face))
        if sample is not None and sample.face is not None:
            told, seen = sample.face, seen + 1
            assert np.isfinite(told.weights).all() and np.isfinite(told.head_rad).all()
            assert told.eyes_rad is not None and np.isfinite(told.eyes_rad).all()
    assert seen > 0


@pytest.mark.parametrize("length", [0, 1, 1728, 1784, 1786, 1785 + 1729])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedPacketError):
        OpenSeeFaceDecoder().decode(bytes(length))


def test_a_recentred_face_rests_as_it_is_now() -> None:
    decoder = rested()
    decoder.recentre()
    for n in range(16):
        decoder.decode(packet(block(1.0 + n * REST_S / 15, jawOpen=0.5)))
    assert face_of(decoder, block(2.0, jawOpen=0.5)).weights.max() < 0.05


def mean_of(figures: dict[str, float], channels: Sequence[str]) -> float:
    return float(np.mean([figures[channel] for channel in channels]))


@pytest.mark.slow
@pytest.mark.shared
def test_its_own_tracker_moves_a_puppet_as_ours_does(shared: Path) -> None:
    checkout = Path(os.environ.get("OPENSEEFACE", "/nowhere"))
    if not (checkout / "facetracker.py").exists():
        pytest.skip("OPENSEEFACE names no checkout of OpenSeeFace")
    clip = shared / "clips" / "lp_d14.mp4"
    driver = open_driver(clip)
    ours = read_all(driver, 300)
    theirs = expressions_of(packets_of(checkout, clip, model=0), len(ours), driver.fps or 30.0)
    assert any(e.face is not None and isinstance(e.face.deformation, Blendshapes) for e in theirs)
    avatar = load_avatar(sample_portrait_path(), cache=False)
    figures = correlations(followed(avatar, ours), followed(avatar, theirs))
    assert mean_of(figures, ("yaw", "roll", "mouth_width", "gaze_x")) > 0.85
