"""The driver's face for VTube Studio: its parameters, and its plug-in API by a real WebSocket."""

from __future__ import annotations

import logging
import socket
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import wait_until
from vtube_studio_server import BUILT_IN, LOST_AFTER_S, VtubeStudio

from facepuppet.core.errors import SenderError
from facepuppet.face import ARKIT_INDEX
from facepuppet.senders import open_sender
from facepuppet.senders.vtube_sender import VtubeSender
from facepuppet.wires import WireFace, WireSample
from facepuppet.wires.vtube_studio import CUSTOM_PARAMETERS, TRACKING_PARAMETERS, parameters_of

RETRY_S = 0.05


def face(*, head_deg: tuple[float, float, float] = (0, 0, 0), **shapes: float) -> WireFace:
    weights = np.zeros(52, np.float32)
    for name, value in shapes.items():
        weights[ARKIT_INDEX[name]] = value
    return WireFace(weights, np.radians(np.array(head_deg, np.float32)))


def told(sender: VtubeSender, studio: VtubeStudio, sample: WireSample) -> None:
    """Send until VTube Studio has heard something new."""
    heard = studio.injections

    def sent() -> bool:
        sender.send(sample)
        return studio.injections > heard + 1  # the first may have been on its way already

    wait_until(sent)


@pytest.fixture
def studio() -> VtubeStudio:
    return VtubeStudio()


@pytest.fixture
def port(studio: VtubeStudio) -> Iterator[int]:
    with studio.running() as port:
        yield port


def open_vtube(port: int, folder: Path) -> VtubeSender:
    return VtubeSender("127.0.0.1", port, folder=folder, retry_s=RETRY_S)


def test_a_face_at_rest_is_at_the_rest_of_every_parameter() -> None:
    values = parameters_of(face())
    assert values == {p.name: p.rest for p in TRACKING_PARAMETERS} | dict.fromkeys(CUSTOM_PARAMETERS, 0.0)


def test_what_grows_is_what_the_table_says() -> None:
    values = parameters_of(face(head_deg=(10, 5, -3), jawOpen=0.6, mouthClose=0.1, mouthSmileLeft=1.0))
    assert values["FaceAngleX"] == pytest.approx(10, abs=1e-4)
    assert values["FaceAngleY"] == pytest.approx(-5, abs=1e-4)
    assert values["FaceAngleZ"] == pytest.approx(-3, abs=1e-4)
    assert values["MouthOpen"] == pytest.approx(0.5)
    assert values["MouthSmile"] == pytest.approx(0.75)
    assert values["ARKitJawOpen"] == pytest.approx(0.6)
    looking = parameters_of(
        face(eyeLookOutLeft=0.5, eyeLookInRight=0.5, eyeLookUpLeft=0.2, eyeBlinkRight=0.9)
    )
    assert looking["EyeLeftX"] == looking["EyeRightX"] == pytest.approx(-0.5)  # to the person's left
    assert looking["EyeLeftY"] == pytest.approx(0.2)
    assert (looking["EyeOpenLeft"], looking["EyeOpenRight"]) == (1.0, pytest.approx(0.1))
    assert parameters_of(face(browDownLeft=1.0, browInnerUp=0.4))["BrowLeftY"] == pytest.approx(0.1)
    moved = WireFace(np.zeros(52, np.float32), np.zeros(3, np.float32), None, np.array([0.08, 0.04, -0.2]))
    values = parameters_of(moved)
    assert [round(values[f"FacePosition{axis}"], 4) for axis in "XYZ"] == [2.0, -1.0, 5.0]


def test_names_and_values_are_such_as_vtube_studio_takes() -> None:
    assert {p.name for p in TRACKING_PARAMETERS} <= set(BUILT_IN)
    assert len(CUSTOM_PARAMETERS) == 52 and not {*CUSTOM_PARAMETERS} & {*BUILT_IN}
    far = WireFace(np.ones(52, np.float32), np.ones(3, np.float32), np.ones((2, 2)), np.full(3, 9.0))
    values = parameters_of(far)
    assert set(values) == {*CUSTOM_PARAMETERS, *(p.name for p in TRACKING_PARAMETERS)}
    for p in TRACKING_PARAMETERS:
        assert p.name.startswith("Face") or p.low <= values[p.name] <= p.high
    assert values["FaceAngleX"] == pytest.approx(np.degrees(1.0))


def test_a_face_arrives_once_its_user_has_let_us_in(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.click = None
    with open_vtube(port, tmp_path) as sender:
        wait_until(lambda: studio.pop_ups == 1)
        for _ in range(1000):  # none of these waits
            sender.send(WireSample(face(jawOpen=0.1)))
        assert "click 'Allow' there" in caplog.text
        studio.click = "allow"
        sample = WireSample(face(head_deg=(10, 0, 0), jawOpen=0.5))
        told(sender, studio, sample)
        assert sample.face is not None
        assert studio.live() == pytest.approx(parameters_of(sample.face))
        assert studio.face_found is True


def test_its_user_is_asked_once_and_the_token_is_the_owners_alone(
    studio: VtubeStudio, port: int, tmp_path: Path
) -> None:
    for _ in range(2):
        with open_vtube(port, tmp_path) as sender:
            told(sender, studio, WireSample(face()))
    assert studio.pop_ups == 1
    (kept,) = tmp_path.iterdir()
    if sys.platform != "win32":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("kept", ['{"127.0.0.1:%d": "old"}', "no JSON", "[]", '{"127.0.0.1:%d": 7}'])
def test_a_token_that_does_not_count_is_asked_for_anew(
    studio: VtubeStudio, port: int, tmp_path: Path, kept: str
) -> None:
    (tmp_path / "vtube-studio-tokens.json").write_text(kept % port if "%d" in kept else kept)
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(face()))
    assert studio.pop_ups == 1


def test_who_denies_is_not_asked_again(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.click = "deny"
    with open_vtube(port, tmp_path) as sender:
        wait_until(lambda: "was told to deny access" in caplog.text)
        sender.send(WireSample(face()))
        time.sleep(4 * RETRY_S)
    assert studio.pop_ups == 1 and studio.injections == 0


def test_access_that_is_taken_back_in_mid_run_is_asked_for_again(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(face()))
        studio.tokens.clear()
        studio.custom.clear()
        wait_until(lambda: studio.pop_ups == 2)
        told(sender, studio, WireSample(face(jawOpen=0.3)))
    assert "took access back" in caplog.text
    assert len(studio.custom) == 52


def test_a_still_face_is_said_again_before_it_counts_as_lost(
    studio: VtubeStudio, port: int, tmp_path: Path
) -> None:
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(face(jawOpen=0.5)))
        time.sleep(LOST_AFTER_S + 0.1)
        assert studio.live()["ARKitJawOpen"] == pytest.approx(0.5)


def test_of_nobody_it_is_said_once_that_no_face_is_found(
    studio: VtubeStudio, port: int, tmp_path: Path
) -> None:
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(face(jawOpen=0.5)))
        sender.send(WireSample(None))
        wait_until(lambda: studio.face_found is False)
        said = studio.injections
        for _ in range(5):
            sender.send(WireSample(None))
        time.sleep(0.1)
        assert studio.injections == said
        told(sender, studio, WireSample(face()))
        assert studio.face_found is True


def test_it_may_start_later_and_go_and_come_again(
    studio: VtubeStudio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open_vtube(port, tmp_path) as sender:
        sender.send(WireSample(face()))
        wait_until(lambda: "does not answer" in caplog.text)
        time.sleep(4 * RETRY_S)
        assert caplog.text.count("does not answer") == 1  # not at each try
        with studio.running(port):
            told(sender, studio, WireSample(face()))
            studio.hang_up()
            told(sender, studio, WireSample(face()))
    assert studio.pop_ups == 1


def test_an_api_that_is_off_is_told_and_waited_for(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.api_on = False
    with open_vtube(port, tmp_path) as sender:
        wait_until(lambda: "has its API off" in caplog.text)
        studio.api_on = True
        told(sender, studio, WireSample(face()))


def test_shapes_that_another_plug_in_has_are_left_to_it(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.custom["ARKitJawOpen"] = "another"
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(face(jawOpen=0.5)))
        assert "ARKitJawOpen" not in studio.live() and studio.live()["MouthOpen"] == pytest.approx(0.5)
    assert "does not take 1 of" in caplog.text


def test_another_plug_in_at_the_wheel_is_told_once_and_outlived(
    studio: VtubeStudio, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.controlled_by_others.add("MouthOpen")
    with open_vtube(port, tmp_path) as sender:

        def refused() -> bool:
            sender.send(WireSample(face()))
            return "controlled by another plugin" in caplog.text

        wait_until(refused)
        studio.controlled_by_others.clear()
        told(sender, studio, WireSample(face()))
    assert sum("controlled by" in record.getMessage() for record in caplog.records) == 1


def test_what_is_no_number_stays_unsaid(studio: VtubeStudio, port: int, tmp_path: Path) -> None:
    broken = WireFace(np.zeros(52, np.float32), np.array([np.nan, 0.1, 0.0], np.float32))
    with open_vtube(port, tmp_path) as sender:
        told(sender, studio, WireSample(broken))
        assert "FaceAngleX" not in studio.live() and "FaceAngleY" in studio.live()


def test_somebody_who_is_no_vtube_studio_is_told_and_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with open_vtube(mute.getsockname()[1], tmp_path):
            connection, _ = mute.accept()
            connection.sendall(b"SSH-2.0-other\r\n\r\n")
            connection.close()
            wait_until(lambda: "does not answer" in caplog.text)


def test_the_word_opens_it_and_a_wrong_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with open_sender("vts:1") as sender:
        assert sender.description == "VTube Studio at 127.0.0.1:1"
    with pytest.raises(SenderError, match="no address"):
        open_sender("vts:no.such.host.invalid:8001")


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
