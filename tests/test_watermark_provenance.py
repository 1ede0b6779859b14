"""C2PA manifests of recordings: signed, read back, and broken by any change."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from facepuppet.cli.app import app
from facepuppet.core.errors import OutputUnwritableError, WatermarkError
from facepuppet.core.types import Composed
from facepuppet.watermark import PUBLIC_KEY, Marker, Payload
from facepuppet.watermark.certificate import Credentials, make_credentials, own_credentials
from facepuppet.watermark.provenance import (
    SOFT_BINDING_ALGORITHM,
    _provenance,
    publish_recording,
    read_provenance,
    sign_recording,
)

PAYLOAD = Payload(avatar=5, session=6)


@pytest.fixture(scope="module")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "show.mp4"
    marker = Marker(payload=PAYLOAD, size_px=(320, 240))
    wall = np.full((240, 320, 3), 128, np.uint8)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(50):
            rgb = marker.mark(Composed(wall, i, round(i * 1e9 / 30))).rgb
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode(None))
    return path


@pytest.fixture
def signed(recording: Path, credentials: Credentials, tmp_path: Path) -> Path:
    destination = tmp_path / "signed.mp4"
    sign_recording(recording, destination, PAYLOAD, PUBLIC_KEY.name, credentials)
    return destination


def test_manifest_names_the_mark_as_soft_binding(recording: Path, signed: Path) -> None:
    provenance = read_provenance(signed)
    assert provenance is not None
    assert provenance.intact
    assert not provenance.trusted
    assert provenance.payload == PAYLOAD.hex
    assert read_provenance(recording) is None


def test_a_changed_byte_breaks_the_manifest(signed: Path) -> None:
    content = bytearray(signed.read_bytes())
    content[-2000] ^= 0xFF
    signed.write_bytes(content)
    provenance = read_provenance(signed)
    assert provenance is not None
    assert not provenance.intact


def test_detect_verifies_mark_and_manifest(signed: Path) -> None:
    result = CliRunner().invoke(app, ["detect", str(signed), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["payload"] == PAYLOAD.hex
    assert answer["c2pa"]["intact"]
    assert answer["c2pa"]["agrees"]


def test_only_kinds_that_can_carry_a_manifest_are_signed(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "show.mkv"
    path.write_bytes(b"matroska")
    with pytest.raises(WatermarkError, match="mp4"):
        sign_recording(path, tmp_path / "out.mkv", PAYLOAD, "k", credentials)
    publish_recording(path, tmp_path / "moved.mkv", PAYLOAD, "k")
    assert (tmp_path / "moved.mkv").read_bytes() == b"matroska"


def test_publishing_signs_or_says_why_not(
    tmp_path: Path, recording: Path, credentials: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    for name, signer, intact in (("signed", credentials, True), ("unsigned", Credentials(b"x", b"y"), None)):
        part = tmp_path / "part.mp4"
        part.write_bytes(recording.read_bytes())
        with nullcontext() if intact else pytest.raises(OutputUnwritableError, match="not signed"):
            publish_recording(part, tmp_path / f"{name}.mp4", PAYLOAD, "k", signer)
        provenance = read_provenance(tmp_path / f"{name}.mp4")
        assert (provenance and provenance.intact) is intact
    assert "unsigned.mp4 gets no C2PA manifest" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["signed.mp4", "unsigned.mp4"]


def test_bad_credentials_and_bad_video_leave_nothing_behind(
    tmp_path: Path, recording: Path, credentials: Credentials
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    for path, signer in ((recording, Credentials(b"x", b"y")), (broken, credentials)):
        with pytest.raises(WatermarkError):
            sign_recording(path, tmp_path / "out.mp4", PAYLOAD, "k", signer)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]


def test_own_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    first = own_credentials(tmp_path)
    assert own_credentials(tmp_path) == first
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0


def _remuxed(source: Path, destination: Path) -> Path:
    """Copy the pictures as they are coded into a new file, as `ffmpeg -c copy` does."""
    with av.open(str(source)) as taken, av.open(str(destination), "w") as given:
        stream = given.add_stream_from_template(taken.streams.video[0])
        for packet in taken.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                given.mux(packet)
    return destination


@pytest.mark.parametrize("name", ["copy.mp4", "copy.mov", "copy.mkv"])
def test_a_remuxed_recording_keeps_the_mark_and_is_accused_of_nothing(
    signed: Path, tmp_path: Path, name: str
) -> None:
    copy = _remuxed(signed, tmp_path / name)
    assert read_provenance(copy) is None
    result = CliRunner().invoke(app, ["detect", str(copy)])
    assert result.exit_code == 0, result.output
    assert PAYLOAD.hex in result.stdout
    assert ("unknown which" in result.stdout) == (copy.suffix != ".mkv")
    assert json.loads(CliRunner().invoke(app, ["detect", str(copy), "--json"]).stdout)["c2pa"] is None


def test_a_recording_that_never_had_a_manifest_is_told_the_same(recording: Path, signed: Path) -> None:
    assert "unknown which" in CliRunner().invoke(app, ["detect", str(recording)]).stdout
    assert "unknown which" not in CliRunner().invoke(app, ["detect", str(signed)]).stdout


def test_a_manifest_too_damaged_to_read_is_not_a_missing_one(signed: Path) -> None:
    content = bytearray(signed.read_bytes())
    at = content.index(b"cbor", content.index(b"c2pa.claim"))
    content[at : at + 600] = bytes(600)
    signed.write_bytes(content)
    provenance = read_provenance(signed)
    assert provenance is not None
    assert not provenance.intact
    assert provenance.payload is None
    assert "DAMAGED (manifest.unreadable)" in CliRunner().invoke(app, ["detect", str(signed)]).stdout


def test_others_bindings_and_lists_of_numbers_are_no_payload_of_ours() -> None:
    ours = {"alg": SOFT_BINDING_ALGORITHM, "blocks": [{"scope": {}, "value": PAYLOAD.hex}]}
    numbers = {"alg": SOFT_BINDING_ALGORITHM, "blocks": [{"scope": {}, "value": [300, -1, 0.5]}]}
    other = {"alg": "com.example.other", "blocks": [{"scope": {}, "value": "abc"}]}
    for first, second, payload in (
        (numbers, {}, None),
        (other, {}, None),
        (other, ours, PAYLOAD.hex),
        (numbers, ours, PAYLOAD.hex),
    ):
        assertions = {"c2pa.soft-binding": first, "c2pa.soft-binding__2": second}
        report = {"active_manifest": "a", "manifests": {"a": {}}}
        full = {"manifests": [{"label": "b", "assertions": {}}, {"label": "a", "assertions": assertions}]}
        assert _provenance(report, full).payload == payload
