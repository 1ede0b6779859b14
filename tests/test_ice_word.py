from __future__ import annotations

import pytest

from facepuppet.core.errors import ServerError
from facepuppet.server.ice_word import ice_server
from facepuppet.server.messages import IceServer


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun:192.0.2.1:3478", IceServer("stun:192.0.2.1:3478")),
        ("stun:stun.example.org", IceServer("stun:stun.example.org")),
        ("turn:me:a%40b@turn.example.org:3478", IceServer("turn:turn.example.org:3478", "me", "a@b")),
        (
            "turns:me:x@[2001:db8::1]:5349?transport=tcp",
            IceServer("turns:[2001:db8::1]:5349?transport=tcp", "me", "x"),
        ),
    ],
)
def test_ice_servers_are_read(text: str, server: IceServer) -> None:
    assert ice_server(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stun",
        "http://x",
        "turn:host:3478",
        "stun:me:s3cret@host:1",
        "turn:me:s3cret@",
        "turn:me:s3cret@h:x",
    ],
)
def test_a_word_that_is_none_is_refused_without_telling_its_secret(text: str) -> None:
    with pytest.raises(ServerError) as caught:
        ice_server(text)
    assert "s3cret" not in str(caught.value)
