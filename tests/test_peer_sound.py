"""Sound of a session: as late as its pictures, without clicks or queues, whatever a peer sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import pytest
from fakes import PATIENCE_S, wait_until
from private_pulse import Pace
from spoken import vowel

pytest.importorskip("aiortc", reason="needs the extra 'server'")
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from peers import (
    BLOCK,
    BLOCK_S,
    OPUS,
    RATE_HZ,
    Ear,
    Microphone,
    clicks,
    connect,
    frame_of,
    receiver_of,
    two_peers,
)

from facepuppet.core.errors import ServerError
from facepuppet.server import sound_blocks
from facepuppet.server.arrival_times import ArrivalTimes
from facepuppet.server.heard_track import OPUS_S, HeardTrack
from facepuppet.server.packets_held import USUALLY_HELD, hold_less
from facepuppet.server.peer_sound import PeerSound
from facepuppet.server.sent_samples import MOST_WAITING_S, SentSamples
from facepuppet.server.sound_blocks import SoundBlocks, SoundTrack

thorough = pytest.mark.thorough
IN_TIME_S = 0.015  # of a machine whose wakings tell anything of delays


@pytest.fixture
def sound() -> Iterator[PeerSound]:
    made = PeerSound(lambda: 0.15, passed=True)
    yield made
    made.close()


def pcm(sound: np.ndarray) -> bytes:
    return np.round(32_767 * sound).astype("<i2").tobytes()


def test_the_time_of_speaking_is_known_though_packets_come_unevenly() -> None:
    times, random = ArrivalTimes(), np.random.default_rng(1)
    late_s = random.exponential(0.015, 3000)
    told = [times.sent_s(7.0 + i * BLOCK_S, 100.0 + i * BLOCK_S + late_s[i]) for i in range(3000)]
    errors_s = np.array(told) - 100.0 - BLOCK_S * np.arange(3000)
    assert np.abs(errors_s[100:]).max() < 0.003


def test_the_time_of_speaking_follows_a_clock_that_is_wrong_and_a_sender_that_begins_anew() -> None:
    times = ArrivalTimes()
    slow = [times.sent_s(i * BLOCK_S * (1 - 1e-4), i * BLOCK_S) - i * BLOCK_S for i in range(15_000)]
    assert np.abs(slow).max() < 0.003
    assert times.sent_s(3.0, 400.0) == 400.0
    assert times.sent_s(3.02, 400.02) == pytest.approx(400.02)


@pytest.mark.parametrize("longer_s", [0.04, 0.2])
def test_a_way_that_has_become_longer_is_found_out_and_a_hiccup_changes_nothing(longer_s: float) -> None:
    times, random = ArrivalTimes(), np.random.default_rng(2)

    def told(start: int, n: int, more_s: float) -> float:
        """By how much the last of some packets seems to have been sent late."""
        for i in range(start, start + n):
            at_s = i * BLOCK_S
            sent_s = times.sent_s(at_s, at_s + more_s + random.exponential(0.01))
        return sent_s - at_s

    assert abs(told(0, 500, 0.0)) < 0.003
    assert abs(told(500, 40, 0.5)) < 0.003
    assert abs(told(540, 460, 0.0)) < 0.003
    assert told(1000, 2000, longer_s) == pytest.approx(longer_s, abs=0.003)
    assert abs(told(3000, 20, 0.0)) < 0.003


def packet(n: int) -> RtpPacket:
    made = RtpPacket(sequence_number=n % 65_536, timestamp=n * BLOCK)
    made._data = b"%d" % n  # type: ignore[attr-defined]
    return made


def held_packets(buffer: JitterBuffer, numbers: Sequence[int]) -> list[int]:
    """How many packets later each comes out."""
    came = []
    for n in numbers:
        _, frame = buffer.add(packet(n))
        if frame is not None:
            came.append(n - int(frame.data))
    return came


def test_a_lost_packet_does_not_make_sound_late_for_good() -> None:
    lossy = [n for n in range(65_500, 65_700) if n not in (65_520, 65_600, 65_601, 65_602)]

    async def held() -> JitterBuffer:
        async with two_peers() as (here, there):
            here.addTrack(Microphone(clicks(1.0, 0.5)))
            receivers: list[RTCRtpReceiver] = []
            there.on("track", lambda track: receivers.append(receiver_of(there, track)))
            await here.setLocalDescription(await here.createOffer())
            await there.setRemoteDescription(here.localDescription)
            assert hold_less(receivers[0]) == 0
            return receivers[0]._RTCRtpReceiver__jitter_buffer

    buffer = asyncio.run(held())
    assert held_packets(buffer, lossy) == [0] * len(lossy)
    assert held_packets(buffer, [65_701, 65_700, 65_701, 65_702]) == [0, 0]  # late, or twice
    assert len(held_packets(buffer, [65_000, 65_001])) == 2  # begun anew
    empty = packet(65_002)
    empty._data = b""  # type: ignore[attr-defined]
    assert buffer.add(empty) == (False, None)
    usual = held_packets(JitterBuffer(capacity=16, prefetch=4), lossy)
    assert (
        usual[0] == USUALLY_HELD and min(usual[-50:]) > 2 * USUALLY_HELD
    )  # else this is not needed any more


def test_where_aiortc_has_changed_inside_it_holds_what_it_held() -> None:
    assert hold_less(None) == USUALLY_HELD
    assert hold_less(object()) == USUALLY_HELD  # type: ignore[arg-type]


def taken(
    track: HeardTrack, numbers: Sequence[int], hz: int = RATE_HZ, channels: int = 1
) -> list[tuple[np.ndarray, float]]:
    """Let frames of a tone be taken, each 20 ms long, 0.1 s after it was sent."""
    n = hz // 50
    came = []
    for number in numbers:
        tone = np.sin(2 * np.pi * 440 * (number * n + np.arange(n)) / hz)
        samples = np.repeat(np.round(9000 * tone).astype(np.int16), channels)
        frame = frame_of(samples, number * n, hz, "mono" if channels == 1 else "stereo")
        came += track.take(frame, (number + 1) * BLOCK_S + 0.1)
    return came


@pytest.mark.parametrize(("hz", "channels"), [(48_000, 2), (8_000, 1)])
def test_sound_of_every_codec_is_heard_with_the_time_at_which_it_was_spoken(hz: int, channels: int) -> None:
    came = taken(HeardTrack(held=1), range(50), hz, channels)
    assert [len(sound) for sound, _ in came] == [hz // 50] * 50
    assert max(np.abs(sound).max() for sound, _ in came) == pytest.approx(9000 / 32_768, rel=0.02)
    ended_s = np.array([ended for _, ended in came])
    assert np.allclose(ended_s, 0.1 + BLOCK_S * np.arange(1, 51) - BLOCK_S - OPUS_S, atol=1e-3)


def test_a_hole_of_lost_packets_is_filled_without_a_click() -> None:
    came = taken(HeardTrack(held=1), [*range(10), *range(12, 20)])
    whole = np.concatenate([sound for sound, _ in came])
    assert len(whole) == 20 * BLOCK
    step = np.abs(np.diff(taken(HeardTrack(1), range(20))[5][0])).max()
    assert np.abs(np.diff(whole)).max() < 1.5 * step
    hole = whole[10 * BLOCK + RATE_HZ // 100 : 12 * BLOCK]
    assert not hole.any()


def test_what_comes_after_what_follows_it_is_left_out_and_so_is_a_flood() -> None:
    assert len(taken(HeardTrack(1), [0, 1, 2, 4, 3, 5])) == 5
    track, silent = HeardTrack(1), np.zeros(BLOCK, np.int16)
    flood = [one for n in range(5000) for one in track.take(frame_of(silent, n * BLOCK), 1.0 + n * 1e-3)]
    assert len(flood) * BLOCK_S < 8.0  # of 100 s that came in five
    pictures = frame_of(silent, 0)
    pictures.pts = None
    assert not list(HeardTrack(1).take(pictures, 0.0))


def test_samples_are_heard_at_the_pace_of_speech_to_the_last() -> None:
    sent, sound = SentSamples(), vowel(0.35, RATE_HZ)
    for start in range(0, len(sound), 4000):
        sent.put(pcm(sound[start : start + 4000]))
    heard = [block for _ in range(40) if (block := sent.take(BLOCK)) is not None]
    whole = np.concatenate(heard)
    assert np.allclose(whole[: len(sound)], sound, atol=1e-4) and not whole[len(sound) :].any()
    assert len(heard) == 18


def test_what_little_is_sent_is_heard_too_but_not_before_it_may_flow() -> None:
    sent = SentSamples()
    sent.put(pcm(vowel(0.02, RATE_HZ)))
    heard = [sent.take(BLOCK) for _ in range(10)]
    assert heard[0] is None and sum(one is not None for one in heard) == 1


def test_a_peer_whose_clock_is_fast_is_not_late_for_ever() -> None:
    sent, talk = SentSamples(), np.concatenate([vowel(0.5, RATE_HZ), np.zeros(RATE_HZ // 2, np.float32)])
    waits = []
    for i in range(3000):
        sent.put(pcm(np.take(talk, np.arange(i * 965, (i + 1) * 965), mode="wrap")))
        sent.take(BLOCK)
        waits.append(len(sent._waiting) / 2 / RATE_HZ)
    assert max(waits) < 0.2  # of 0.3 s that came too many


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"", "0 bytes of sound"),
        (b"\0" * 959, "959 bytes of sound"),
        (b"\0" * 9602, "9,602 bytes of sound at once"),
    ],
)
def test_messages_that_are_no_sound_are_refused_in_one_line(
    message: bytes, told: str, sound: PeerSound
) -> None:
    with pytest.raises(ServerError, match=told) as refused:
        sound.hear_samples(message)
    assert "\n" not in str(refused.value)


def test_noise_of_any_bytes_is_bounded(sound: PeerSound) -> None:
    random, sent = np.random.default_rng(3), SentSamples()
    with pytest.raises(ServerError, match="faster than it can be heard"):
        for _ in range(1000):
            sent.put(random.bytes(9600))
    assert len(sent._waiting) <= 2 * RATE_HZ * (MOST_WAITING_S + 0.1)
    assert float(np.abs(sent.take(BLOCK)).max()) <= 1.0


def test_a_listener_that_fails_hears_no_more_and_the_others_go_on(
    sound: PeerSound, caplog: pytest.LogCaptureFixture
) -> None:
    heard = []

    def fails(*_: object) -> None:
        raise ValueError

    sound.ears.listeners = (fails, lambda block, rate_hz, ended_s: heard.append(rate_hz))
    for _ in range(2):
        sound.ears.hear(np.zeros(BLOCK, np.float32), RATE_HZ, 0.0)
    assert heard == [RATE_HZ] * 2 and len(caplog.records) == 1


def test_the_peer_is_not_heard_where_it_is_not_passed_on_or_muted() -> None:
    async def loudest(*, passed: bool, muted: bool) -> float:
        sound, most = PeerSound(lambda: 0.05, passed=passed), 0
        sound.ears.muted = muted
        for _ in range(10):
            sound.hear_samples(pcm(vowel(0.1, RATE_HZ)))
        track = sound.track()
        for _ in range(27):
            most = max(most, int(np.abs((await track.recv()).to_ndarray()).max()))
        sound.close()
        return most / 32_768

    async def each() -> list[float]:
        return await asyncio.gather(
            loudest(passed=True, muted=False),
            loudest(passed=True, muted=True),
            loudest(passed=False, muted=False),
        )

    heard, muted, kept = asyncio.run(each())
    assert heard > 0.2 and muted == kept == 0.0


def test_tracks_end_with_the_session_and_never_before(sound: PeerSound) -> None:
    async def read() -> None:
        first, second = sound.track(), sound.track()
        for _ in range(5):
            assert (await first.recv()).samples == (await second.recv()).samples == BLOCK
        sound.close()
        for track in (first, second):
            with pytest.raises(MediaStreamError):
                await track.recv()
            assert track.readyState == "ended"

    asyncio.run(read())


def test_a_track_that_is_read_late_goes_on_with_what_is_new_and_nothing_piles_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sound_blocks, "KEPT", 4)
    blocks = SoundBlocks(lambda out, starts_s: out.fill(0.5))

    async def read() -> list[int]:
        track = SoundTrack(blocks)
        blocks.start()
        pts = [(await track.recv()).pts]
        await asyncio.to_thread(wait_until, lambda: blocks.newest > 12)
        pts.append((await track.recv()).pts)
        return pts

    first, late = asyncio.run(read())
    blocks.close()
    assert first == 0 and late >= 12 * BLOCK and len(blocks._kept) == 4
    assert not blocks.block(0).any() and blocks.block(blocks.newest).any()


def test_a_block_that_fails_is_silence(caplog: pytest.LogCaptureFixture) -> None:
    def fails(out: np.ndarray, starts_s: float) -> None:
        raise ValueError

    blocks = SoundBlocks(fails)
    blocks.start()
    wait_until(lambda: blocks.newest > 1)
    blocks.close()
    assert not blocks.block(1).any() and "not made" in caplog.text


@thorough
@pytest.mark.parametrize(("ppm", "loss"), [(100.0, 0.0), (-80.0, 0.02)])
def test_clocks_that_differ_lost_packets_and_slower_pictures_are_followed_without_a_click(
    ppm: float, loss: float
) -> None:
    """A minute and a half of a tone in simulated time, in which pictures become 25 ms slower."""
    seconds, random = 90.0, np.random.default_rng(5)
    picture_s = 0.12
    sound, track = PeerSound(lambda: picture_s, passed=True), HeardTrack(held=0)
    times_s = BLOCK_S * np.arange(round(seconds / BLOCK_S))
    kept = random.random(len(times_s)) >= loss
    comes_s = np.maximum.accumulate(
        (times_s + BLOCK_S) * (1 + 1e-6 * ppm) + random.exponential(0.004, len(kept))
    )
    waiting = [(float(comes_s[i]), i) for i in np.flatnonzero(kept)]
    steps, before, worst_late_s = [], 0.0, 0.0
    for now_s in times_s + 0.007:
        while waiting and waiting[0][0] <= now_s:
            come_s, i = waiting.pop(0)
            tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(i * BLOCK, (i + 1) * BLOCK) / RATE_HZ)
            frame = frame_of(np.round(32_767 * tone).astype(np.int16), int(i) * BLOCK)
            for block, ended_s in track.take(frame, come_s):
                sound._hear(block, RATE_HZ, ended_s)
        picture_s = 0.12 + 0.025 * float(np.clip((now_s - 30.0) / 30.0, 0.0, 1.0))
        out = np.zeros(BLOCK, np.float32)
        sound._fill(out, float(now_s))
        steps.append(float(np.abs(np.diff(out, prepend=before)).max()))
        before = float(out[-1])
        if now_s > 10.0:
            assert sound.late_s is not None
            worst_late_s = max(worst_late_s, abs(sound.late_s))
    assert worst_late_s < 0.006
    assert max(steps) < 2.5 * 0.3 * 2 * np.pi * 300 / RATE_HZ


def heard_clicks(ear: Ear, spoken: Microphone, every_s: float) -> np.ndarray:
    """How late each click that an ear heard is, in s."""
    # A block's first sample belongs to the moment at which it leaves.
    heard_s = [
        sent_s + loud[0] / RATE_HZ - spoken.begun_s
        for sent_s, block in ear.blocks
        if len(loud := np.flatnonzero(np.abs(block) > 0.1))
    ]
    first_s = [
        one for one, before in zip(heard_s, [-np.inf, *heard_s], strict=False) if one - before > 0.5 * every_s
    ]
    return (np.array(first_s) - every_s / 2) % every_s


@pytest.mark.parametrize("asked_s", [0.15, pytest.param(0.35, marks=thorough)])
def test_a_peer_is_heard_over_the_network_as_late_as_the_pictures(asked_s: float) -> None:
    every_s = 0.5

    async def talk() -> np.ndarray:
        sound, ear = PeerSound(lambda: asked_s, passed=True), Ear()
        spoken = Microphone(clicks(every_s, every_s))
        async with two_peers() as (peer, host):
            peer.addTrack(spoken)
            host.on("track", lambda track: asyncio.ensure_future(sound.hear(track, receiver_of(host, track))))
            host.addTrack(sound.track())
            ear.listen_to(peer)
            await connect(peer, host)
            await asyncio.sleep(asked_s + 1.8)
            sound.close()
        return heard_clicks(ear, spoken, every_s)

    with Pace() as pace:
        late_s = asyncio.run(talk())
    assert len(late_s) >= 2
    if pace.late_s > IN_TIME_S:
        pytest.skip(f"this machine wakes {1e3 * pace.late_s:.0f} ms late")
    assert abs(float(np.median(late_s[1:])) - asked_s) < 0.03


@thorough
def test_a_track_that_stalls_or_ends_is_silence_and_what_follows_is_heard(sound: PeerSound) -> None:
    async def talk() -> tuple[float, float, float]:
        ear, spoken = Ear(), Microphone(0.3 * np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ))
        async with two_peers() as (peer, host):
            sender = peer.addTrack(spoken)
            hearing: list[asyncio.Task[None]] = []
            host.on("track", lambda track: hearing.append(asyncio.ensure_future(sound.hear(track))))
            host.addTrack(sound.track())
            ear.listen_to(peer)
            await connect(peer, host)
            loud_s = []
            for track in (spoken, None, spoken):
                sender.replaceTrack(track)
                await asyncio.sleep(0.5)
                ear.blocks.clear()
                await asyncio.sleep(1.0)
                loud_s.append(ear.loud_s)
            await peer.close()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.gather(*hearing), PATIENCE_S)
            return loud_s[0], loud_s[1], loud_s[2]

    first, none, again = asyncio.run(talk())
    assert first > 0.7 and none < 0.05 and again > 0.7
    sound.hear_samples(pcm(vowel(0.1, RATE_HZ)))  # which would be refused beside a track


def test_what_opus_delays_is_what_is_taken_into_account() -> None:
    assert round(OPUS_S * RATE_HZ) == OPUS
