"""Offers of strangers and answers to them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aiortc", reason="needs the extra `server`")

from aiortc.sdp import SessionDescription
from receptions import offer_of

from facepuppet.core.errors import ServerError
from facepuppet.server.signalling import MOST_OFFER_BYTES, Part, checked_offer, sharp_answer

MDNS = "a=candidate:1 1 udp 2113937151 3b1f8a52-0001-4a3e-9d4c-0123456789ab.local 51472 typ host"
ANSWER = """v=0
m=audio 9 UDP/TLS/RTP/SAVPF 96
a=rtpmap:96 VP8/90000
m=video 9 UDP/TLS/RTP/SAVPF 97 98 99
a=rtpmap:97 VP8/90000
a=rtcp-fb:97 nack pli
a=rtpmap:98 rtx/90000
a=fmtp:98 apt=97
a=rtpmap:99 H264/90000
a=fmtp:99 profile-level-id=42e01f
""".replace("\n", "\r\n")


def with_lines(*lines: str, offer: str = "") -> str:
    return (offer or offer_of()) + "".join(f"{line}\r\n" for line in lines)


def test_a_real_offer_keeps_all_but_the_word_that_no_more_candidates_come() -> None:
    offer = offer_of("camera", "sound", "data")
    assert "end-of-candidates" in offer
    kept = checked_offer(offer, Part.CAMERA)
    lines = [line for line in offer.splitlines() if line != "a=end-of-candidates"]
    ours = [line for line in lines if not re.search(r"a=candidate:\S+ 1 udp \d+ (127\.|::1)", line)]
    assert kept.splitlines() == ours
    assert len(SessionDescription.parse(kept).media) == 3


@pytest.mark.parametrize(
    "candidate",
    [
        MDNS,
        "a=candidate:1 1 udp 1 example.com 80 typ host",
        "a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        "a=candidate:1 2 udp 1 192.0.2.1 5000 typ host",
        "a=candidate:1 1 udp 1 224.0.0.251 5353 typ host",
        "a=candidate:1 1 udp 1 127.0.0.1 22 typ host",
        "a=candidate:1 1 udp 1 0.0.0.0 5000 typ host",
        "a=candidate:1 1 udp 1 192.0.2.1 0 typ host",
        "a=candidate:1 1 udp 1 192.0.2.1 70000 typ host",
    ],
)
def test_candidates_of_no_use_are_left_out(candidate: str) -> None:
    assert checked_offer(with_lines(candidate), Part.CAMERA) == checked_offer(offer_of(), Part.CAMERA)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_udp_candidates_of_plain_addresses_stay(address: str) -> None:
    candidate = f"a=candidate:1 1 UDP 1 {address} 5000 typ srflx raddr 10.0.0.1 rport 4000"
    assert candidate in checked_offer(with_lines(candidate), Part.CAMERA)


@pytest.mark.parametrize(
    ("offer", "what"),
    [
        ("", "no SDP"),
        ("garbage", "no SDP"),
        ("v=0\r\n", "0 sections"),
        ("v=0\r\nm=video\r\n", "no SDP"),
        ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF abc\r\n", "no SDP"),
        ("\x00" * 1000, "no SDP"),
        ("v=0\r\n" + "a=x\r\n" * 1000, "lines"),
        ("v=0\r\na=" + "x" * MOST_OFFER_BYTES, "bytes"),
        ("v=0\r\na=\ud800", "no SDP"),
        ("v=0\r\na=fingerprint:sha-256\r\n", "no SDP"),
        ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=rtpmap:" + "9" * 9000 + " VP8/90000\r\n", "no SDP"),
        ("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:0\r\n", "keys"),
    ],
)
def test_garbage_is_refused_in_a_sentence(offer: str, what: str) -> None:
    with pytest.raises(ServerError, match=what):
        checked_offer(offer, Part.CAMERA)


def test_candidates_sections_and_keys_are_bounded() -> None:
    with pytest.raises(ServerError, match="65 candidates"):
        checked_offer("v=0\r\n" + (MDNS + "\r\n") * 65, Part.CAMERA)
    section = "m=video" + offer_of("camera").partition("m=video")[2]
    with pytest.raises(ServerError, match="several of a kind"):
        checked_offer(offer_of() + section, Part.CAMERA)
    keyless = re.sub(r"a=fingerprint:.*\r\n", "", offer_of())
    with pytest.raises(ServerError, match="keys"):
        checked_offer(keyless, Part.CAMERA)


@pytest.mark.parametrize(
    ("kinds", "fits"),
    [
        (("camera", "data"), {Part.CAMERA, Part.VOICE, Part.TEXT}),
        (("camera", "sound"), {Part.CAMERA, Part.VOICE, Part.WATCH}),
        (("watch", "data"), {Part.VOICE, Part.TEXT}),
        (("watch", "sound"), {Part.VOICE, Part.WATCH}),
        (("watch",), {Part.WATCH}),
        (("data",), set()),
    ],
)
def test_each_part_has_what_it_needs(kinds: tuple[str, ...], fits: set[Part]) -> None:
    found = set()
    for part in Part:
        try:
            checked_offer(offer_of(*kinds), part)
            found.add(part)
        except ServerError:
            pass
    assert found == fits


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_damage_anywhere_is_refused_or_leaves_an_offer(noise: bytes, at: int) -> None:
    offer = offer_of().encode()
    damaged = (offer[:at] + noise + offer[at + len(noise) :]).decode("utf-8", "replace")
    try:
        kept = checked_offer(damaged, Part.CAMERA)
    except ServerError:
        return
    assert SessionDescription.parse(kept).media


def test_an_answer_says_to_chromium_at_what_rate_to_start_and_is_else_as_it_was() -> None:
    sharp = sharp_answer(ANSWER, (640, 360))
    assert "a=rtpmap:97 VP8/90000\r\na=fmtp:97 x-google-start-bitrate=1500\r\n" in sharp
    assert sharp.replace("a=fmtp:97 x-google-start-bitrate=1500\r\n", "") == ANSWER
    assert "start-bitrate=2500" in sharp_answer(ANSWER, (1280, 720))


def test_parameters_that_vp8_has_already_stay() -> None:
    with_more = ANSWER.replace("a=rtcp-fb:97", "a=fmtp:97 max-fs=3600\r\na=rtcp-fb:97")
    assert "a=fmtp:97 max-fs=3600;x-google-start-bitrate=1500\r\n" in sharp_answer(with_more, (640, 360))
    assert sharp_answer("v=0\r\nm=audio 9 X 0\r\n", (640, 360)) == "v=0\r\nm=audio 9 X 0\r\n"
