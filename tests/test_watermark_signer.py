"""The user's own certificate: every kind C2PA allows signs; every other is refused before the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import c2pa
import numpy as np
import pytest
from certificates import PEM, PKCS8, PLAIN, chain_of, rsa_key, write_signer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from typer.testing import CliRunner

from facepuppet.cli.app import app
from facepuppet.core.errors import OutputUnwritableError, WatermarkError
from facepuppet.core.types import Composed
from facepuppet.sinks.video_file import VideoFile
from facepuppet.watermark import Marker, Payload
from facepuppet.watermark.certificate import Credentials
from facepuppet.watermark.provenance import read_provenance
from facepuppet.watermark.signing_check import checked_credentials

ALLOWED = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa_key(2048),
    "ps384": lambda: rsa_key(3072),
    "ps512": lambda: rsa_key(4096),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
REFUSED = {
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "1024 bits": lambda: rsa_key(1024),
    "Ed448": ed448.Ed448PrivateKey.generate,
}


def _record(path: Path, credentials: Credentials) -> None:
    marker = Marker(payload=Payload(session=3), size_px=(128, 128))
    with VideoFile(path, (128, 128), 25.0, credentials=credentials) as sink:
        for i in range(5):
            wall = np.full((128, 128, 3), 120, np.uint8)
            sink.send(marker.mark(Composed(wall, i, round(i * 1e9 / 25))))


@pytest.mark.parametrize(("algorithm", "make"), ALLOWED.items(), ids=ALLOWED.keys())
def test_every_key_that_c2pa_allows_signs(
    tmp_path: Path, algorithm: str, make: Callable[[], ec.EllipticCurvePrivateKey]
) -> None:
    key = make()
    _record(
        tmp_path / "show.mp4",
        checked_credentials(*write_signer(tmp_path / "own", b"".join(chain_of(key)), key)),
    )
    provenance = read_provenance(tmp_path / "show.mp4")
    assert provenance is not None
    assert provenance.intact
    assert provenance.signer == "Tests"
    with c2pa.Reader(tmp_path / "show.mp4") as reader:
        assert algorithm in reader.json().lower()


@pytest.mark.parametrize(("kind", "make"), REFUSED.items(), ids=REFUSED.keys())
def test_a_key_that_c2pa_does_not_allow_is_refused_by_name(
    tmp_path: Path, kind: str, make: Callable[[], ec.EllipticCurvePrivateKey]
) -> None:
    key = make()
    with pytest.raises(WatermarkError, match=kind):
        checked_credentials(*write_signer(tmp_path, b"".join(chain_of(key)), key))


@pytest.mark.parametrize(
    ("days", "word"), [((-20, -1), "expired"), ((2, 20), "not yet valid")], ids=["past", "future"]
)
def test_a_certificate_out_of_its_time_is_refused(tmp_path: Path, days: tuple[int, int], word: str) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(WatermarkError, match=word):
        checked_credentials(*write_signer(tmp_path, b"".join(chain_of(key, days=days)), key))


def test_a_key_of_another_chain_is_refused(tmp_path: Path) -> None:
    for make in (ALLOWED["es256"], ALLOWED["ps256"], ALLOWED["ed25519"]):
        with pytest.raises(WatermarkError, match="belongs to no certificate"):
            checked_credentials(*write_signer(tmp_path, b"".join(chain_of(make())), make()))


def test_what_c2pa_demands_besides_is_tried_out(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(WatermarkError, match="C2PA does not sign"):
        checked_credentials(*write_signer(tmp_path, b"".join(chain_of(key, usage=None)), key))


@pytest.mark.parametrize("make", [ALLOWED["es256"], ALLOWED["ps256"]], ids=["SEC 1", "PKCS 1"])
def test_other_forms_of_key_and_chain_are_understood(
    tmp_path: Path, make: Callable[[], ec.EllipticCurvePrivateKey]
) -> None:
    key = make()
    leaf, root = chain_of(key)
    chain, key_path = write_signer(tmp_path, b"Bag Attributes\n" + root + leaf, key)
    key_path.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, PLAIN))
    credentials = checked_credentials(chain, key_path)
    assert credentials.chain_pem == leaf + root
    assert b"BEGIN PRIVATE KEY" in credentials.key_pem


def test_files_that_are_something_else_are_told(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    chain, key_path = write_signer(tmp_path, b"".join(chain_of(key)), key)
    with pytest.raises(WatermarkError, match="no readable certificates"):
        checked_credentials(key_path, chain)
    with pytest.raises(WatermarkError, match="no readable private key"):
        checked_credentials(chain, chain)
    with pytest.raises(WatermarkError, match="unreadable"):
        checked_credentials(chain, tmp_path / "nothing.pem")
    key_path.write_bytes(key.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret")))
    with pytest.raises(WatermarkError, match="encrypted"):
        checked_credentials(chain, key_path)


@pytest.mark.parametrize("command", ["render", "run"])
def test_the_command_refuses_before_it_reads_anything_else(tmp_path: Path, command: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    old = write_signer(tmp_path / "old", b"".join(chain_of(key, days=(-9, -1))), key)
    good = write_signer(tmp_path / "good", b"".join(chain_of(key)), key)

    def refusal(signer: tuple[Path, Path], output: str, *more: str) -> str:
        places = ["--input", "none.mp4", "--output"] if command == "render" else ["--sink"]
        words = [command, "--avatar", "none.jpg", *places, output, "--signer", *map(str, signer), *more]
        return str(CliRunner().invoke(app, words).exception)

    assert "expired" in refusal(old, "out.mp4")
    assert "none.jpg" in refusal(good, "out.mov")
    assert ".mp4 or .mov" in refusal(good, "out.mkv")
    assert "cannot be written" in refusal(good, "out.mp4", "--stats", str(tmp_path / "no" / "stats.json"))
    if command == "run":
        assert "without a recording" in refusal(good, "virtual")


def test_a_recording_that_cannot_be_signed_after_all_is_kept_and_told(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    expired = Credentials(b"".join(chain_of(key, days=(-9, -1))), key.private_bytes(PEM, PKCS8, PLAIN))
    with pytest.raises(OutputUnwritableError, match="written but not signed"):
        _record(tmp_path / "show.mp4", expired)
    assert [path.name for path in tmp_path.iterdir()] == ["show.mp4"]
    result = CliRunner().invoke(app, ["detect", str(tmp_path / "show.mp4"), "--json"])
    assert json.loads(result.stdout)["c2pa"] is None
