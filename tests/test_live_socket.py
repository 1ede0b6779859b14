"""A page's line to the run: what it hears and sees, and what slow, rude and vanished pages do not do."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from control_rooms import Room, open_room
from fakes import marked, picture, wait_until
from test_control import CANVAS
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from facepuppet.control_room.live_socket import MOST_SOCKETS
from facepuppet.control_room.mesh_points import mesh_bytes
from facepuppet.core.types import Expression
from facepuppet.drivers.scripted import Performance
from facepuppet.session import draw_expression, expression_in_view

OUTPUT, MESH, CAMERA, MOOD = 1, 2, 3, 4


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with open_room(tmp_path_factory.mktemp("room")) as opened:
        yield opened


@dataclass(frozen=True)
class Seen:
    """A picture that came."""

    kind: int
    number: int
    age_ms: int
    payload: bytes

    @property
    def level(self) -> float:
        return float(cv2.imdecode(np.frombuffer(self.payload, np.uint8), cv2.IMREAD_COLOR).mean())


class Page:
    """What a page does, without a browser."""

    def __init__(self, room: Room, **options: Any) -> None:
        self.socket: ClientConnection = connect(
            f"ws://127.0.0.1:{room.room.port}/api/live?token={room.token}", **options
        )

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, **said: Any) -> None:
        self.socket.send(json.dumps(said))

    def hear(self, kind: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next message of a kind; others are passed over."""
        end = time.monotonic() + timeout_s
        while True:
            message = self.socket.recv(timeout=max(0.01, end - time.monotonic()))
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                told: dict[str, Any] = json.loads(message)
                return told

    def see(self, kind: int, timeout_s: float = 10.0) -> Seen:
        """The next picture of a kind; others are passed over."""
        end = time.monotonic() + timeout_s
        while True:
            message = self.socket.recv(timeout=max(0.01, end - time.monotonic()))
            if isinstance(message, bytes) and message[0] == kind:
                return Seen(*struct.unpack("<BIH", message[:7]), message[7:])

    def pictures(self, seconds: float) -> list[Seen]:
        """All pictures that come within a time."""
        end, seen = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            with suppress(TimeoutError):
                message = self.socket.recv(timeout=left)
                if isinstance(message, bytes):
                    seen.append(Seen(*struct.unpack("<BIH", message[:7]), message[7:]))
        return seen


def flat(room: Room, level: int) -> None:
    """Let a grey frame go out."""
    room.frames += 1
    rgb = picture(CANVAS, level=level)
    room.preview.send(marked(rgb, frame_id=room.frames, captured_ns=time.monotonic_ns()))


def watched(room: Room) -> bool:
    return room.preview._n_watching > 0


def test_state_comes_by_itself_and_what_is_said_is_done(room: Room) -> None:
    with Page(room) as page:
        first = page.hear("state")
        assert first["state"]["puppets"] == ["one", "two"] and first["figures"]["pictures"] == 0
        page.say(do="gain", values={"region": "head", "amount": 0.25}, id=7)
        assert page.hear("done") == {"type": "done", "id": 7}
        room.obey()
        wait_until(lambda: page.hear("state")["state"]["gains"]["head"] == 0.25)
        page.say(do="gain", values={"region": "head", "amount": 9}, id="eight")
        refused = page.hear("refused")
        assert refused["id"] == "eight" and refused["message"].startswith("Got amount '9'; expected a number")
        page.say(do="avatar", values={"name": "nobody"}, id=9)
        assert "expected one of one, two" in page.hear("refused")["message"]
        times = []
        for _ in range(5):
            page.hear("state")
            times.append(time.monotonic())
        assert 0.5 < times[-1] - times[0] < 3.0


def test_no_log_has_the_token(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        with Page(room) as page:
            page.hear("state")
        room.ask("GET", f"/api/state?token={room.token}")
        with suppress(InvalidStatus):
            connect(f"ws://127.0.0.1:{room.room.port}/api/live?token={room.token}", origin="http://evil")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets")]
    assert not [line for line in ours if room.token in line]


RUDE: dict[str, Any] = {
    "no JSON": "{",
    "nothing": "",
    "binary": b"\xff\x00",
    "a list": "[]",
    "NaN": '{"seen": NaN}',
    "deep": '{"watch": {"output": [[[[[[1]]]]]]}}',
    "very deep": "[" * 30_000,
    "unknown": '{"fly": 1}',
    "an unknown verb": '{"do": "fly"}',
    "values that are none": '{"do": "panic", "values": [1]}',
    "a verb that is none": '{"do": {"a": 1}}',
    "half a character": '{"do": "avatar", "values": {"name": "\\ud800"}}',
    "seen by a word": '{"seen": "x"}',
    "watching a word": '{"watch": "all"}',
}


@pytest.mark.parametrize("case", RUDE)
def test_what_is_no_message_is_refused_and_the_line_stays_open(room: Room, case: str) -> None:
    with Page(room) as page:
        page.socket.send(RUDE[case])
        assert page.hear("refused")["message"].startswith("Got ")
        page.say(do="recentre", id=1)
        assert page.hear("done")["id"] == 1


def test_odd_wishes_are_watched_as_nothing(room: Room) -> None:
    with Page(room) as page:
        for watch in ({"output": "x"}, {"output": -5}, {"output": 1e300}, {"mesh": 1}, {"camera": [1]}, {}):
            page.say(watch=watch)
        page.say(seen=10**30)
        page.say(do="recentre", id=1)
        page.hear("done")
        assert not watched(room)
        page.say(watch={"output": 10**30})
        wait_until(lambda: watched(room))


def test_a_message_too_long_ends_only_its_own_line(room: Room) -> None:
    with Page(room) as rude, Page(room) as polite:
        rude.socket.send('{"do": "' + "x" * 70_000 + '"}')
        with pytest.raises(ConnectionClosed) as caught:
            rude.hear("done")
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009
        assert polite.hear("state")


def test_a_page_sees_what_goes_out_and_nothing_is_kept_when_it_is_gone(room: Room) -> None:
    with Page(room) as page:
        page.say(watch={"output": 640})
        wait_until(lambda: watched(room))
        flat(room, 180)
        seen = page.see(OUTPUT)
        assert seen.number >= 1 and seen.age_ms < 5000 and seen.level == pytest.approx(180, abs=3)
        shape = cv2.imdecode(np.frombuffer(seen.payload, np.uint8), cv2.IMREAD_COLOR).shape
        assert shape[1::-1] == CANVAS, "a small canvas is not blown up"
        page.say(watch={})
        wait_until(lambda: not watched(room))
        page.say(watch={"output": True})
        wait_until(lambda: watched(room))
    wait_until(lambda: not watched(room))
    assert room.preview.newest is None


def test_a_page_that_says_nothing_of_having_seen_gets_two_pictures_and_then_the_newest(room: Room) -> None:
    with Page(room) as page:
        page.say(watch={"output": 160})
        wait_until(lambda: watched(room))
        got: list[Seen] = []
        for i in range(12):
            flat(room, 40 + 15 * i)
            got += page.pictures(0.1)
        assert [seen.number for seen in got] == [1, 2]
        page.say(seen=2)
        assert page.see(OUTPUT).level == pytest.approx(40 + 15 * 11, abs=3)


def test_seeing_one_kind_is_not_seeing_another(room: Room) -> None:
    """A page that draws the mesh at once, and has not yet decoded the output, is sent no more of that."""
    with Page(room) as page:
        page.say(watch={"output": 160, "mesh": True})
        wait_until(lambda: watched(room))
        got: list[Seen] = []
        for i in range(8):
            room.live.expression = Performance().expression(2.0, i)
            flat(room, 40 + 15 * i)
            for seen in page.pictures(0.15):
                got.append(seen)
                if seen.kind == MESH:
                    page.say(seen=seen.number)
        room.live.expression = None
        assert [seen.kind for seen in got].count(OUTPUT) == 2
        assert [seen.kind for seen in got].count(MESH) > 4


@pytest.mark.slow
def test_who_reads_no_answers_is_read_from_no_more(room: Room) -> None:
    """And waits alone: no answer is kept for it, and another page has what it always had."""
    n = 0

    def flood() -> None:
        nonlocal n
        with suppress(ConnectionClosed):
            while n < 200_000:
                deaf.say(do="avatar", values={"name": "x" * 900}, id=n)
                n += 1

    with Page(room) as page:
        deaf = Page(room, max_queue=1, close_timeout=0.1)
        flooding = threading.Thread(target=flood)
        flooding.start()
        try:
            before = -1
            while before < n:
                before = n
                page.say(do="recentre", id=n)
                assert page.hear("done")["id"] == before
                time.sleep(0.3)
            assert 100 < n < 200_000
        finally:
            deaf.socket.socket.shutdown(socket.SHUT_RDWR)
            deaf.socket.close()
            flooding.join()


def test_a_browser_that_vanishes_in_mid_send_is_forgotten(room: Room) -> None:
    with Page(room) as page:
        for _ in range(3):
            gone = Page(room)
            gone.say(watch={"output": 320, "mesh": True})
            wait_until(lambda: watched(room))
            flat(room, 90)
            raw = gone.socket.socket
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.shutdown(socket.SHUT_RD)
            raw.close()  # a reset, not a goodbye
            flat(room, 90)
        wait_until(lambda: not watched(room))
        page.say(do="recentre", id=1)
        assert page.hear("done")


def test_two_browsers_see_the_same_and_the_last_word_wins(room: Room) -> None:
    with Page(room) as one, Page(room) as two:
        for page, amount in ((one, 0.5), (two, 2.0), (one, 1.5), (two, 0.75)):
            page.say(do="gain", values={"region": "mouth", "amount": amount}, id=1)
            page.hear("done")
        room.obey()
        for page in (one, two):
            wait_until(lambda page=page: page.hear("state")["state"]["gains"]["mouth"] == 0.75)
        two.say(do="panic", values={"on": True}, id=2)
        wait_until(lambda: one.hear("state")["state"]["panic"])
        one.say(do="panic", values={"on": False}, id=3)
        wait_until(lambda: not two.hear("state")["state"]["panic"])


def test_one_page_too_many_is_told_so(room: Room) -> None:
    with ExitStack() as pages:
        for _ in range(MOST_SOCKETS):
            pages.enter_context(Page(room)).hear("state")
        with Page(room) as more:
            assert "close one of them" in more.hear("refused")["message"]
            with pytest.raises(ConnectionClosed) as caught:
                more.hear("state")
            assert caught.value.rcvd is not None and caught.value.rcvd.code == 1013

    def free() -> bool:
        with Page(room) as page:
            return bool(json.loads(page.socket.recv(timeout=10))["type"] == "state")

    wait_until(free)


@pytest.mark.parametrize(
    ("query", "options", "status"),
    [
        ("", {}, 401),
        ("?token=x", {}, 401),
        ("?token={token}", {"origin": "http://evil.example"}, 403),
        ("?token={token}", {"origin": "null"}, 403),
        ("?token={token}", {"additional_headers": {"Host": "evil.example"}}, 421),
    ],
)
def test_strangers_get_no_line(room: Room, query: str, options: dict[str, Any], status: int) -> None:
    query = query.format(token=room.token)
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{room.room.port}/api/live{query}", **options)
    answered = [caught.value.response.status_code]
    assert answered == [status] or answered == [400], answered  # two Host headers are no HTTP


def test_the_page_of_the_run_gets_one(room: Room) -> None:
    origin = f"http://localhost:{room.room.port}"
    with Page(room, origin=origin) as page:
        assert page.hear("state")


def test_the_mesh_is_the_one_that_sheets_draw(room: Room) -> None:
    expression = Performance().expression(2.0, 5)
    data = mesh_bytes(expression)
    n = struct.unpack("<H", data[:2])[0]
    points = np.frombuffer(data, "<i2", 2 * n, 2).reshape(-1, 2)
    rest = data[2 + 4 * n :]
    assert n == 478 and struct.unpack("<H", rest[:2]) == (2,) and len(rest) == 2 + 8
    landmarks, shoulders = expression_in_view(expression, 1000)
    assert landmarks is not None and shoulders is not None
    assert abs(points - landmarks).max() <= 0.5
    assert abs(np.frombuffer(rest, "<i2", 4, 2).reshape(2, 2) - shoulders).max() <= 0.5
    drawn = draw_expression(expression, 500)
    x, y = (points[33] // 2).tolist()
    assert drawn[y - 2 : y + 3, x - 2 : x + 3].max() > 100, "something is drawn where the eye's corner is"
    assert mesh_bytes(None) == mesh_bytes(Expression.absent(1, 1)) == b"\0\0\0\0"


def test_mesh_and_camera_come_to_who_asks_for_them_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look(width_px: int) -> bytes:
        looked.append(width_px)
        return b"a camera's picture"

    def drive() -> None:
        i = 0
        while not stop.wait(0.03):
            i += 1
            room.live.expression = replace(Performance().expression(2.0, i), captured_ns=time.monotonic_ns())

    monkeypatch.setattr(room.live.driver, "look", look)
    stop = threading.Event()
    driving = threading.Thread(target=drive)
    driving.start()
    try:
        with Page(room) as page:
            page.say(watch={"mesh": True})
            mesh = page.see(MESH)
            assert struct.unpack("<H", mesh.payload[:2]) == (478,) and mesh.age_ms < 1000
            page.say(seen=mesh.number)
            assert all(seen.kind == MESH for seen in page.pictures(0.4)) and not looked
            page.say(watch={"camera": True})
            assert page.see(CAMERA).payload == b"a camera's picture" and looked[0] == 320
    finally:
        stop.set()
        driving.join()
        room.live.expression = None


def test_the_map_of_moods_comes_to_who_asks_alone_and_is_told_nowhere_else(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(payload: bytes) -> tuple[int, float, float]:
        source, valence, arousal = struct.unpack("<Bhh", payload)
        return source, valence / 1000, arousal / 1000

    smile = replace(Performance().expression(9.6, 1), captured_ns=time.monotonic_ns())
    with Page(room) as page:
        room.live.expression = smile
        page.say(watch={"mesh": True})
        assert {seen.kind for seen in page.pictures(0.4)} == {MESH}
        page.say(watch={"mood": True})
        source, valence, _ = told(page.see(MOOD).payload)
        assert source == 1 and valence > 0.3
        monkeypatch.setattr(type(room.live.driver), "mood", (-0.5, 0.75))
        room.live.expression = replace(smile, frame_id=2)
        assert told(page.see(MOOD).payload) == (2, -0.5, 0.75)
        monkeypatch.undo()
        page.say(seen=2)
        room.live.expression = Expression.absent(3, time.monotonic_ns())
        assert told(page.see(MOOD).payload) == (0, 0.0, 0.0)
        state = page.hear("state")
    room.live.expression = None
    assert "valence" not in json.dumps(state) and "arousal" not in json.dumps(state)


def test_an_error_of_ours_ends_the_line_and_is_told_once(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Any:
        raise RuntimeError("told to fail")

    with Page(room) as page:
        page.hear("state")
        monkeypatch.setattr(room.show, "to_json", broken)
        with pytest.raises(ConnectionClosed):
            page.hear("done")
    for _ in range(2):
        with Page(room) as page, pytest.raises(ConnectionClosed):
            page.hear("done")
    monkeypatch.undo()
    with Page(room) as page:
        page.say(do="recentre", id=1)
        assert page.hear("done")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "the control room met an unexpected RuntimeError (told to fail); the show goes on"
    ]


def test_pages_are_told_when_the_run_ends(tmp_path: Path) -> None:
    """One that has stopped reading is not waited for."""
    with open_room(tmp_path) as opened, Page(opened) as page:
        deaf = Page(opened, max_queue=1, close_timeout=0.1)
        deaf.say(watch={"output": 320})
        page.hear("state")
        begun = time.monotonic()
        opened.room.__exit__(None, None, None)
        assert time.monotonic() - begun < 10.0
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                page.hear("state")
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1012
        deaf.socket.socket.close()
