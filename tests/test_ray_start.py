from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from facepuppet.core.errors import ServerError
from facepuppet.server.ray_start import Door, is_there, ray_on, stay


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000, "http://127.0.0.1:8000/"),
        (":9000", "127.0.0.1", 9000, "http://127.0.0.1:9000/"),
        ("0.0.0.0:8443", "0.0.0.0", 8443, "http://127.0.0.1:8443/"),
        ("[::1]:8000", "::1", 8000, "http://[::1]:8000/"),
        ("studio.example:80", "studio.example", 80, "http://studio.example:80/"),
    ],
)
def test_addresses_are_read(text: str, host: str, port: int, url: str) -> None:
    door = Door.parse(text)
    assert (door.host, door.port, door.url) == (host, port, url)


@pytest.mark.parametrize("text", ["", "8000", "host", "host:", "host:0", "host:99999", "a@b:1", "h:1/x"])
def test_words_that_are_no_address_are_refused(text: str) -> None:
    with pytest.raises(ServerError, match="HOST:PORT"):
        Door.parse(text)


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="both, or neither"):
        Door.parse("127.0.0.1:8443", tmp_path / "cert.pem")
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    files[0].touch()
    with pytest.raises(ServerError, match=r"key\.pem', which is no file"):
        Door.parse(":8443", *files)
    files[1].touch()
    assert Door.parse(":8443", *files).url.startswith("https://")


def test_a_door_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=f"127.0.0.1:{port}.*free port"):
            Door("127.0.0.1", port).check_free()
    Door("127.0.0.1", port).check_free()


def test_a_cluster_that_does_not_answer_is_told_before_ray_is_loaded() -> None:
    loaded = "ray" in sys.modules
    with pytest.raises(ServerError, match="nobody answers"), ray_on("127.0.0.1:9"):
        pass
    assert ("ray" in sys.modules) is loaded


def test_a_head_that_goes_away_ends_the_wait() -> None:
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))
        head.listen()
        address = f"127.0.0.1:{head.getsockname()[1]}"
        assert is_there(address)
    with pytest.raises(ServerError, match="Ray's head"):
        stay(address, every_s=0.01)
