"""The control room's server and API: who is let in, what is done, and what bad input does not do."""

from __future__ import annotations

import gc
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from control_rooms import Room, open_room
from fakes import marked, picture, wait_until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.control_room.api_document import api_document
from facepuppet.control_room.guard import MOST_PICTURE_BYTES
from facepuppet.control_room.quiet_uvicorn import MOST_CONNECTIONS
from facepuppet.control_room.room_server import RoomServer
from facepuppet.control_room.routes import PAGE
from facepuppet.core.errors import ControlRoomError
from facepuppet.session.verbs import VERBS, Choice, Number, Switch

_FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with open_room(tmp_path_factory.mktemp("room")) as opened:
        yield opened


def error_of(body: bytes) -> dict[str, str]:
    told: dict[str, str] = json.loads(body)["error"]
    assert set(told) == {"got", "expected", "todo"} and all(len(one) < 400 for one in told.values())
    return told


def answers(room: Room) -> bool:
    with suppress(OSError):
        return room.ask("GET", "/api/state")[0] == 200
    return False


def test_the_page_loads_without_a_token_and_nothing_else_does(room: Room) -> None:
    status, headers, body = room.ask("GET", "/", token="")
    assert status == 200 and headers["content-type"].startswith("text/html")
    assert room.token.encode() not in body
    for path in ("/api", "/api/", "/api/state", "/api/verbs", "/api/openapi.json", "/api/avatars/one"):
        for token in ("", "x", room.token[:-1], room.token + "x", "é"):
            status, _, body = room.ask("GET", path, token=token.encode().decode("latin-1"))
            assert status == 401 and "token" in error_of(body)["got"], path
    assert room.ask("POST", "/api/do/panic", token="")[0] == 401
    assert not room.show.to_json()["state"]["panic"]


def test_the_token_may_come_in_the_address(room: Room) -> None:
    assert room.ask("GET", f"/api/state?token={room.token}", token="")[0] == 401, "a wrong bearer is wrong"
    host = f"Host: 127.0.0.1:{room.room.port}\r\nConnection: close\r\n\r\n"
    assert b" 200 " in room.raw(f"GET /api/state?token={room.token} HTTP/1.1\r\n{host}".encode())
    assert b" 401 " in room.raw(f"GET /api/state?token=x&{'a&' * 99} HTTP/1.1\r\n{host}".encode())


@pytest.mark.parametrize("path", ["/", "/assets/api.css", "/assets/none", "/api/state", "/nowhere"])
def test_every_answer_is_closed_to_other_sites(room: Room, path: str) -> None:
    _, headers, _ = room.ask("GET", path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers and "set-cookie" not in headers


def test_other_hosts_and_origins_are_refused(room: Room) -> None:
    port = room.room.port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "",
        f"127.0.0.1:{port}0",
    ):
        assert room.ask("GET", "/", Host=host)[0] == 421, host
    assert room.ask("GET", "/api/state", Host=f"LOCALHOST:{port}")[0] == 200
    assert b" 400 " in room.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), "no host at all"
    for origin in (
        "http://evil.example",
        "null",
        f"127.0.0.1:{port}",
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
    ):
        status, _, body = room.ask("POST", "/api/do/panic", Origin=origin)
        assert status == 403 and "another site" in error_of(body)["got"], origin
    assert not room.show.to_json()["state"]["panic"]
    assert room.ask("GET", "/api/state", Origin=f"http://localhost:{port}")[0] == 200


def test_assets_are_what_is_in_the_folder_and_no_more(room: Room) -> None:
    for path in PAGE.iterdir():
        status, headers, body = room.ask("GET", f"/assets/{path.name}")
        assert status == 200 and body == path.read_bytes() and headers["content-type"]
    for name in ("../room.py", "..%2froom.py", "%2e%2e/room.py", "/etc/passwd", "", ".", "..", "x\\y", "%00"):
        assert room.ask("GET", f"/assets/{name}")[0] == 404, name


def test_what_is_asked_for_is_done(room: Room) -> None:
    for verb, values in (
        ("gain", {"region": "head", "amount": 0.5}),
        ("mirror", {}),
        ("avatar", {"name": "two"}),
    ):
        status, _, body = room.ask("POST", f"/api/do/{verb}", values)
        assert status == 200 and json.loads(body) == {"done": verb}
    room.obey()
    time.sleep(0.25)  # what was told a moment ago is told again
    status, _, body = room.ask("GET", "/api/state")
    state = json.loads(body)["state"]
    assert status == 200 and state == json.loads(json.dumps(room.show.to_json()["state"]))
    assert state["puppet"] == "two" and room.live.control.puppets["one"].manner.gains.head == 0.5
    room.ask("POST", "/api/do/avatar", {"name": "one"})
    room.obey()


def test_panic_waits_for_nothing_that_was_asked_for_before(room: Room) -> None:
    held, begun = threading.Event(), threading.Event()
    do = room.show.do

    def slow(verb: str, values: Any = None) -> None:
        if verb == "freeze":
            begun.set()
            held.wait(20.0)
        do(verb, values)

    room.show.do = slow  # type: ignore[method-assign]
    try:
        asking = threading.Thread(target=room.ask, args=("POST", "/api/do/freeze"))
        asking.start()
        assert begun.wait(20.0)
        assert room.ask("POST", "/api/do/panic", {"on": True})[0] == 200
        assert room.live.control.panic
        room.ask("POST", "/api/do/panic", {"on": False})
    finally:
        held.set()
        asking.join()
        room.show.do = do  # type: ignore[method-assign]


HOSTILE: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"{", 400),
    "no UTF-8": (b'{"on": "\xff"}', 400),
    "a list": (b"[]", 400),
    "NaN": (b'{"amount": NaN, "region": "head"}', 400),
    "infinity": (b'{"amount": -Infinity, "region": "head"}', 400),
    "a float too large": (b'{"amount": 1e999, "region": "head"}', 400),
    "an endless number": (b'{"region": "head", "amount": ' + b"9" * 60_000 + b"}", 400),
    "deep": (b'{"region":' * 9 + b"1" + b"}" * 9, 400),
    "deeper": (b"[" * 60_000, 400),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "huge": (b'{"region": "' + b"x" * 70_000 + b'"}', 413),
    "a list for a word": (b'{"region": ["head"], "amount": 1}', 400),
    "half a character": (b'{"region": "\\ud800", "amount": 1}', 400),
    "another name": (b'{"region": "head", "amount": 1, "x": 1}', 400),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_json_is_refused_in_one_line(room: Room, case: str) -> None:
    body, expected = HOSTILE[case]
    status, _, told = room.ask("POST", "/api/do/gain", body, Content_Type="application/json")
    assert status == expected and "\n" not in error_of(told)["expected"]
    assert room.ask("GET", "/api/verbs")[0] == 200


def test_other_content_and_other_methods_are_refused(room: Room) -> None:
    assert room.ask("POST", "/api/do/panic", b"on=1", Content_Type="text/plain")[0] == 415
    assert room.ask("POST", "/api/do/fly", {})[0] == 404
    for method, path in (("GET", "/api/do/panic"), ("DELETE", "/api/state"), ("OPTIONS", "/api/state")):
        status, headers, _ = room.ask(method, path)
        assert status == 405 and headers["allow"]
    assert not room.live.control.panic


def test_bodies_without_an_end_are_cut_off(room: Room) -> None:
    head = (
        f"POST /api/do/gain HTTP/1.1\r\nHost: 127.0.0.1:{room.room.port}\r\n"
        f"Authorization: Bearer {room.token}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    told = room.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 4)
    assert told == b"" or b" 413 " in told.split(b"\r\n")[0]  # nothing where the end came before it was read
    assert b" 413 " in room.raw(f"{head}Content-Length: {MOST_PICTURE_BYTES}\r\n\r\n".encode())
    assert b" 400 " in room.raw(head.encode() + b"X: " + b"x" * 40_000 + b"\r\n\r\n")


def test_a_picture_that_is_sent_becomes_the_background(room: Room) -> None:
    green = np.zeros((40, 60, 3), np.uint8)
    green[:] = (10, 200, 30)
    png = cv2.imencode(".png", green[:, :, ::-1])[1].tobytes()
    status, _, body = room.ask("POST", "/api/background", png)
    assert status == 200, body
    room.obey()
    scene = room.live.control.puppet.scene.backdrop
    assert scene.image_rgb is not None and (scene.image_rgb == green).all()
    assert Path(scene.word).read_bytes() == png and Path(scene.word).stat().st_mode & 0o77 == 0
    status, _, body = room.ask("POST", "/api/do/background", {"word": scene.word})
    assert status == 200, "the word stays good for the next run"
    for wrong in (b"", b"no picture", png[:50]):
        assert room.ask("POST", "/api/background", wrong)[0] == 400
    assert len(list(Path(scene.word).parent.iterdir())) == 1
    assert room.ask("POST", "/api/background", b"x" * (MOST_PICTURE_BYTES + 1))[0] == 413


def test_thumbnails_are_small_pictures_of_the_portrait(room: Room) -> None:
    status, headers, jpeg = room.ask("GET", "/api/avatars/one")
    assert status == 200 and headers["content-type"] == "image/jpeg"
    seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert max(seen.shape) == 160
    portrait = room.show.avatar("one").portrait_rgb
    assert abs(seen[:, :, ::-1].mean((0, 1)) - portrait.mean((0, 1))).max() < 3
    for name in ("x", "../one", "%00", "one/", "a" * 5000):
        assert room.ask("GET", f"/api/avatars/{name}")[0] == 400, name


@pytest.mark.parametrize("verb", VERBS)
def test_the_document_tells_every_verb_as_it_is(room: Room, verb: str) -> None:
    """What the document allows is done; what it does not is refused."""
    schema = api_document()["paths"][f"/api/do/{verb}"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert list(schema["properties"]) == [one.name for one in VERBS[verb].parameters]
    fitting: dict[str, Any] = {}
    for one in VERBS[verb].parameters:
        told = schema["properties"][one.name]
        match one:
            case Switch():
                fitting[one.name] = False
            case Choice():
                fitting[one.name] = told["enum"][-1]
            case Number():
                fitting[one.name] = (told.get("anyOf") or [told])[0]["maximum"]
            case _:
                fitting[one.name] = {"background": "blur", "style": "off", "play": "nod"}.get(verb, "one")
    assert room.ask("POST", f"/api/do/{verb}", fitting)[0] == (400 if verb in ("mute", "record") else 200)
    for name in schema.get("required", ()):
        less = {key: value for key, value in fitting.items() if key != name}
        assert room.ask("POST", f"/api/do/{verb}", less)[0] == 400
    assert room.ask("POST", f"/api/do/{verb}", {**fitting, "more": 1})[0] == 400
    room.obey()
    assert room.show.to_json()["state"]["refused"] == ""


def test_the_document_is_valid_and_its_page_tells_the_same(room: Room) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="checks OpenAPI documents")
    status, _, body = room.ask("GET", "/api/openapi.json")
    document = json.loads(body)
    validator.validate(document)
    page = room.ask("GET", "/api")[2].decode()
    assert status == 200 and all(path in page for path in document["paths"])
    assert "<script" not in page and "style=" not in page and "http://" not in page.replace("http://127", "")


@given(
    st.sampled_from(
        [*(f"/api/do/{verb}" for verb in VERBS if verb != "record"), "/api/state", "/api/x", "/"]
    ),
    st.sampled_from(["GET", "POST", "PUT", "HEAD"]),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["on", "region", "word", "x"]), inner)
        ),
        max_leaves=8,
    ),
)
@_FUZZ
def test_whatever_is_sent_the_answer_is_no_error_of_ours(
    room: Room, path: str, method: str, said: Any
) -> None:
    body = json.dumps(said).encode()
    status, headers, told = room.ask(method, path, body, Content_Type="application/json")
    assert status in (200, 400, 404, 405), told
    assert headers["content-security-policy"]
    if status != 200 and method != "HEAD":
        error_of(told)
    room.obey()


@pytest.mark.parametrize("data", [b"\0" * 500, b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n"])
def test_what_is_no_http_is_put_off(room: Room, data: bytes) -> None:
    assert b" 400 " in room.raw(data) or room.raw(data) == b""
    assert room.ask("GET", "/")[0] == 200


@pytest.mark.parametrize("n", [250, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_thousand_clients_take_few_handles_and_no_page_its_answers(room: Room, n: int) -> None:
    process = psutil.Process()
    before, clients = process.num_fds(), []
    try:
        for _ in range(n):
            one = socket.create_connection(("127.0.0.1", room.room.port), timeout=20)
            clients.append(one)
            if len(clients) > 200:  # ours are few, too: the oldest go
                clients.pop(0).close()
        wait_until(lambda: process.num_fds() <= before + len(clients) + MOST_CONNECTIONS + 5)
    finally:
        for one in clients:
            one.close()
    wait_until(lambda: answers(room))
    wait_until(lambda: process.num_fds() <= before + 8)


def test_a_taken_port_is_told_and_the_next_one_is_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ControlRoomError, match=rf"port {port}, .*--ui-port"), open_room(tmp_path, port):
            pass
    with open_room(tmp_path / "a", None) as one, open_room(tmp_path / "b", None) as two:
        assert 8765 <= one.room.port < 8815 and 8765 <= two.room.port < 8815
        assert one.room.port != two.room.port and one.token != two.token
        assert one.ask("GET", "/api/state", token=two.token)[0] == 401
    with pytest.raises(ControlRoomError, match="port 70000"), open_room(tmp_path, 70_000):
        pass


def test_it_is_gone_at_the_end_with_all_it_held(tmp_path: Path) -> None:
    threads, fds = threading.active_count(), psutil.Process().num_fds()
    with open_room(tmp_path) as opened:
        assert opened.ask("GET", "/api/state")[0] == 200
        port, begun = opened.room.port, time.monotonic()
        idle = socket.create_connection(("127.0.0.1", port))
    assert time.monotonic() - begun < 10
    idle.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    wait_until(lambda: threading.active_count() <= threads)
    gc.collect()  # asyncio leaves what came in the moment of closing to the collector
    assert psutil.Process().num_fds() <= fds
    with open_room(tmp_path, port) as again:  # nobody connects
        assert again.room.port == port
    wait_until(lambda: threading.active_count() <= threads)


def test_a_server_that_fails_is_told_once_and_the_show_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Any:
        raise RuntimeError("told to fail")

    with open_room(tmp_path) as opened:
        opened.room._open.close()
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        server = RoomServer(listening, broken, opened.preview.begun)
        server.start()
        with caplog.at_level(logging.ERROR):
            with suppress(OSError), socket.create_connection(listening.getsockname(), timeout=20) as one:
                assert one.recv(10) == b""
            wait_until(lambda: len(caplog.records) == 1)
            server.stop()
        opened.send_frame()
        opened.obey()
    assert [record.getMessage() for record in caplog.records] == [
        "the control room has failed (told to fail); the show goes on without its page"
    ]


def test_an_error_of_ours_is_told_once_however_often_a_page_asks(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> Any:
        raise RuntimeError("told to fail")

    monkeypatch.setattr(room.show, "avatar", broken)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            status, _, body = room.ask("GET", "/api/avatars/one")
            assert status == 500 and error_of(body)["got"] == "something that nobody foresaw"
    assert len(caplog.records) == 1 and "told to fail" in caplog.text and room.token not in caplog.text


def test_nothing_of_the_server_is_loaded_before_somebody_connects(tmp_path: Path) -> None:
    code = f"""
import sys, time
from types import SimpleNamespace
from pathlib import Path
from facepuppet.control_room import ControlRoom, PagePreview
with ControlRoom(SimpleNamespace(), PagePreview((160, 128)), 0, folder=Path({str(tmp_path)!r})) as room:
    time.sleep(0.3)
    unwanted = {{"uvicorn", "starlette", "websockets", "asyncio", "jinja2", "http.client"}}
    print(sorted(unwanted & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_kept_for_nobody() -> None:
    preview = PagePreview((160, 128))
    assert preview.pixels is None and not preview.begun.is_set()
    preview.send(marked())
    assert preview.begun.is_set() and preview.newest is None
    preview.watch()
    preview.watch()
    frame = marked(picture(seed=1), frame_id=1)
    preview.send(frame)
    preview.leave()
    assert preview.newest is frame
    preview.leave()
    assert preview.newest is None
    preview.send(frame)
    assert preview.newest is None


def test_the_address_tells_the_way_in(room: Room) -> None:
    assert room.room.address == f"http://127.0.0.1:{room.room.port}/?token={room.token}"
    assert len(room.token) == 43 and isinstance(room.room, ControlRoom)
