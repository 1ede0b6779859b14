"""Pictures are handed over when their last packet is here."""

from __future__ import annotations

import asyncio
import time

from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from webrtc_peers import Client, FaceTrack, run

from facepuppet.server.peer_connection import PeerConnection
from facepuppet.server.peer_source import PeerSource
from facepuppet.server.pictures_at_once import MarkedEndBuffer, hand_over_at_once


def packet(number: int, picture: int, last: bool = False) -> RtpPacket:
    made = RtpPacket(96, int(last), number & 0xFFFF, picture)
    made._data = bytes([number & 0xFF])  # type: ignore[attr-defined]
    return made


def given(buffer: JitterBuffer, *packets: RtpPacket) -> list[bytes]:
    """Whatever a buffer hands over of these."""
    frames = [buffer.add(one)[1] for one in packets]
    return [frame.data for frame in frames if frame is not None]


def buffer() -> MarkedEndBuffer:
    return MarkedEndBuffer(capacity=16, is_video=True)


def test_a_picture_is_there_with_its_last_packet() -> None:
    assert given(buffer(), packet(1, 10), packet(2, 10, True)) == [b"\1\2"]
    assert given(buffer(), packet(1, 10, True), packet(2, 20, True), packet(3, 30, True)) == [
        b"\1",
        b"\2",
        b"\3",
    ]


def test_packets_in_another_order_make_the_same_picture() -> None:
    one = buffer()
    assert given(one, packet(1, 10, True)) == [b"\1"]
    assert given(one, packet(3, 20, True), packet(2, 20)) == [b"\2\3"]


def test_a_picture_with_a_hole_waits_for_it() -> None:
    assert given(buffer(), packet(1, 10), packet(3, 10, True)) == []


def test_without_marks_pictures_come_as_before() -> None:
    packets = [packet(number, number // 2) for number in range(2, 12)]
    usual = JitterBuffer(capacity=16, is_video=True)
    assert given(buffer(), *packets) == given(usual, *packets) != []


def test_numbers_may_wrap() -> None:
    assert given(buffer(), packet(65535, 10), packet(65536, 10, True), packet(1, 20, True)) == [
        b"\xff\0",
        b"\1",
    ]


def test_a_receiver_of_another_make_is_left_as_it_is() -> None:
    assert not hand_over_at_once(None)
    assert not hand_over_at_once(object())  # type: ignore[arg-type]


def test_a_real_peer_of_two_pictures_a_second_is_seen_at_once() -> None:
    async def work() -> float:
        client = Client(sent := FaceTrack(fps=2.0))
        source = PeerSource()
        tasks = []

        def on_track(track, receiver):  # type: ignore[no-untyped-def]
            assert hand_over_at_once(receiver)
            tasks.append(asyncio.ensure_future(source.hear(track)))

        peer = PeerConnection(await client.offer(), (), on_track)
        await client.take(await peer.answer([]))
        late_s = []
        while len(late_s) < 3:
            arrived = source.arrived
            await client.until(lambda arrived=arrived: source.arrived > arrived)  # type: ignore[misc]
            newest_s = sent._begun_s + (sent._n - 1) / 2.0
            late_s.append(time.monotonic() - newest_s)
        await asyncio.gather(client.close(), peer.close())
        return min(late_s)

    assert run(work()) < 0.25  # half of a picture's time; aiortc alone takes all of it
