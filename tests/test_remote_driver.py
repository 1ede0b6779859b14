"""Another program's tracker drives by the network: real sockets, a fake clock."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import DriverError
from facepuppet.core.types import N_BLENDSHAPES, Blendshapes
from facepuppet.drivers.remote.greeter import Greeting
from facepuppet.drivers.remote.inbox import LOOPBACK, UdpInbox
from facepuppet.drivers.remote.protocol_names import PROTOCOL_NAMES
from facepuppet.drivers.remote.remote_driver import RemoteDriver
from facepuppet.drivers.remote.remote_rest import SETTLE_NS
from facepuppet.drivers.remote.remote_words import PROTOCOLS, open_remote
from facepuppet.drivers.remote.sender_clock import SenderClock
from facepuppet.face import ARKIT_INDEX
from facepuppet.testing import FakeClock
from facepuppet.wires import WireFace, WireSample
from facepuppet.wires.livelink import LiveLinkDecoder, LiveLinkEncoder

FRAME_NS = 16_666_667


class Phone:
    """Sends a face to a port, as Live Link Face does."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((LOOPBACK, port))
        self._encoder = LiveLinkEncoder()

    def say(self, t_s: float, jaw: float = 0.0, yaw: float = 0.0, *, face: bool = True) -> None:
        weights = np.zeros(N_BLENDSHAPES, np.float32)
        weights[ARKIT_INDEX["jawOpen"]] = jaw
        told = WireFace(weights, np.array([yaw, 0, 0], np.float32)) if face else None
        for packet in self._encoder.encode(WireSample(told, t_s)):
            self.send(packet)

    def send(self, packet: bytes) -> None:
        self._socket.send(packet)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def driver(clock: FakeClock) -> Iterator[RemoteDriver]:
    with RemoteDriver("Live Link Face", UdpInbox(LOOPBACK, 0, clock), LiveLinkDecoder) as opened:
        opened.start(clock)
        yield opened


@pytest.fixture
def phone(driver: RemoteDriver) -> Iterator[Phone]:
    caller = Phone(port_of(driver))
    yield caller
    caller.close()


def port_of(driver: RemoteDriver) -> int:
    return int(driver.description.split(":")[1].split()[0])


def settle(driver: RemoteDriver, phone: Phone, clock: FakeClock, yaw: float = 0.0) -> None:
    """Let a face be told until rest is known; its last expression is one at rest."""
    first_s = clock.now_ns() * 1e-9
    for n in range(2):
        phone.say(first_s + n * SETTLE_NS * 1e-9, yaw=yaw)
        driver.read()
        clock.advance_s(SETTLE_NS * 1e-9)


def jaw_of(driver: RemoteDriver) -> float:
    expression = driver.read()
    assert expression is not None and expression.face is not None
    assert isinstance(expression.face.deformation, Blendshapes)
    return float(expression.face.deformation.weights[ARKIT_INDEX["jawOpen"]])


def test_a_told_face_drives(driver: RemoteDriver, phone: Phone, clock: FakeClock) -> None:
    settle(driver, phone, clock)
    phone.say(9.0, jaw=0.6)
    assert jaw_of(driver) == pytest.approx(0.6)


def test_of_many_packets_that_wait_the_newest_counts(
    driver: RemoteDriver, phone: Phone, clock: FakeClock
) -> None:
    settle(driver, phone, clock)
    for n in range(20):
        phone.say(9.0 + n / 60, jaw=n / 20)
    assert jaw_of(driver) == pytest.approx(19 / 20)
    assert driver.dropped == 19


def test_the_way_the_phone_stands_is_no_turn(driver: RemoteDriver, phone: Phone, clock: FakeClock) -> None:
    settle(driver, phone, clock, yaw=0.4)
    phone.say(9.0, yaw=0.5)
    expression = driver.read()
    assert expression is not None and expression.face is not None
    assert np.linalg.norm(expression.face.head.turn) == pytest.approx(0.1, abs=1e-4)


def test_nobody_is_told_as_nobody(driver: RemoteDriver, phone: Phone, clock: FakeClock) -> None:
    settle(driver, phone, clock)
    phone.say(9.0, face=False)
    expression = driver.read()
    assert expression is not None and expression.face is None


def test_noise_is_counted_and_changes_nothing(driver: RemoteDriver, phone: Phone, clock: FakeClock) -> None:
    settle(driver, phone, clock)
    rng = np.random.default_rng(4)
    whole = LiveLinkEncoder().encode(WireSample(WireFace(np.zeros(52, np.float32), np.zeros(3, np.float32))))[
        0
    ]
    poisoned = whole[:-244] + np.full(61, np.nan, ">f4").tobytes()
    for n in range(30):
        phone.send(rng.bytes(int(rng.integers(1, 400))))
        phone.send(whole[: int(rng.integers(1, len(whole)))])
        phone.send(poisoned)
        if n == 20:
            phone.say(9.0, jaw=0.3)
    assert jaw_of(driver) == pytest.approx(0.3)
    assert driver.arrived == 93
    assert 80 <= driver.rejected <= 90  # a packet cut after its time code says that nobody is seen


def test_a_second_phone_waits_until_the_first_is_silent(
    driver: RemoteDriver, phone: Phone, clock: FakeClock
) -> None:
    settle(driver, phone, clock)
    phone.say(9.0, jaw=0.2)
    assert jaw_of(driver) == pytest.approx(0.2)
    other = Phone(port_of(driver))
    other.say(1.0, jaw=0.9)
    phone.say(9.1, jaw=0.3)
    assert jaw_of(driver) == pytest.approx(0.3)
    assert driver.rejected == 1
    clock.advance_s(2.0)
    other.say(2.0, jaw=0.8)
    assert jaw_of(driver) == pytest.approx(0.8)
    other.close()


def test_words_that_name_a_protocol_are_those_that_have_one() -> None:
    assert set(PROTOCOLS) == PROTOCOL_NAMES


def test_close_wakes_who_reads() -> None:
    driver = RemoteDriver("x", UdpInbox(LOOPBACK, 0, SystemClock()), LiveLinkDecoder)
    told: list[object] = ["nothing"]
    reader = threading.Thread(target=lambda: told.append(driver.read()))
    reader.start()
    driver.close()
    reader.join(10.0)
    assert told[-1] is None
    driver.close()


def test_a_port_that_is_taken_is_named(driver: RemoteDriver) -> None:
    with pytest.raises(DriverError, match=f"UDP port {port_of(driver)} on 127.0.0.1"):
        open_remote(f"livelink:{port_of(driver)}")


@pytest.mark.parametrize("word", ["livelink:0", "livelink:127.0.0.1:70000", "livelink:127.0.0.1:x"])
def test_a_port_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(DriverError, match="port"):
        open_remote(word)


@pytest.mark.parametrize(
    ("word", "heard"), [("livelink:{}", "this machine alone"), ("livelink:0.0.0.0:{}", "anybody")]
)
def test_it_says_who_can_drive(word: str, heard: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        free = probe.getsockname()[1]
    with open_remote(word.format(free)) as driver:
        assert heard in driver.description


def test_a_sender_that_must_be_asked_is_asked_again_and_again(clock: FakeClock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((LOOPBACK, 0))
        phone.settimeout(10.0)
        greeting = Greeting(lambda port: f"hello {port}".encode(), phone.getsockname(), 2.0)
        inbox = UdpInbox(LOOPBACK, 0, clock, greeting)
        expected = f"hello {inbox.address[1]}".encode()
        for _ in range(3):
            inbox.take(0.0)
            inbox.take(0.0)  # too soon for another
            assert phone.recv(100) == expected
            clock.advance_s(2.0)
        phone.setblocking(False)
        with pytest.raises(BlockingIOError):
            phone.recv(100)
        inbox.close()


def test_only_the_phone_that_was_named_is_heard(clock: FakeClock) -> None:
    inbox = UdpInbox(LOOPBACK, 0, clock, only_from="127.0.0.2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"me", inbox.address)
        assert inbox.take(0.2) == []
    assert inbox.heard_by == "127.0.0.2 alone"
    inbox.close()


def test_times_keep_the_senders_spacing_whatever_the_network_does() -> None:
    times, rng = SenderClock(), np.random.default_rng(1)
    told = [times.captured_ns(100 + n / 60, n * FRAME_NS + int(rng.uniform(0, 9e6))) for n in range(600)]
    spacing = np.diff(told[60:])
    assert np.abs(spacing - FRAME_NS).max() < 0.2e6


def test_a_sender_that_begins_anew_is_followed_at_once() -> None:
    times = SenderClock()
    for n in range(60):
        times.captured_ns(5000 + n / 60, n * FRAME_NS)
    assert times.captured_ns(0.0, 60 * FRAME_NS) == 60 * FRAME_NS


def test_clocks_that_drift_apart_stay_together() -> None:
    times = SenderClock()
    arrived = [n * FRAME_NS for n in range(60 * 60)]
    told = [times.captured_ns(arrived_ns * 1e-9 * 1.0003, arrived_ns) for arrived_ns in arrived]
    late = np.array(arrived) - np.array(told)
    assert late.min() >= 0
    assert late.max() < 4e6  # .3 ms a second over two windows


def test_no_time_told_is_the_time_of_arrival() -> None:
    times = SenderClock()
    assert times.captured_ns(None, 7) == 7
