"""What a driver does, told to other programs: real sockets, and what they hear."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from fakes import PATIENCE_S

from facepuppet.core.addresses import parted_address
from facepuppet.core.errors import SenderError
from facepuppet.core.types import Expression
from facepuppet.drivers import Driver, ScriptedDriver
from facepuppet.senders import Sender, SendingDriver, UdpSender, open_sender
from facepuppet.testing import ListDriver
from facepuppet.wires import Decoder, Encoder, WireFace, WireSample, sample_of_expression
from facepuppet.wires.livelink import LiveLinkDecoder, LiveLinkEncoder
from facepuppet.wires.vmc import VmcDecoder, VmcEncoder

PROTOCOLS = [
    pytest.param("livelink", LiveLinkDecoder, id="Live Link Face"),
    pytest.param("vmc", VmcDecoder, id="VMC"),
]


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(PATIENCE_S)
        yield bound


def piece(n: int) -> list[Expression]:
    """Every tenth moment of the built-in piece."""
    with ScriptedDriver(fps=3.0) as script:
        return list(islice(iter(script.read, None), n))


def hear(ear: socket.socket, decoder: Decoder) -> WireFace:
    """The next face that arrives whole."""
    while True:
        sample = decoder.decode(ear.recv(65_535))
        if sample is not None:
            assert sample.face is not None
            return sample.face


@pytest.mark.parametrize(("word", "make_decoder"), PROTOCOLS)
def test_what_a_driver_does_arrives(word: str, make_decoder: type[Decoder], ear: socket.socket) -> None:
    decoder, told = make_decoder(), piece(20)
    with SendingDriver(ListDriver(told), [open_sender(f"{word}:{ear.getsockname()[1]}")]) as driver:
        for expression in told:
            assert driver.read() is expression
            heard, expected = hear(ear, decoder), sample_of_expression(expression).face
            assert expected is not None
            np.testing.assert_allclose(heard.weights, expected.weights, atol=1e-6)
            np.testing.assert_allclose(heard.head_rad, expected.head_rad, atol=np.radians(0.1))


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        pytest.param(LiveLinkEncoder(), LiveLinkDecoder(), id="Live Link Face"),
        pytest.param(VmcEncoder(), VmcDecoder(), id="VMC"),
    ],
)
def test_eyes_arrive_by_eye(encoder: Encoder, decoder: Decoder) -> None:
    eyes = np.array([[0.3, -0.1], [-0.2, 0.15]], np.float32)
    told = WireFace(np.zeros(52, np.float32), np.zeros(3, np.float32), eyes)
    for _ in range(2):
        sample = [decoder.decode(packet) for packet in encoder.encode(WireSample(told, 1.0))][-1]
    assert sample is not None and sample.face is not None and sample.face.eyes_rad is not None
    np.testing.assert_allclose(sample.face.eyes_rad, eyes, atol=1e-4)


class Broken(Sender):
    def __init__(self) -> None:
        self.tried = 0

    def send(self, sample: WireSample) -> None:
        self.tried += 1
        raise OSError("the cable is out")

    def close(self) -> None:
        self.tried = -1


def test_a_sender_that_fails_is_told_once_and_stops_nobody(
    ear: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = Broken(), UdpSender("x", LiveLinkEncoder(), *ear.getsockname())
    told = piece(5)
    with SendingDriver(ListDriver(told), [broken, whole]) as driver:
        decoder = LiveLinkDecoder()
        for _ in told:
            driver.read()
            hear(ear, decoder)
        assert broken.tried == 5
    assert broken.tried == -1
    assert sum("the cable is out" in record.getMessage() for record in caplog.records) == 1


def test_nobody_who_hears_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with SendingDriver(ListDriver(piece(3)), [open_sender(f"vmc:{port}")]) as driver:
        while driver.read() is not None:
            pass
    assert not caplog.records


@pytest.mark.parametrize(
    ("word", "told"),
    [("osc", "one of vmc"), ("vmc:99999", "no port"), ("vmc:no.such.host.invalid:39539", "no address")],
)
def test_a_word_that_means_nothing_is_refused(word: str, told: str) -> None:
    with pytest.raises(SenderError, match=told):
        open_sender(word)


def test_the_driver_below_is_still_spoken_to(ear: socket.socket) -> None:
    class Asked(ListDriver):
        asked: float | None = None

        def set_smoothing(self, strength: float) -> None:
            Asked.asked = strength

        def look(self, width_px: int) -> bytes | None:
            return b"a picture"

    below: Driver = Asked([])
    with SendingDriver(below, []) as driver:
        driver.set_smoothing(2.0)
        assert Asked.asked == 2.0
        assert driver.look(100) == b"a picture"


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("", (None, None)),
        ("39540", (None, 39540)),
        ("studio", ("studio", None)),
        ("192.168.1.9:8000", ("192.168.1.9", 8000)),
        (":8000", (None, 8000)),
        ("[fe80::1]:8000", ("fe80::1", 8000)),
        ("fe80::1", ("fe80::1", None)),
    ],
)
def test_addresses_are_parted_as_people_type_them(word: str, parts: tuple[str | None, int | None]) -> None:
    assert parted_address(word) == parts
