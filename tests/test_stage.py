"""The stage's feed and socket: the puppet alone, newest first, to those who look, and at no cost else."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from compare import JPEG, Tolerance, assert_pictures_equal
from control_rooms import Room, open_room
from fakes import marked, picture, wait_until
from test_control import CANVAS
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from facepuppet.control_room.stage_feed import StageFeed
from facepuppet.control_room.stage_socket import HEAD, KIND, MOST_STAGES
from facepuppet.control_room.stage_token import stage_token
from facepuppet.core.types import U8, Composed, Matte
from facepuppet.watermark import Marked, Marker

MARKER = Marker(size_px=CANVAS)
ALPHA = np.zeros((CANVAS[1], CANVAS[0]), np.uint8)
ALPHA[40:, 60:180] = 255


def cut(number: int = 0, alpha: U8 = ALPHA, marker: Marker = MARKER) -> Marked:
    """A frame whose lower middle is puppet, captured now; each thread has a marker of its own."""
    rgb = picture(CANVAS, seed=number)
    return marker.mark(Composed(rgb, number, time.monotonic_ns(), Matte(alpha.copy(), rgb)))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with open_room(tmp_path_factory.mktemp("stage")) as opened:
        yield opened


def socket_address(room: Room) -> str:
    return room.room.stage_address.replace("http", "ws", 1).replace("/stage", "/api/stage")


def stage_of(room: Room) -> ClientConnection:
    one = connect(socket_address(room))
    wait_until(lambda: room.preview.wants_matte)
    return one


def received(stage: ClientConnection, timeout_s: float = 20.0) -> tuple[int, int, bytes, bytes]:
    """Return number, age in ms, picture and matte of the next message."""
    message = stage.recv(timeout_s)
    assert isinstance(message, bytes)
    kind, number, age_ms, length = HEAD.unpack_from(message)
    assert kind == KIND
    body = message[HEAD.size :]
    return number, age_ms, body[:length], body[length:]


def nothing_comes(stage: ClientConnection) -> bool:
    try:
        stage.recv(0.3)
    except TimeoutError:
        return True
    return False


def decoded(jpeg: bytes, flag: int = cv2.IMREAD_COLOR) -> U8:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag), np.uint8)


# The feed


def test_a_feed_keeps_and_wants_nothing_for_nobody() -> None:
    feed, told = StageFeed(CANVAS), []
    feed.send(cut())
    assert not feed.wants_matte and feed.newest is None and feed.pixels is None
    feed.watch(listener := lambda: told.append(feed.newest))
    frame = cut(1)
    for _ in range(3):  # a sink gets a frame again when no new one comes
        feed.send(frame)
    assert feed.wants_matte and told == [frame]
    feed.leave(listener)
    feed.send(cut(2))
    assert not feed.wants_matte and feed.newest is None and told == [frame]


def test_no_background_flashes_up_and_a_maker_without_mattes_is_shown_whole_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = StageFeed(CANVAS)
    feed.watch(listener := lambda: None)
    for i in range(3):  # begun before somebody watched
        feed.send(marked(frame_id=i, size_px=CANVAS))
    assert feed.newest is None
    feed.send(first := cut(3))
    assert feed.newest is first
    with caplog.at_level(logging.WARNING):
        for i in range(40):
            feed.send(marked(frame_id=i, size_px=CANVAS))
        assert feed.newest is not first and feed.newest is not None
        feed.leave(listener)
        feed.watch(lambda: None)
        for i in range(40):
            feed.send(marked(frame_id=i, size_px=CANVAS))
    assert sum("background" in record.message for record in caplog.records) == 1


# The socket


def test_a_stage_is_sent_the_puppet_without_its_background(room: Room) -> None:
    with stage_of(room) as stage:
        room.preview.send(frame := cut(1))
        number, age_ms, colour, alpha = received(stage)
        assert number == 1 and age_ms < 5000
        truth = np.where(ALPHA[..., None] > 0, frame.rgb, 0).astype(np.uint8)
        assert_pictures_equal(decoded(colour)[..., ::-1], truth, JPEG)
        assert_pictures_equal(decoded(alpha, cv2.IMREAD_GRAYSCALE), ALPHA, Tolerance(mean=1.0))
        room.preview.send(cut(2, np.full_like(ALPHA, 255)))
        assert received(stage)[3] == b"", "all is opaque"
    wait_until(lambda: not room.preview.wants_matte)
    assert room.preview.stage.newest is None


def test_a_page_that_is_slow_gets_two_and_then_the_newest(room: Room) -> None:
    with stage_of(room) as stage:
        for i in range(2):
            room.preview.send(cut(i))
            assert received(stage)[0] == i + 1
        for i in range(2, 9):
            room.preview.send(cut(i))
            time.sleep(0.04)
        assert nothing_comes(stage)
        stage.send(json.dumps({"seen": 2}))
        number, _, colour, _ = received(stage)
        truth = np.where(ALPHA[..., None] > 0, picture(CANVAS, seed=8), 0).astype(np.uint8)
        assert number == 3
        assert_pictures_equal(decoded(colour)[..., ::-1], truth, JPEG)
        assert nothing_comes(stage)
        stage.send(json.dumps({"seen": 10**9}))  # no credit for what was never sent
        for number in (4, 5):
            time.sleep(0.04)
            room.preview.send(cut(number))
            assert received(stage)[0] == number
        time.sleep(0.04)
        room.preview.send(cut(9))
        assert nothing_comes(stage)


def test_a_page_that_is_hidden_costs_nothing(room: Room) -> None:
    with stage_of(room) as stage:
        stage.send(json.dumps({"watch": False}))
        wait_until(lambda: not room.preview.wants_matte)
        room.preview.send(cut(1))
        assert nothing_comes(stage)
        stage.send(json.dumps({"watch": True}))
        wait_until(lambda: room.preview.wants_matte)
        room.preview.send(cut(2))
        assert received(stage)[0] == 1


def test_sixty_frames_a_second_are_sent_as_thirty(room: Room) -> None:
    with stage_of(room) as stage:
        begun_s, numbers = time.monotonic(), []
        for i in range(60):
            time.sleep(max(0.0, begun_s + i / 60 - time.monotonic()))
            room.preview.send(cut(i % 7))
            try:
                numbers.append(received(stage, 0.005)[0])
            except TimeoutError:
                continue
            stage.send(json.dumps({"seen": numbers[-1]}))
        assert 5 < len(numbers) <= 33 * (time.monotonic() - begun_s) + 2


@pytest.mark.parametrize("said", ["no JSON", "[]", '{"do": "panic"}', '{"seen": "x"}', '{"watch": 3}', b"\0"])
def test_what_makes_no_sense_ends_the_line(room: Room, said: str | bytes) -> None:
    with stage_of(room) as stage:
        stage.send(said)
        with pytest.raises(ConnectionClosed):
            stage.recv(20)
    wait_until(lambda: not room.preview.wants_matte)
    assert not room.live.control.state.panic


def test_one_stage_too_many_is_sent_away_and_the_others_go_on(room: Room) -> None:
    stages = [stage_of(room) for _ in range(MOST_STAGES)]
    with connect(socket_address(room)) as extra, pytest.raises(ConnectionClosed):
        extra.recv(20)
    room.preview.send(cut(1))
    assert [received(stage)[0] for stage in stages] == [1] * MOST_STAGES
    for stage in stages:
        stage.close()
    wait_until(lambda: not room.preview.wants_matte)


# Who may look


def test_the_stage_s_token_shows_the_stage_and_commands_nothing(room: Room) -> None:
    token = room.room.stage_address.partition("=")[2]
    assert token != room.token
    assert room.ask("GET", "/api/state", token=token)[0] == 401
    assert room.ask("POST", "/api/do/panic", {"on": True}, token=token)[0] == 401
    with pytest.raises(InvalidStatus):
        connect(socket_address(room).replace("/api/stage", "/api/live"))
    with pytest.raises(InvalidStatus):
        connect(socket_address(room)[:-1])
    told = json.loads(room.ask("GET", "/api/stage")[2])
    assert told == {"address": room.room.stage_address}
    assert room.ask("GET", "/api/stage", token="")[0] == 401


def test_the_page_is_served_with_all_that_it_loads_and_nothing_else(room: Room) -> None:
    for name, kind in (
        ("", "html"),
        ("/stage.js", "javascript"),
        ("/painters.js", "javascript"),
        ("/stage.css", "css"),
    ):
        status, headers, body = room.ask("GET", f"/stage{name}", token="")
        assert status == 200 and kind in headers["content-type"] and body
        assert "script-src 'self'" in headers["content-security-policy"]
    for name in ("/none", "/..", "/%2e%2e", "/../room.py"):
        assert room.ask("GET", f"/stage{name}", token="")[0] == 404


def test_the_address_stays_the_same_from_run_to_run(tmp_path: Path) -> None:
    token = stage_token(tmp_path)
    assert stage_token(tmp_path) == token and len(token) == 43
    (tmp_path / "stage-token").write_text("damaged")
    other = stage_token(tmp_path)
    assert other != token and stage_token(tmp_path) == other
    assert (tmp_path / "stage-token").stat().st_mode & 0o077 == 0


def test_where_nothing_can_be_kept_the_stage_is_there_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    assert len(stage_token(tmp_path / "file" / "folder")) == 43
    assert "another address" in caplog.text
