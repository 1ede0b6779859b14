"""A phone that sends its face as one stream: a real one on this machine, cut and glued as networks do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from fakes import PATIENCE_S

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import DriverError
from facepuppet.core.types import N_BLENDSHAPES, Blendshapes
from facepuppet.drivers.remote.greeter import Greeting
from facepuppet.drivers.remote.inbox import LOOPBACK, MOST_BYTES, Packet
from facepuppet.drivers.remote.remote_driver import RemoteDriver
from facepuppet.drivers.remote.remote_rest import SETTLE_NS
from facepuppet.drivers.remote.remote_words import PROTOCOLS, open_remote
from facepuppet.drivers.remote.tcp_inbox import TcpInbox
from facepuppet.face import ARKIT_INDEX
from facepuppet.testing import FakeClock
from facepuppet.wires import WireFace, WireSample
from facepuppet.wires.ifacialmocap import IFacialMocapDecoder, IFacialMocapEncoder

MARK = b"___iFacialMocap"


def text(jaw: float) -> bytes:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = jaw
    (packet,) = IFacialMocapEncoder().encode(WireSample(WireFace(weights, np.zeros(3, np.float32))))
    return packet


class StreamingPhone:
    """Connects, and says what it is told to say."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._stream = socket.create_connection(address)
        self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, content: bytes) -> None:
        self._stream.sendall(content)

    def say(self, jaw: float) -> None:
        self.send(text(jaw) + MARK)

    def close(self) -> None:
        self._stream.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def inbox(clock: FakeClock) -> Iterator[TcpInbox]:
    with closing(TcpInbox(LOOPBACK, 0, clock, MARK)) as opened:
        yield opened


@pytest.fixture
def phone(inbox: TcpInbox) -> Iterator[StreamingPhone]:
    with closing(StreamingPhone(inbox.address)) as caller:
        inbox.take(PATIENCE_S)  # takes the connection
        yield caller


def heard(inbox: TcpInbox, n: int) -> list[bytes]:
    """The next n packets."""
    packets: list[Packet] = []
    end_s = time.monotonic() + PATIENCE_S
    while len(packets) < n and time.monotonic() < end_s:
        packets += inbox.take(0.2)
    return [packet.content for packet in packets]


def test_a_stream_cut_anywhere_says_the_same(inbox: TcpInbox, phone: StreamingPhone) -> None:
    told = [text(0.2), text(0.7)]
    stream = b"".join(packet + MARK for packet in told)
    first = len(told[0])
    around_marks = [
        *range(first - 1, first + len(MARK) + 2),
        *range(len(stream) - len(MARK) - 1, len(stream)),
    ]
    for cut in [1, 100, *around_marks]:
        phone.send(stream[:cut])
        begun = [packet.content for packet in inbox.take(PATIENCE_S)]
        phone.send(stream[cut:])
        assert begun + heard(inbox, 2 - len(begun)) == told


def test_packets_that_come_glued_are_told_apart(inbox: TcpInbox, phone: StreamingPhone) -> None:
    told = [text(n / 100) for n in range(60)]
    phone.send(b"".join(packet + MARK for packet in told))
    assert heard(inbox, 60) == told


def test_a_mark_at_the_beginning_is_no_packet(inbox: TcpInbox, phone: StreamingPhone) -> None:
    phone.send(MARK + text(0.3) + MARK + MARK)
    assert heard(inbox, 1) == [text(0.3)]


def test_who_connects_anew_is_heard_at_once_and_half_a_packet_is_forgotten(clock: FakeClock) -> None:
    inbox = TcpInbox(LOOPBACK, 0, clock, MARK)
    with RemoteDriver("iFacialMocap", inbox, IFacialMocapDecoder) as driver:
        driver.start(clock)
        phone = StreamingPhone(inbox.address)
        settle(driver, phone, clock)
        phone.send(text(0.9)[:200])
        phone.close()
        with closing(StreamingPhone(inbox.address)) as again:
            again.say(0.4)
            assert jaw_of(driver) == pytest.approx(0.4)
        assert driver.rejected == 0


def test_a_newer_connection_takes_the_place_of_one_that_hangs(inbox: TcpInbox, phone: StreamingPhone) -> None:
    phone.send(text(0.9)[:300])
    inbox.take(PATIENCE_S)
    with closing(StreamingPhone(inbox.address)) as again:
        again.say(0.4)
        assert heard(inbox, 1) == [text(0.4)]


def test_only_the_phone_that_was_named_is_heard(clock: FakeClock) -> None:
    with closing(TcpInbox(LOOPBACK, 0, clock, MARK, only_from="127.0.0.2")) as inbox:
        with closing(StreamingPhone(inbox.address)) as stranger:
            stranger.say(0.4)
            assert inbox.take(0.2) == []
            assert inbox.take(0.1) == []
        assert inbox.heard_by == "127.0.0.2 alone"


def test_an_end_that_never_comes_is_counted_and_got_over(clock: FakeClock) -> None:
    inbox = TcpInbox(LOOPBACK, 0, clock, MARK)
    with (
        RemoteDriver("iFacialMocap", inbox, IFacialMocapDecoder) as driver,
        closing(StreamingPhone(inbox.address)) as phone,
    ):
        driver.start(clock)
        settle(driver, phone, clock)
        phone.send(b"jawOpen-9|" * (3 * MOST_BYTES // 10) + MARK)
        phone.say(0.4)
        assert jaw_of(driver) == pytest.approx(0.4)
        assert driver.rejected >= 1


def test_it_is_asked_for_until_it_comes_and_again_when_it_falls_silent(clock: FakeClock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((LOOPBACK, 0))
        ear.settimeout(PATIENCE_S)
        greeting = Greeting(lambda port: f"hello {port}".encode(), ear.getsockname(), 2.0)
        with closing(TcpInbox(LOOPBACK, 0, clock, MARK, greeting)) as inbox:
            expected = f"hello {inbox.address[1]}".encode()
            for _ in range(2):
                inbox.take(0.0)
                assert ear.recv(100) == expected
                clock.advance_s(2.0)
            with closing(StreamingPhone(inbox.address)) as phone:
                inbox.take(PATIENCE_S)
                assert ear.recv(100) == expected  # connected, but it said nothing yet
                for _ in range(3):
                    phone.say(0.1)
                    heard(inbox, 1)
                    clock.advance_s(1.9)
                    inbox.take(0.0)
                ear.setblocking(False)
                with pytest.raises(BlockingIOError):
                    ear.recv(100)
                clock.advance_s(2.0)
                inbox.take(0.0)
                assert ear.recv(100) == expected
                for _ in range(2):
                    phone.say(0.1)
                    heard(inbox, 1)
                    clock.advance_s(1.5)
            with pytest.raises(BlockingIOError):
                ear.recv(100)
            inbox.take(PATIENCE_S)  # hears that the phone hung up
            inbox.take(0.0)
            assert ear.recv(100) == expected


@pytest.mark.parametrize("word", ["ifacialmocap-tcp", "facemotion3d-tcp", "facemotion3d"])
@pytest.mark.parametrize("nth", [0, -1], ids=["usual port", "other port"])
def test_an_app_on_this_machine_is_asked_and_drives(word: str, nth: int) -> None:
    protocol = PROTOCOLS[word]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:
        try:
            app.bind(("127.0.0.2", protocol.asked_port))
            opened = open_remote(f"{word}:127.0.0.2")
        except (OSError, DriverError) as error:
            pytest.skip(f"no such app can be played here: {error}")
        app.settimeout(PATIENCE_S)
        with opened as driver:
            driver._inbox.take(0.0)
            asked, _ = app.recvfrom(1000)
            assert protocol.greeting is not None and asked == protocol.greeting(0)
            ours = driver._inbox.address[0], (protocol.port, *protocol.also)[nth]
            if protocol.end_mark is None:
                app.sendto(text(0.6), ours)
            else:
                stream = socket.create_connection(ours, source_address=("127.0.0.2", 0))
                stream.sendall(text(0.6) + protocol.end_mark)
                driver._inbox.take(PATIENCE_S)
            assert [packet.content for packet in driver._inbox.take(PATIENCE_S)] == [text(0.6)]
            if protocol.end_mark is not None:
                stream.close()


def test_after_close_nothing_comes() -> None:
    inbox = TcpInbox(LOOPBACK, 0, SystemClock(), MARK)
    inbox.close()
    assert inbox.take(1.0) == []
    inbox.close()


def settle(driver: RemoteDriver, phone: StreamingPhone, clock: FakeClock) -> None:
    """Let rest be known."""
    for _ in range(2):
        phone.say(0.0)
        driver.read()
        clock.advance_s(SETTLE_NS * 1e-9)


def jaw_of(driver: RemoteDriver) -> float:
    expression = driver.read()
    assert expression is not None and expression.face is not None
    assert isinstance(expression.face.deformation, Blendshapes)
    return float(expression.face.deformation.weights[ARKIT_INDEX["jawOpen"]])
