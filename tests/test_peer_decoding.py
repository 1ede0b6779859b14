"""A peer's pictures are decoded as far as a host can afford it, and no further once it is gone."""

from __future__ import annotations

import asyncio
import struct
import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("aiortc", reason="needs the extra facepuppet[server]")

from webrtc_peers import Client, FaceTrack, run

from facepuppet.server.peer_connection import PeerConnection
from facepuppet.server.peer_decoding import MOST_STREAMS, MOST_WAITING, Few, FewToDecode, bound_decoding
from facepuppet.server.peer_source import LARGE_PX, PeerSource

VP8, H264 = SimpleNamespace(mimeType="video/VP8"), SimpleNamespace(mimeType="video/H264")


def key_frame(width: int, height: int, *, first: int = 0x10) -> SimpleNamespace:
    return SimpleNamespace(
        data=bytes((first, 0, 0)) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0"
    )


def waiting(most_px: int = 0) -> tuple[FewToDecode, threading.Event, list[int]]:
    failed, large = threading.Event(), list[int]()
    return FewToDecode(failed, most_px, lambda: large.append(1)), failed, large


def test_what_waits_is_forgotten_where_a_decoder_cannot_keep_up() -> None:
    pictures, failed, _ = waiting()
    for n in range(MOST_WAITING):
        pictures.put((VP8, key_frame(n, 1)))
    assert not failed.is_set()
    pictures.put((VP8, newest := key_frame(640, 360)))
    assert failed.is_set() and pictures.qsize() == 1 and pictures.get() == (VP8, newest)


def test_the_end_waits_for_no_picture() -> None:
    pictures, _, _ = waiting()
    for n in range(5):
        pictures.put((VP8, key_frame(n, 1)))
    pictures.put(None)
    assert pictures.get() is None and pictures.empty()


@pytest.mark.parametrize(
    ("codec", "frame", "is_decoded"),
    [
        (VP8, key_frame(640, 360), True),
        (VP8, key_frame(1920, 1088), True),
        (VP8, key_frame(1088 | 0x4000, 1920 | 0xC000), True),  # the two bits above are a scale
        (VP8, key_frame(1922, 1088), False),
        (VP8, key_frame(1920, 1090), False),
        (VP8, key_frame(1922, 1088, first=0x11), True),  # no key frame: says nothing of its size
        (VP8, SimpleNamespace(data=b""), True),
        (H264, key_frame(1922, 1088), True),
    ],
)
def test_a_key_frame_tells_its_size_before_memory_is_taken_for_it(
    codec: SimpleNamespace, frame: SimpleNamespace, is_decoded: bool
) -> None:
    pictures, _, large = waiting(LARGE_PX)
    pictures.put((codec, frame))
    assert (pictures.qsize(), len(large)) == ((1, 0) if is_decoded else (0, 1))


def test_streams_that_a_peer_makes_up_push_out_older_ones() -> None:
    streams = Few()
    for n in range(MOST_STREAMS + 5):
        streams[n] = n
    assert list(streams) == list(range(5, MOST_STREAMS + 5))


def test_a_receiver_of_another_make_is_left_as_it_is() -> None:
    assert not bound_decoding(None)
    assert not bound_decoding(object())  # type: ignore[arg-type]


def test_a_real_peer_is_seen_through_a_bounded_decoder() -> None:
    async def work() -> int:
        client, source, tasks = Client(FaceTrack(fps=10.0)), PeerSource(), []

        def on_track(track, receiver):  # type: ignore[no-untyped-def]
            assert bound_decoding(receiver, LARGE_PX, source.leave_out)
            tasks.append(asyncio.ensure_future(source.hear(track)))

        peer = PeerConnection(await client.offer(), (), on_track)
        await client.take(await peer.answer([]))
        await client.until(lambda: source.arrived > 2)
        await asyncio.gather(client.close(), peer.close())
        return source.large

    assert run(work()) == 0
