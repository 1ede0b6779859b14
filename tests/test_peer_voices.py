"""Peers without a camera: a voice drives the lips, or a text that is read out, and both are heard."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import PATIENCE_S, wait_until
from spoken import SHUT, jaw, silence, vowel, write_wav

pytest.importorskip("aiortc", reason="needs the extra 'server'")
from aiortc import RTCDataChannel
from peers import BLOCK, RATE_HZ, Ear, Microphone, connect, receiver_of, two_peers

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import ServerError
from facepuppet.drivers.base import Driver
from facepuppet.drivers.voice.saying import ESPEAK
from facepuppet.drivers.voice.script import MOST_CHARACTERS
from facepuppet.server.channel_lines import MOST_WAITING, ChannelLines
from facepuppet.server.messages import DrivenBy
from facepuppet.server.peer_sound import PeerSound
from facepuppet.server.peer_voices import open_voice_of_peer, speech_command

posix = pytest.mark.skipif(os.name != "posix", reason="commands of POSIX")
OPEN = 0.15  # of jawOpen, and the mouth moves


class Watched:
    """Reads a driver in a thread.

    Attributes:
        jaws: when each moment is of, and how far its jaw is open.
    """

    def __init__(self, driver: Driver) -> None:
        self.jaws: list[tuple[float, float]] = []
        self._driver = driver
        driver.start(SystemClock())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def opened(self) -> bool:
        """Whether the mouth was open once."""
        return any(value > OPEN for _, value in self.jaws)

    def close(self) -> None:
        """End the driver."""
        self._driver.close()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _read(self) -> None:
        while (expression := self._driver.read()) is not None:
            if expression.face is not None:
                self.jaws.append((expression.captured_ns * 1e-9, jaw(expression)))


def test_samples_on_the_data_channel_move_the_lips_and_silence_shuts_them() -> None:
    sound = PeerSound(lambda: 0.1, passed=True)
    watched = Watched(open_voice_of_peer(DrivenBy.VOICE, sound))
    talk = np.concatenate([silence(0.3, RATE_HZ), vowel(0.4, RATE_HZ)])
    for start in range(0, len(talk), BLOCK):
        sound.hear_samples(np.round(32_767 * talk[start : start + BLOCK]).astype("<i2").tobytes())
    wait_until(lambda: watched.opened and watched.jaws[-1][1] < SHUT)
    watched.close()
    sound.close()
    assert sound.ears.listeners == ()


async def _call(
    sound: PeerSound, ear: Ear, done: threading.Event, lines: ChannelLines | None = None
) -> list[str]:
    """Let a peer speak on a track, or send a line, until it is enough; what it was told."""
    told: list[str] = []
    async with two_peers() as (peer, host):

        def on_channel(channel: RTCDataChannel) -> None:
            @channel.on("message")
            def hear(message: str | bytes) -> None:
                try:
                    if isinstance(message, bytes):
                        sound.hear_samples(message)
                    elif lines is not None:
                        lines.put(message)
                except ServerError as error:
                    channel.send(str(error))

        channel = peer.createDataChannel("puppet")
        channel.on("message", told.append)
        host.on("datachannel", on_channel)
        host.on("track", lambda track: asyncio.ensure_future(sound.hear(track, receiver_of(host, track))))
        ear.listen_to(peer)
        if lines is None:
            peer.addTrack(Microphone(np.concatenate([silence(0.4, RATE_HZ), vowel(0.4, RATE_HZ)])))
        else:
            channel.on("open", lambda: [channel.send(one) for one in (b"\1\2\3", "/format c:", "Papa.")])
            peer.addTransceiver("audio", direction="recvonly")
        host.addTrack(sound.track())
        await connect(peer, host)
        await asyncio.to_thread(done.wait, PATIENCE_S)
        sound.close()
    return told


@pytest.mark.thorough
def test_a_voice_on_a_track_moves_the_lips_and_is_heard_over_the_network() -> None:
    sound, ear, done = PeerSound(lambda: 0.2, passed=True), Ear(), threading.Event()
    watched = Watched(open_voice_of_peer(DrivenBy.VOICE, sound))
    caller = threading.Thread(target=lambda: asyncio.run(_call(sound, ear, done)))
    caller.start()
    wait_until(lambda: watched.opened and ear.loud_s > 0.3)
    watched.close()
    done.set()
    caller.join(PATIENCE_S)


def read_out(command: str | None) -> tuple[Watched, Ear, list[str]]:
    """Let a peer's line be read out by a command over the network, and hear it."""
    sound, ear, lines, done = PeerSound(lambda: 0.1, passed=False), Ear(), ChannelLines(), threading.Event()
    watched = Watched(open_voice_of_peer(DrivenBy.TEXT, sound, lines=lines, command=command))
    told: list[str] = []
    caller = threading.Thread(target=lambda: told.extend(asyncio.run(_call(sound, ear, done, lines))))
    caller.start()
    wait_until(lambda: watched.opened and ear.loud_s > 0.1 and watched.jaws[-1][1] < SHUT)
    watched.close()
    done.set()
    caller.join(PATIENCE_S)
    return watched, ear, told


@posix
def test_a_line_is_read_out_with_moving_lips_and_what_is_no_line_is_told_of(tmp_path: Path) -> None:
    said = np.concatenate([silence(0.1), vowel(0.3), silence(0.1)])
    _, ear, told = read_out(f"cat {write_wav(tmp_path / 'said.wav', said)}")
    assert len(told) == 2 and "3 bytes of sound" in told[0] and "a command that is none" in told[1]
    assert 0.1 < ear.loud_s < 0.6  # once


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (Debian: espeak-ng)")
def test_espeak_reads_out_what_a_peer_writes() -> None:
    watched, ear, _ = read_out(speech_command(None))
    assert watched.opened and ear.loud_s > 0.1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing to say"),
        (" \n\t", "nothing to say"),
        ("/etc/passwd", "a command that is none"),
        ("ä" * 16_000, "32,000 bytes to say"),
    ],
)
def test_texts_that_will_not_do_are_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ServerError, match=told) as refused:
        ChannelLines().put(text)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


def test_lines_come_in_order_as_one_line_each_and_stop_overtakes_them() -> None:
    lines, heard = ChannelLines(), []
    for text in ("first\nof all", "//etc", "forgotten"):
        lines.put(text)
    lines.start(heard.append, lambda: None)
    wait_until(lambda: len(heard) == 3)
    assert heard == ["first of all", "//etc", "forgotten"]
    lines.close()
    waiting = ChannelLines()
    for _ in range(MOST_WAITING):
        waiting.put("word")
    with pytest.raises(ServerError, match="more to say than can wait"):
        waiting.put("word")
    waiting.put(" /STOP ")
    waiting.start(heard.append, lambda: None)
    wait_until(lambda: len(heard) == 4)
    waiting.close()
    assert heard[-1] == "/STOP"


@posix
def test_more_text_than_can_wait_is_refused_and_not_left_out_in_silence() -> None:
    sound, lines = PeerSound(lambda: 0.1, passed=False), ChannelLines()
    driver = open_voice_of_peer(DrivenBy.TEXT, sound, lines=lines, command="cat")
    for _ in range(MOST_CHARACTERS // 4000):
        lines.put("a b " * 999)
    with pytest.raises(ServerError, match="more to say than can wait"):
        lines.put("a b " * 999)
    driver.close()
    sound.close()


def test_a_server_on_which_nothing_speaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerError, match=r"no-such-speaker.*--say"):
        speech_command("no-such-speaker --loud")
    monkeypatch.setenv("PATH", "")
    assert speech_command(None) is None
    sound = PeerSound(lambda: None, passed=False)
    for command in (None, ESPEAK):
        with pytest.raises(ServerError, match="a server without a program that speaks") as refused:
            open_voice_of_peer(DrivenBy.TEXT, sound, command=command)
        assert "\n" not in str(refused.value)
    with pytest.raises(ServerError, match="driven by camera"):
        open_voice_of_peer(DrivenBy.CAMERA, sound)
