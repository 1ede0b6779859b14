"""A host's sessions, with real WebRTC peers over loopback."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Iterator

import av
import numpy as np
import pytest
from webrtc_peers import CONSENT, SHA, Client, FaceTrack, OneDesk, join_of, joined, run

from facepuppet.server import peer_presence, puppet_session, watchers
from facepuppet.server.messages import Announce, Answered, Leave, Over, Unwatch, Watch, Why
from facepuppet.server.session_host import SessionHost
from facepuppet.server.session_lines import NO_PICTURES
from facepuppet.watermark import detect


@pytest.fixture
def desk() -> OneDesk:
    return OneDesk()


@pytest.fixture
def host(desk: OneDesk) -> SessionHost:
    return SessionHost(desk)


@pytest.fixture(autouse=True)
def _leaves_no_threads() -> Iterator[None]:
    import threading

    before = {thread.name for thread in threading.enumerate()}
    yield
    left = {thread.name for thread in threading.enumerate()} - before
    assert not {
        name for name in left if name in ("capture", "driver", "puppet", "finish", "pacer", "quality")
    }


def test_a_peer_sees_the_puppet_and_hears_how_its_session_stands(host: SessionHost) -> None:
    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client) as told:
            await client.until(lambda: client.n > 20 and any(_face(one) for one in client.told))
            assert client.seen[-1].shape == (360, 640, 3)
            status = [one["status"] for one in client.told if "status" in one][-1]
            assert status["size"] == [640, 360] and status["step"] == "full" and status["watchers"] == 0
            assert host.taken == 1
        assert [one async for one in told] == [Over(Why.LEFT, "You have left.")]
        assert host.taken == 0

    run(work())


@pytest.mark.thorough
def test_of_who_has_left_nothing_is_kept(host: SessionHost) -> None:
    async def work() -> int:
        client = Client(FaceTrack())
        async with joined(host, client):
            await client.until(lambda: client.n > 2)
        await asyncio.sleep(0.1)
        return sum(isinstance(one, puppet_session.PuppetSession) for one in gc.get_objects())

    gc.collect()
    gc.disable()  # or Python might look by itself
    try:
        assert run(work()) == 0
    finally:
        gc.enable()


@pytest.mark.thorough
def test_who_sends_no_more_pictures_is_told_so(host: SessionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puppet_session, "STILL_S", 0.5)

    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client):
            await client.until(lambda: any(_face(one) for one in client.told))
            client.connection.getSenders()[0].replaceTrack(None)
            await client.until(lambda: bool(client.told and client.told[-1].get("status", {}).get("notes")))
            status = client.told[-1]["status"]
            assert status["face"] is False and status["notes"] == [NO_PICTURES]

    run(work())


@pytest.mark.thorough
def test_a_camera_that_never_sends_holds_no_place_however_much_its_page_talks(
    host: SessionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_presence, "SILENT_S", 1.0)

    async def work() -> None:
        track = FaceTrack()
        client = Client(track)
        client.connection.getSenders()[0].replaceTrack(None)
        told = host.perform(join_of(await client.offer()))
        answer = await anext(told)
        assert isinstance(answer, Answered)
        await client.take(answer.sdp)
        await client.until(lambda: client.channel is not None and client.channel.readyState == "open")
        client.say({"alive": 1})
        over = await anext(told)
        assert isinstance(over, Over) and over.why is Why.SILENT
        await client.close()

    run(work())


def test_what_a_peer_sees_is_the_portrait_and_never_its_own_picture(host: SessionHost) -> None:
    async def work() -> None:
        green = FaceTrack(rgb=np.full((64, 64, 3), (0, 255, 0), np.uint8))  # no face at all
        client = Client(green)
        async with joined(host, client):
            await client.until(lambda: client.n > 15)
        for seen in client.seen:
            assert (seen[..., 1].astype(int) - seen.max(-1, where=[True, False, True], initial=0)).max() < 60

    run(work())


@pytest.mark.thorough
def test_the_mark_is_found_in_what_a_peer_receives(host: SessionHost) -> None:
    async def work() -> list[np.ndarray]:
        client = Client(FaceTrack())
        async with joined(host, client):
            await client.until(lambda: client.n >= 240, 40)
        return client.seen[-180:]

    found = detect([(rgb, n / 30.0) for n, rgb in enumerate(run(work()))])
    assert found.best.payload is not None and found.best.payload.session == 7


def test_a_peer_may_handle_its_puppet_but_touches_nothing_else(host: SessionHost) -> None:
    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client):
            await client.until(lambda: client.n > 5 and bool(client.told))
            for message in (
                {"do": "background", "values": {"word": "#204060"}},
                {"do": "background", "values": {"word": "/etc/hostname"}},
                {"do": "record"},
                {"say": "hello"},
                "no json",
                b"\x00" * 9,
            ):
                client.say(message)
            await client.until(lambda: len(client.notes()) >= 5)
            assert "'record'" in " ".join(client.notes())
            assert "Got a background of another kind" in client.notes()[0]
            await client.until(
                lambda: bool(np.abs(client.seen[-1][20, 20] - np.array([32, 64, 96])).max() < 12)
            )

    run(work())


def test_who_watches_sees_the_same_and_only_so_many_can(host: SessionHost, desk: OneDesk) -> None:
    async def work() -> None:
        client = Client(FaceTrack())
        watcher = Client(watches=True, talks=False)
        async with joined(host, client):
            answer = await desk.ask(Watch("w1", await watcher.offer()))
            assert isinstance(answer, str)
            await watcher.take(answer)
            await watcher.until(lambda: watcher.n > 10)
            difference = np.abs(watcher.seen[-1].astype(int) - client.seen[-1].astype(int))
            assert difference.mean() < 4  # two encoders, and up to a frame apart
            others = [await desk.ask(Watch(f"w{n}", await _offer())) for n in range(2, 6)]
            assert [isinstance(other, str) for other in others] == [True, True, True, False]
            assert isinstance(others[-1], Over) and others[-1].why is Why.FULL
            desk.waiting.put_nowait(Unwatch("w1"))
            n = watcher.n
            await asyncio.sleep(0.5)
            assert watcher.n - n < 12
            assert isinstance(await desk.ask(Watch("bad", "v=0\r\n")), Over)
        await watcher.close()

    run(work())


async def _offer() -> str:
    client = Client(watches=True, talks=False)
    offer = await client.offer()
    await client.close()
    return offer


def test_the_reception_can_tell_a_peer_something_and_end_its_session(
    host: SessionHost, desk: OneDesk
) -> None:
    over = Over(Why.REVOKED, "The right to show this portrait was taken back.")

    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client) as told:
            await client.until(lambda: bool(client.told))
            desk.waiting.put_nowait(Announce("The server stops in 30 s."))
            desk.waiting.put_nowait(Leave(over))
            assert await anext(told) == over
            assert "The server stops in 30 s." in client.notes()
            await client.until(lambda: any("over" in one for one in client.told))

    run(work())


def test_a_session_outlives_whoever_listened_to_it(host: SessionHost) -> None:
    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client) as told:
            await client.until(lambda: client.n > 3)
            await told.aclose()  # type: ignore[attr-defined]
            n = client.n
            await client.until(lambda: client.n > n + 5)
            other = [one async for one in host.perform(join_of("", session="two"))]
            assert [one.why for one in other if isinstance(one, Over)] == [Why.OCCUPIED]
        await client.until(lambda: host.taken == 0)

    run(work())


def test_who_goes_before_the_answer_leaves_the_place_free(host: SessionHost) -> None:
    async def work() -> None:
        client = Client(FaceTrack())
        told = host.perform(join_of(await client.offer()))
        first = asyncio.ensure_future(anext(told))
        await client.until(lambda: host.taken == 1)
        first.cancel()
        await client.until(lambda: host.taken == 0)
        await client.close()

    run(work())


def test_an_errand_that_fails_stands_in_nobodys_way(
    host: SessionHost, desk: OneDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> str:
        raise RuntimeError("a wrong one")

    async def work() -> None:
        client = Client(FaceTrack())
        async with joined(host, client) as told:
            with monkeypatch.context() as patch:
                patch.setattr(watchers.Watchers, "answer", fail)
                answer = await desk.ask(Watch("w1", "any"))
            assert isinstance(answer, Over) and answer.why is Why.FAILED
            desk.waiting.put_nowait(Leave(over := Over(Why.LEFT, "You left.")))
            assert await anext(told) == over

    run(work())


def test_what_may_not_be_shown_is_refused(host: SessionHost, desk: OneDesk) -> None:
    async def only(**changes: str) -> Over:
        (over,) = [one async for one in host.perform(join_of("", **changes))]
        assert isinstance(over, Over)
        return over

    async def work() -> None:
        assert (await only(avatar="0" * 64)).why is Why.REFUSED
        assert (await only(consent=b"{}")).why is Why.REFUSED
        desk.entries = frozenset({CONSENT.id})
        assert (await only()).why is Why.REVOKED
        desk.entries = frozenset({SHA})
        assert (await only()).why is Why.REVOKED

    run(work())


@pytest.mark.parametrize(
    "offer", ["", "no SDP", "v=0\r\n", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "a=" * 9]
)
def test_an_offer_that_is_none_is_refused_in_one_line(host: SessionHost, offer: str) -> None:
    async def work() -> None:
        (over,) = [one async for one in host.perform(join_of(offer))]
        assert isinstance(over, Over) and over.why is Why.REFUSED and "offer" in over.sentence
        assert host.taken == 0

    run(work())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("constant", "why"), [("COMES_S", Why.LOST), ("SILENT_S", Why.SILENT), ("GONE_S", Why.LOST)]
)
def test_a_peer_that_never_comes_or_falls_silent_gives_its_place_up(
    host: SessionHost, monkeypatch: pytest.MonkeyPatch, constant: str, why: Why
) -> None:
    monkeypatch.setattr(peer_presence, constant, 0.3)

    async def work() -> None:
        client = Client(FaceTrack(), talks=constant != "SILENT_S")
        if constant == "SILENT_S":
            client = Client(watches=True, talks=False)
        told = host.perform(join_of(await client.offer()))
        answer = await anext(told)
        assert isinstance(answer, Answered)
        if constant != "COMES_S":
            await client.take(answer.sdp)
        if constant == "GONE_S":
            await client.until(lambda: client.n > 3)
            client.connection.getSenders()[0].replaceTrack(None)
        over = await anext(told)
        assert isinstance(over, Over) and over.why is why and over.sentence
        await client.close()

    run(work())


@pytest.mark.thorough
def test_no_log_holds_an_offer_or_an_address(host: SessionHost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "facepuppet")

    async def work() -> str:
        client = Client(FaceTrack())
        offer = await client.offer()
        async with joined(host, client):
            await client.until(lambda: client.n > 3)
        return offer

    offer = run(work())
    assert "session one is over" in caplog.text
    told = [line for line in offer.splitlines() if len(line) > 12 and line in caplog.text]
    assert not told and "candidate" not in caplog.text


def _face(message: dict[str, object]) -> bool:
    status = message.get("status")
    return isinstance(status, dict) and bool(status["face"])


@pytest.mark.thorough
def test_a_camera_of_4k_is_asked_for_less_and_sent_away_if_it_goes_on(
    host: SessionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_presence, "LARGE_S", 1.0)

    async def work() -> None:
        client = Client(FaceTrack((3840, 2160), fps=2.0))
        told = host.perform(join_of(await client.offer()))
        answer = await anext(told)
        assert isinstance(answer, Answered)
        await client.take(answer.sdp)
        over = await anext(told)
        assert isinstance(over, Over) and over.why is Why.REFUSED and "1920x1080" in over.sentence
        await client.until(lambda: any("over" in one for one in client.told))
        assert any("ask" in one for one in client.told) and over.sentence in client.notes()
        await client.close()

    run(work())


@pytest.mark.thorough
def test_noise_on_its_port_and_in_its_pictures_ends_nothing(host: SessionHost) -> None:
    noise = np.random.default_rng(3)

    async def work() -> None:
        client = Client(track := NoisyTrack())
        async with joined(host, client):
            await client.until(lambda: client.n > 5)
            port = int(next(line.split()[5] for line in client.answer.splitlines() if "candidate" in line))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for first in range(256):  # STUN, DTLS, RTP and RTCP are told apart by the first byte
                    data = bytes([first]) + noise.bytes(int(noise.integers(0, 1200)))
                    stranger.sendto(data, (client.address, port))
            track.noise = noise
            await asyncio.sleep(0.5)
            track.noise = None
            n, n_told = client.n, len(client.told)
            await client.until(lambda: client.n > n + 20 and any(map(_face, client.told[n_told:])))

    run(work())


class NoisyTrack(FaceTrack):
    """Sends packets of noise in place of coded pictures, as long as it has any."""

    noise: np.random.Generator | None = None

    async def recv(self) -> av.VideoFrame:
        frame = await super().recv()
        if self.noise is None:
            return frame
        packet = av.Packet(self.noise.bytes(900))
        packet.pts, packet.time_base = frame.pts, frame.time_base
        return packet
