from __future__ import annotations

import socket
from importlib.util import find_spec

import pytest

from facepuppet.cli import main

needs_extra = pytest.mark.skipif(find_spec("aiortc") is None, reason="needs the extra facepuppet[server]")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *words])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_the_extra_one_line_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facepuppet.cli.serve.find_spec", lambda name: None)
    assert "without aiortc and ray" in (line := refused(capsys))
    assert "pip install 'facepuppet[server]'" in line


@needs_extra
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--address", "here"], "HOST:PORT"),
        (["--avatars", "none/such"], "--avatars"),
        (["--canvas", "portrait"], "even sides"),
        (["--canvas", "641x360"], "even sides"),
        (["--token-file", "none.toml"], "none.toml"),
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--ice-server", "turn:me:s3cret"], "--ice-server"),
        (["--say", "no-such-program"], "no-such-program"),
        (["--revoked", "none.txt"], "none.txt"),
        (["--ray", "127.0.0.1:9"], "nobody answers"),
    ],
)
def test_what_will_not_do_is_told_before_ray_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.setattr("facepuppet.cli.serve.find_spec", lambda name: True)  # Ray is not loaded
    address = [] if "--address" in words else ["--address", "127.0.0.1:18473"]
    line = refused(capsys, *address, *words)
    assert told in line and "s3cret" not in line


@needs_extra
def test_a_door_that_is_taken_is_told_before_ray_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facepuppet.cli.serve.find_spec", lambda name: True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"127.0.0.1:{port}" in refused(capsys, "--address", f"127.0.0.1:{port}")
