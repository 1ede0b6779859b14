"""Whoever drives by the network goes on in a flood of noise, half packets and what is no number."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from fakes import PATIENCE_S
from openseeface_packets import block, packet

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.types import N_BLENDSHAPES, Expression
from facepuppet.drivers.remote.inbox import LOOPBACK, UdpInbox
from facepuppet.drivers.remote.remote_driver import RemoteDriver
from facepuppet.drivers.remote.remote_words import PROTOCOLS
from facepuppet.drivers.remote.tcp_inbox import TcpInbox
from facepuppet.face import ARKIT_NAMES
from facepuppet.testing import FakeClock
from facepuppet.wires import Encoder, WireFace, WireSample
from facepuppet.wires.ifacialmocap import IFacialMocapEncoder
from facepuppet.wires.livelink import LiveLinkEncoder
from facepuppet.wires.vmc import VmcEncoder

FRAME_S = 1 / 60
NOISE_A_SECOND = 1000
FLOOD_S = 2.0


def sample(t_s: float, yaw: float, weight: float = 0.2) -> WireSample:
    weights = np.full(N_BLENDSHAPES, weight, np.float32)
    return WireSample(WireFace(weights, np.array([yaw, 0.0, 0.0], np.float32)), t_s)


@dataclass(frozen=True)
class Voice:
    """How one protocol is spoken."""

    say: Callable[[float, float], Sequence[bytes]]  # at a time, of a yaw
    poisoned: Callable[[], Sequence[bytes]]  # numbers that are none


def of_encoder(encoder: Encoder) -> Voice:
    return Voice(
        lambda t_s, yaw: encoder.encode(sample(t_s, yaw)),
        lambda: encoder.encode(sample(1.0, math.nan, math.nan)),
    )


def of_ifacialmocap() -> Voice:
    encoder = IFacialMocapEncoder()
    return Voice(
        lambda t_s, yaw: encoder.encode(sample(t_s, yaw)),
        lambda: [told.replace(b"-20|", b"-nan|") for told in encoder.encode(sample(1.0, 0.0))],
    )


def of_vtube_phone() -> Voice:
    def say(t_s: float, yaw: float) -> list[bytes]:
        turned = {"x": math.degrees(yaw), "y": 0.0, "z": 0.0}
        told = {"Timestamp": 1000 * t_s, "FaceFound": True, "Rotation": turned}
        shapes = [{"k": name, "v": 0.2} for name in ARKIT_NAMES]
        return [json.dumps({**told, "BlendShapes": shapes}).encode()]

    return Voice(say, lambda: say(1.0, math.nan))


def poisoned_block() -> bytes:
    face = block(1.0)
    face["points_3d"] = np.nan
    return packet(face)


VOICES: dict[str, Callable[[], Voice]] = {
    "livelink": lambda: of_encoder(LiveLinkEncoder()),
    "vmc": lambda: of_encoder(VmcEncoder()),
    "ifacialmocap": of_ifacialmocap,
    "ifacialmocap-tcp": of_ifacialmocap,
    "vts": of_vtube_phone,
    "openseeface": lambda: Voice(
        lambda t_s, yaw: [packet(block(t_s, (yaw, 0.0, 0.0)))], lambda: [poisoned_block()]
    ),
}


class Stage:
    """A driver of one protocol, who speaks well to it, and who does not."""

    def __init__(self, word: str, clock: Clock) -> None:
        self.voice = VOICES[word]()
        mark = PROTOCOLS[word].end_mark
        inbox = UdpInbox(LOOPBACK, 0, clock) if mark is None else TcpInbox(LOOPBACK, 0, clock, mark)
        self.driver = RemoteDriver(PROTOCOLS[word].title, inbox, PROTOCOLS[word].decoder)
        self.driver.start(clock)
        kind = socket.SOCK_DGRAM if mark is None else socket.SOCK_STREAM
        # By UDP somebody else makes the noise; a stream has one speaker, whose noise ends in marks, too.
        self._sockets = [socket.socket(socket.AF_INET, kind) for _ in range(2 if mark is None else 1)]
        for one in self._sockets:
            one.connect(inbox.address)
        self._mark = mark or b""
        self._rng = np.random.default_rng(7)
        self._whole, self._poisoned = self.voice.say(1.0, 2.0), self.voice.poisoned()

    def say(self, t_s: float, yaw: float) -> None:
        for told in self.voice.say(t_s, yaw):
            self._sockets[0].sendall(told + self._mark)

    def make_noise(self) -> None:
        """One packet of noise, half a packet, or one of what is no number."""
        kind = self._rng.integers(3)
        whole = self._poisoned if kind == 2 else self._whole
        told = whole[int(self._rng.integers(len(whole)))]
        if kind == 0:
            told = self._rng.bytes(int(self._rng.integers(1, 2000)))
        elif kind == 1:
            # In a stream noise is the speaker's own, and with the head told it would be a face.
            whole_at = told.index(b"=head") if self._mark else len(told)
            told = told[: int(self._rng.integers(1, whole_at))]
        self._sockets[-1].sendall(told + self._mark)

    def settle(self, clock: FakeClock) -> None:
        """Let rest be known."""
        for n in range(31):
            self.say(n * FRAME_S, 0.0)
            self.driver.read()
            clock.advance_s(FRAME_S)

    def close(self) -> None:
        self.driver.close()
        for one in self._sockets:
            one.close()


def yaw_of(expression: Expression | None) -> float:
    assert expression is not None and expression.face is not None
    return -float(expression.face.head.turn[1])


@pytest.fixture(params=sorted(VOICES))
def word(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stage(word: str, clock: FakeClock) -> Iterator[Stage]:
    opened = Stage(word, clock)
    yield opened
    opened.close()


def test_a_flood_keeps_nobody_from_following(stage: Stage, clock: FakeClock) -> None:
    stage.settle(clock)
    for n in range(31, 51):
        for _ in range(8):
            stage.make_noise()
        stage.say(n * FRAME_S, 0.01 * n)
        for _ in range(8):
            stage.make_noise()
        assert yaw_of(stage.driver.read()) == pytest.approx(0.01 * n, abs=2e-3)
        clock.advance_s(FRAME_S)
    assert 100 < stage.driver.rejected <= 20 * 16


@pytest.mark.parametrize("word", sorted(PROTOCOLS), ids=str)
def test_noise_alone_is_nobody(word: str) -> None:
    decoder, rng = PROTOCOLS[word].decoder(), np.random.default_rng(3)
    driver = RemoteDriver(word, UdpInbox(LOOPBACK, 0, SystemClock()), lambda: decoder)
    port = driver._inbox.address
    with driver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
        noisy.connect(port)
        for _ in range(60):
            noisy.send(rng.bytes(int(rng.integers(1, 2000))))
        assert driver.heard.listen(driver._inbox.take(PATIENCE_S), 0) is None
        assert driver.rejected > 30


@pytest.mark.slow
def test_two_seconds_of_a_thousand_packets_each(word: str) -> None:
    stage = Stage(word, SystemClock())
    heard: list[Expression] = []

    def read() -> None:
        while (expression := stage.driver.read()) is not None:
            heard.append(expression)

    reader = threading.Thread(target=read)
    reader.start()
    begun_s, frames, noise = time.monotonic(), 0, 0
    while (passed_s := time.monotonic() - begun_s) < FLOOD_S:
        while frames < passed_s * 60:
            stage.say(begun_s + frames * FRAME_S, 0.002 * frames)
            frames += 1
        while noise < passed_s * NOISE_A_SECOND:
            stage.make_noise()
            noise += 1
        time.sleep(0.002)
    time.sleep(0.2)
    stage.close()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    turned = [yaw_of(expression) for expression in heard if expression.face is not None]
    assert np.all(np.diff(turned) > -1e-3)
    assert turned[-1] - turned[0] > 0.002 * 0.5 * frames  # followed, to the end
    assert stage.driver.rejected > noise / 3
