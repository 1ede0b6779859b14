"""The reception over HTTP and WebSockets, with hosts that only answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fakes import wait_until

pytest.importorskip("aiortc", reason="needs the extra `server`")

from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from host_stands import ANSWER, NOWHERE, AnsweringHosts, MovingHosts, as_desk
from receptions import NARROW, SECRET, Open, offer_of, open_reception
from websockets.exceptions import ConnectionClosed, InvalidStatus

from facepuppet.portrait.consent import Basis, Consent
from facepuppet.portrait.load import portrait_sha256, sample_portrait_path
from facepuppet.server.join_message import MOST_MESSAGE_BYTES
from facepuppet.server.messages import (
    Announce,
    DrivenBy,
    IceServer,
    Leave,
    Over,
    Picture,
    Unwatch,
    Watch,
    Why,
)
from facepuppet.testing import FakeClock

SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    with open_reception(AnsweringHosts(places=60), tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A reception in which nobody gets as far as a host."""
    with open_reception(AnsweringHosts(), tmp_path_factory.mktemp("idle")) as one:
        yield one
        assert not one.hosts.asked


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Open]:
    """A reception with one place, and a line of two."""
    with open_reception(AnsweringHosts(places=1), tmp_path, most_waiting=2) as one:
        yield one


def test_avatars_are_shown_to_those_with_a_token_as_far_as_it_lets_them(idle: Open) -> None:
    status, _, body = idle.ask("GET", "/api/avatars")
    offered = json.loads(body)
    assert status == 200 and [one["name"] for one in offered] == ["eileen_collins", "grace_hopper"]
    assert offered[1]["right"].startswith("Right to use (public-domain): Rear Admiral Grace Hopper")
    status, headers, picture = idle.ask("GET", offered[1]["picture"])
    assert (status, headers["Content-Type"], picture[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert len(picture) < 40_000
    assert [one["name"] for one in json.loads(idle.ask("GET", "/api/avatars", secret=NARROW)[2])] == [
        "grace_hopper"
    ]
    assert idle.ask("GET", offered[0]["picture"], secret=NARROW)[0] == 404
    for forged in (None, "forged", SECRET + " ", SECRET[:-1], "é"):
        if forged != SECRET + " ":
            assert idle.ask("GET", "/api/avatars", secret=forged)[0] == 401
            assert idle.ask("GET", offered[0]["picture"], secret=forged)[0] == 401


def test_somebody_comes_in_and_is_answered_and_their_host_gets_all_it_needs(opened: Open) -> None:
    told = opened.join(driven_by="voice", picture={"width": 1280, "height": 720, "fps": 15}).hear()
    assert set(told) == {"answer", "session", "watch", "back"}
    assert told["answer"].replace("a=fmtp:97 x-google-start-bitrate=2500\r\n", "") == ANSWER
    join = opened.hosts.asked[0]
    assert join.session == told["session"] and len(join.session) == 22
    assert join.session not in told["watch"]
    assert (join.driven_by, join.picture) == (DrivenBy.VOICE, Picture((1280, 720), 15.0))
    assert join.avatar == portrait_sha256(sample_portrait_path()) and join.avatar_name == "grace_hopper.jpg"
    consent = Consent.from_json(join.consent)
    consent.check_portrait(join.avatar)
    assert consent.claim.basis is Basis.PUBLIC_DOMAIN and join.number >= 1
    assert opened.run(opened.reception.avatar(join.avatar)) == sample_portrait_path().read_bytes()
    assert as_desk(opened.reception) is opened.reception


def test_after_the_answer_a_closed_line_ends_nothing(opened: Open) -> None:
    one = opened.join()
    session = one.hear()["session"]
    one.go()
    time.sleep(0.1)
    assert session in opened.hosts.inside and opened.reception.standing.sessions == 1


def test_the_place_in_line_is_told_again_when_it_changes(narrow: Open) -> None:
    seated = narrow.join().hear()
    second, third = narrow.join(), None
    assert second.hear() == {"line": 1}
    third = narrow.join()
    assert third.hear() == {"line": 2}
    assert narrow.reception.standing.waiting == 2
    narrow.lose(seated["session"])
    assert "answer" in second.hear()
    assert third.hear() == {"line": 1}


def test_a_line_that_is_full_takes_nobody_and_says_so(narrow: Open) -> None:
    people = [narrow.join() for _ in range(3)]
    people[0].hear()
    for one in people[1:]:
        one.hear()
    over = narrow.join().hear()["over"]
    assert over["why"] == "full" and "the line is full" in over["sentence"]
    assert narrow.reception.standing.refused == 1


def test_where_nobody_may_wait_places_are_given_all_the_same(tmp_path: Path) -> None:
    with open_reception(AnsweringHosts(places=2), tmp_path, most_waiting=0) as opened:
        assert "answer" in opened.join().hear() and "answer" in opened.join().hear()
        assert opened.join().hear()["over"]["why"] == "full"
        opened.lose(opened.hosts.asked[0].session)
        wait_until(lambda: "answer" in opened.join().hear())


def test_who_hangs_up_in_line_gives_the_place_up(narrow: Open) -> None:
    first = narrow.join().hear()
    second = narrow.join()
    second.hear()
    third = narrow.join()
    assert third.hear() == {"line": 2}
    second.go()
    assert third.hear() == {"line": 1}
    narrow.lose(first["session"])
    assert "answer" in third.hear()
    assert len(narrow.hosts.inside) == 1, "nobody performs for who has gone"


def test_a_host_without_a_place_after_all_is_asked_again(opened: Open) -> None:
    opened.hosts.denials = [Over(Why.OCCUPIED, "no place"), Over(Why.OCCUPIED, "no place")]
    assert "answer" in opened.join().hear()
    assert len(opened.hosts.asked) == 3


def test_a_host_that_is_lost_before_it_answers_is_replaced_but_not_for_ever(opened: Open) -> None:
    opened.hosts.denials = [Over(Why.LOST, "lost", again=True)] * 2
    assert "answer" in opened.join().hear()
    opened.hosts.denials = [Over(Why.LOST, "lost", again=True)] * 3
    assert opened.join().hear()["over"]["why"] == "lost"


def test_a_host_that_refuses_says_why(opened: Open) -> None:
    opened.hosts.denials = [Over(Why.REFUSED, "This portrait is too dark.")]
    assert opened.join().hear() == {
        "over": {"why": "refused", "sentence": "This portrait is too dark.", "again": False}
    }
    assert opened.reception.standing.sessions == 0


def test_somebody_whose_host_is_lost_comes_back_and_is_watched_where_they_were(opened: Open) -> None:
    one = opened.join(token=NARROW)  # which lets in one at a time
    told = one.hear()
    opened.lose(told["session"])
    assert one.hear()["over"] == {"why": "lost", "sentence": "the host was lost", "again": True}
    for _ in range(5):  # more than the three newcomers a minute
        again = opened.join(token=NARROW, back=told["back"]).hear()
        assert (again["watch"], again["back"]) == (told["watch"], told["back"])
        assert again["session"] != told["session"]
    assert opened.reception.standing.sessions <= 2


def test_who_comes_back_again_and_again_has_to_wait(opened: Open) -> None:
    told = opened.join().hear()
    found = [opened.join(back=told["back"]).hear() for _ in range(16)]
    assert all("answer" in one for one in found[:15])
    assert "too often" in found[15]["over"]["sentence"]


def test_a_comeback_that_fails_leaves_the_ticket_good(opened: Open) -> None:
    one = opened.join()
    told = one.hear()
    opened.lose(told["session"])
    one.hear()
    assert "over" in opened.join(back=told["back"], offer="garbage").hear()
    assert opened.join(back=told["back"]).hear()["watch"] == told["watch"]


def test_50_joins_and_leaves_leave_nothing_behind(opened: Open) -> None:
    clock = opened.reception._clock = opened.reception._book._clock = FakeClock()
    for _ in range(50):
        told = opened.join().hear()
        opened.lose(told["session"])
    wait_until(lambda: opened.reception.standing.sessions == 0)
    clock.advance_s(121)
    last = opened.join().hear()
    opened.lose(last["session"])
    wait_until(lambda: opened.reception.standing.sessions == 0)
    book, reception = opened.reception._book, opened.reception
    assert (len(book), book._watched, book._tickets, book._returns) == (0, {}, {}, {})
    assert len(book._lost) == 1 and not reception._performing and not reception._answers
    assert reception._admission._limits._inside == {} and reception.standing.waiting == 0


def test_a_ticket_of_another_token_or_of_nobody_brings_no_one_back(opened: Open) -> None:
    told = opened.join().hear()
    for token, back in ((NARROW, told["back"]), (SECRET, "forged")):
        other = opened.join(token=token, back=back).hear()
        assert other["watch"] != told["watch"]
    assert not opened.hosts.errands


def test_tokens_are_held_to_their_bounds(opened: Open) -> None:
    first = opened.join(token=NARROW)
    first.hear()
    over = opened.join(token=NARROW).hear()["over"]
    assert over["why"] == "full" and "in use by 1" in over["sentence"]
    other = opened.join(token=NARROW, avatar="eileen_collins").hear()["over"]
    assert other["why"] == "full"
    opened.lose(opened.hosts.asked[0].session)
    first.hear()
    assert "not offered" in opened.join(token=NARROW, avatar="eileen_collins").hear()["over"]["sentence"]


def test_200_joins_at_once_are_answered_refused_or_counted(opened: Open) -> None:
    """With forged tokens and a narrow one: nobody comes in but the one who may."""
    lines = [opened.join(token=NARROW if i % 2 else f"forged {i}") for i in range(200)]
    told = [one.hear() for one in lines]
    assert sum("answer" in one for one in told) == 1
    assert sum("not known here" in one.get("over", {}).get("sentence", "") for one in told) == 100
    assert len(opened.hosts.asked) == 1
    assert opened.ask("GET", "/health")[0] == 200


def test_unknown_codes_are_told_once_a_minute_and_never_themselves(
    idle: Open, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        idle.join(token="forged-secret").hear()
    told = [one.getMessage() for one in caplog.records if "access code" in one.getMessage()]
    assert len(told) == 1 and "forged-secret" not in caplog.text


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"offer": "garbage"}, "no SDP"),
        ({"offer": "v=0\r\n" + "a" * 39_000}, "no SDP"),
        ({"offer": "x" * 50_000}, "'offer'"),
        ({"offer": 5}, "'offer'"),
        ({"avatar": "nobody"}, "not offered"),
        ({"avatar": "../../etc/passwd"}, "not offered"),
        ({"driven_by": "wind"}, "driven_by"),
        ({"driven_by": ["camera"]}, "driven_by"),
        ({"sound": "yes"}, "sound"),
        ({"picture": {"width": 641, "height": 360, "fps": 30}}, "even"),
        ({"picture": {"width": 3840, "height": 2160, "fps": 30}}, "1280"),
        ({"picture": {"width": 640, "height": 360, "fps": 10**9}}, "frames a second"),
        ({"right": {"basis": "theft"}}, "theft"),
        ({"right": {"basis": "consent"}}, "who and when"),
        ({"right": {"basis": "consent", "subject": "A", "granted": "tomorrow"}}, "tomorrow"),
        ({"right": {"basis": "consent", "subject": "A\x1b[2J", "granted": "2026-01-01"}}, "printable"),
        ({"right": {"basis": "consent", "subject": "A", "granted": "2999-01-01"}}, "later than"),
        ({"right": "self"}, "'right'"),
        ({"unknown": 1}, "unknown"),
        ({"token": None}, "'token'"),
    ],
)
def test_what_will_not_do_is_refused_in_one_clear_line(
    idle: Open, changes: dict[str, object], what: str
) -> None:
    over = idle.join(**changes).hear()["over"]
    assert what in over["sentence"] and "\n" not in over["sentence"] and not over["again"]


def test_oversize_and_senseless_messages_end_the_line(idle: Open) -> None:
    for message in ("{", "[]", b"\xff\xfe", "x" * (MOST_MESSAGE_BYTES + 1), '{"a":' * 9000):
        line = idle.dial()
        line.send(message)
        assert json.loads(line.recv(10))["over"]["why"] == "refused"
        with pytest.raises(ConnectionClosed):
            line.recv(10)


def test_another_sites_page_may_not_come_in(opened: Open, tmp_path: Path) -> None:
    own = f"http://127.0.0.1:{opened.port}"
    for origin, fits in ((own, True), ("https://evil.example", False), ("null", False)):
        assert (opened.ask("GET", "/api/avatars", Origin=origin)[0] == 200) is fits
        if fits:
            opened.dial(origin=origin).close()
        else:
            with pytest.raises(InvalidStatus, match="403"):
                opened.dial(origin=origin)
    with open_reception(AnsweringHosts(), tmp_path, origins=("https://studio.example",)) as other:
        status, headers, _ = other.ask("GET", "/api/avatars", Origin="https://studio.example")
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://studio.example")
        assert other.ask("GET", "/api/avatars", Origin="https://evil.example")[0] == 403


def test_pages_are_closed_to_all_but_themselves(idle: Open) -> None:
    for path in ("/", "/watch/abc?key=x", "/assets/join.js", "/assets/page.css"):
        status, headers, body = idle.ask("GET", path, secret=None)
        assert status == 200 and body
        policy = headers["Content-Security-Policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/assets/none.js", "/assets/..%2freception.py", "/assets/%2e%2e", "/nothing"):
        assert idle.ask("GET", path, secret=None)[0] == 404


def test_bodies_are_bounded_whatever_they_say_of_themselves(idle: Open) -> None:
    assert idle.ask("POST", "/api/whip", "x" * (MOST_MESSAGE_BYTES + 1), **SDP)[0] == 413
    assert idle.ask("POST", "/api/whip", "x", **SDP, Content_Length="-5")[0] in (400, 413)
    endless = (b"x" * 8192 for _ in range(100))  # sent in chunks, without a length
    with suppress(ConnectionError):  # closed on what goes on and on
        assert idle.ask("POST", "/api/whip", endless, **SDP)[0] == 413  # type: ignore[arg-type]
    assert idle.ask("GET", "/health")[0] == 200


def test_health_and_readiness_are_two_things(opened: Open) -> None:
    assert opened.ask("GET", "/health", secret=None)[2] == b"ok"
    assert opened.ask("GET", "/ready", secret=None)[0] == 200
    opened.run(opened.reception.drain(0))
    assert opened.ask("GET", "/health", secret=None)[0] == 200
    status, _, body = opened.ask("GET", "/ready", secret=None)
    assert status == 503 and "stop" in json.loads(body)["why"]


def test_a_drain_refuses_newcomers_announces_waits_and_ends_what_is_left(narrow: Open) -> None:
    one = narrow.join()
    session = one.hear()["session"]
    other = narrow.join()
    assert other.hear() == {"line": 1}
    draining = asyncio.run_coroutine_threadsafe(narrow.reception.drain(0.4), narrow.loop)
    assert other.hear()["over"]["why"] == "closing"
    assert narrow.join().hear()["over"]["why"] == "closing"
    over = one.hear()["over"]
    assert over == {"why": "closing", "sentence": "The server stops. Thank you for coming.", "again": False}
    draining.result(10)
    told = [type(errand) for errand in narrow.hosts.errands[session]]
    assert told == [Announce, Leave]


def test_a_drain_ends_when_the_last_one_has_gone(opened: Open) -> None:
    session = opened.join().hear()["session"]
    draining = asyncio.run_coroutine_threadsafe(opened.reception.drain(600), opened.loop)
    opened.lose(session)
    draining.result(10)


def test_the_right_that_was_taken_back_ends_sessions_and_refuses_the_next(tmp_path: Path) -> None:
    listed = tmp_path / "revoked.txt"
    listed.write_text("", encoding="utf-8")
    with open_reception(AnsweringHosts(), tmp_path, revoked=listed) as opened:
        clock = FakeClock()
        opened.reception._clock = opened.reception._revocations._clock = clock
        one, other = opened.join(), opened.join(avatar="eileen_collins")
        one.hear(), other.hear()
        listed.write_text(portrait_sha256(sample_portrait_path()), encoding="utf-8")
        clock.advance_s(20)
        opened.run(opened.reception.look_after())
        assert one.hear()["over"]["why"] == "revoked"
        assert opened.reception.standing.sessions == 1, "the other one goes on"
        assert opened.join().hear()["over"]["why"] == "revoked"
        assert portrait_sha256(sample_portrait_path()) in opened.run(opened.reception.revoked())


def test_a_list_that_cannot_be_read_lets_nobody_in_and_after_a_while_ends_all(tmp_path: Path) -> None:
    listed = tmp_path / "revoked.txt"
    listed.write_text("", encoding="utf-8")
    with open_reception(AnsweringHosts(), tmp_path, revoked=listed) as opened:
        clock = FakeClock()
        opened.reception._clock = opened.reception._revocations._clock = clock
        one = opened.join()
        one.hear()
        listed.write_text("no entry at all", encoding="utf-8")
        clock.advance_s(21)
        told = opened.join().hear()["over"]
        assert "cannot be read" in told["sentence"] and str(tmp_path) not in told["sentence"]
        assert opened.ask("GET", "/ready")[0] == 503
        opened.run(opened.reception.look_after())
        assert opened.reception.standing.sessions == 1, "it may be mended"
        clock.advance_s(21)
        opened.run(opened.reception.look_after())
        assert one.hear()["over"]["why"] == "revoked"


def test_a_host_that_asks_for_nothing_any_more_is_taken_for_lost(tmp_path: Path) -> None:
    hosts = AnsweringHosts()
    hosts.fetches = False
    with open_reception(hosts, tmp_path) as opened:
        clock = FakeClock(time.monotonic_ns())
        opened.reception._clock = clock
        one = opened.join()
        one.hear()
        clock.advance_s(59)
        opened.run(opened.reception.look_after())
        clock.advance_s(3)
        opened.run(opened.reception.look_after())
        over = one.hear()["over"]
        assert (over["why"], over["again"]) == ("lost", True)


def test_a_host_whose_session_is_not_known_is_told_to_end_it(opened: Open) -> None:
    """As after a reception that was started anew: nobody there knows the session's right any more."""
    (errand,) = opened.run(opened.reception.errands("unknown"))
    assert isinstance(errand, Leave) and errand.over.again


def test_a_program_sends_by_whip_and_another_takes_by_whep(tmp_path: Path) -> None:
    ice = (IceServer("stun:stun.example:3478"), IceServer("turn:turn.example", "me", "pass"))
    with open_reception(AnsweringHosts(), tmp_path, ice_servers=ice) as opened:
        status, headers, answer = opened.ask(
            "POST", "/api/whip?avatar=grace_hopper", offer_of("camera"), **SDP
        )
        assert status == 201 and headers["Content-Type"].startswith("application/sdp")
        assert b"x-google-start-bitrate" in answer
        links = headers.get_all("Link")
        assert '<stun:stun.example:3478>; rel="ice-server"' in links
        assert any('credential="pass"' in link for link in links)
        watch = next(link for link in links if "text/html" in link)
        name, key = watch[1:].partition(">")[0].removeprefix("/watch/").split("?key=")
        status, seen, _ = opened.ask("POST", f"/api/whep/{name}", offer_of("watch"), secret=key, **SDP)
        assert status == 201
        assert json.loads(opened.ask("GET", f"/api/whep/{name}/ice", secret=key)[2])[1]["username"] == "me"
        assert opened.ask("DELETE", seen["Location"], secret=key)[0] == 200
        session = opened.hosts.asked[0].session
        wait_until(lambda: len(opened.hosts.errands.get(session, [])) == 2)
        came, went = opened.hosts.errands[session]
        assert isinstance(came, Watch) and went == Unwatch(came.errand)
        assert opened.ask("DELETE", headers["Location"], secret=NARROW)[0] == 404
        assert opened.ask("DELETE", headers["Location"])[0] == 200
        wait_until(lambda: not opened.hosts.inside)


@pytest.mark.slow
def test_pictures_flow_from_a_whip_client_and_to_a_whep_client(tmp_path: Path) -> None:
    hosts = MovingHosts()
    with open_reception(hosts, tmp_path) as opened:

        async def flow() -> tuple[int, int]:
            sender, taker = RTCPeerConnection(NOWHERE), RTCPeerConnection(NOWHERE)
            sender.addTransceiver(VideoStreamTrack(), direction="sendonly")
            await sender.setLocalDescription(await sender.createOffer())
            path, offer = "/api/whip?avatar=grace_hopper", sender.localDescription.sdp
            _, headers, answer = await asyncio.to_thread(opened.ask, "POST", path, offer, **SDP)
            await sender.setRemoteDescription(RTCSessionDescription(answer.decode(), "answer"))
            watch = next(one for one in headers.get_all("Link") or [] if "text/html" in one)
            name, key = watch[1:].partition(">")[0].removeprefix("/watch/").split("?key=")
            receiver = taker.addTransceiver("video", direction="recvonly").receiver
            await taker.setLocalDescription(await taker.createOffer())
            offer = taker.localDescription.sdp
            _, _, answer = await asyncio.to_thread(
                opened.ask, "POST", f"/api/whep/{name}", offer, secret=key, **SDP
            )
            await taker.setRemoteDescription(RTCSessionDescription(answer.decode(), "answer"))
            frame = await asyncio.wait_for(receiver.track.recv(), 20)
            await asyncio.to_thread(wait_until, lambda: any(map(len, hosts.received.values())))
            await asyncio.gather(sender.close(), taker.close())
            return frame.width, frame.height

        assert asyncio.run(flow()) == (640, 360)
        wait_until(lambda: not hosts.inside)


def test_whip_is_told_its_place_where_all_are_taken(narrow: Open) -> None:
    narrow.join().hear()
    status, headers, body = narrow.ask("POST", "/api/whip?avatar=grace_hopper", offer_of("camera"), **SDP)
    assert status == 503 and int(headers["Retry-After"]) > 0 and b"place 1 in line" in body
    wait_until(lambda: narrow.reception.standing.waiting == 0)


def test_whip_and_whep_refuse_what_they_should(opened: Open) -> None:
    path = "/api/whip?avatar=grace_hopper"
    assert opened.ask("POST", path, offer_of("camera"), secret=None, **SDP)[0] == 401
    assert opened.ask("POST", path, offer_of("camera"), secret="forged", **SDP)[0] == 401
    assert opened.ask("POST", path, offer_of("camera"), Content_Type="text/plain")[0] == 415
    assert opened.ask("POST", path, b"\xff\xff", **SDP)[0] == 400
    assert opened.ask("POST", path, "garbage", **SDP)[0] == 400
    assert opened.ask("POST", "/api/whip?avatar=none", offer_of("camera"), **SDP)[0] == 400
    assert opened.ask("POST", path + "&right=theft", offer_of("camera"), **SDP)[0] == 400
    assert opened.ask("PATCH", "/api/whip/abc", "", **SDP)[0] == 405
    watch = opened.join().hear()["watch"]
    name, key = watch.removeprefix("/watch/").split("?key=")
    assert opened.ask("POST", f"/api/whep/{name}", offer_of("watch"), secret="forged", **SDP)[0] == 400
    assert opened.ask("POST", "/api/whep/none", offer_of("watch"), secret=key, **SDP)[0] == 400
    assert opened.ask("POST", f"/api/whep/{name}", offer_of("data"), secret=key, **SDP)[0] == 400
    assert not opened.hosts.errands


def test_watchers_come_no_faster_than_they_may(tmp_path: Path) -> None:
    with open_reception(AnsweringHosts(), tmp_path, watches_per_minute=2) as opened:
        name, key = opened.join().hear()["watch"].removeprefix("/watch/").split("?key=")
        found = [
            opened.ask("POST", f"/api/whep/{name}", offer_of("watch"), secret=key, **SDP)[0] for _ in range(3)
        ]
        assert found == [201, 201, 503]


def test_the_log_names_sessions_and_no_secrets_addresses_or_offers(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        told = opened.join(driven_by="camera").hear()
        opened.lose(told["session"])
        wait_until(lambda: opened.reception.standing.sessions == 0)
    ours = " ".join(one.getMessage() for one in caplog.records if one.name.startswith("facepuppet"))
    assert told["session"] in ours
    for secret in (SECRET, told["watch"], told["back"], "candidate", "127.0.0.1", "ice-pwd", "192.0.2"):
        assert secret not in ours
