"""What is taken of a peer's pictures, and how a session's pictures go out and step down."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("aiortc", reason="needs the extra facepuppet[server]")

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from fakes import FakeClock, marked, picture

from facepuppet.server.messages import Picture
from facepuppet.server.peer_pictures import PeerPictures
from facepuppet.server.peer_source import PeerSource
from facepuppet.server.picture_steps import Flow, PictureGovernor, steps_of
from facepuppet.session.governor import Why

SIZE = (160, 128)


class Frames(MediaStreamTrack):
    """Gives some frames, a clock's time apart, and ends."""

    kind = "video"

    def __init__(self, clock: FakeClock, sizes: list[tuple[int, int]], every_s: float) -> None:
        super().__init__()
        self._clock, self._sizes, self._every_s = clock, sizes, every_s

    async def recv(self) -> av.VideoFrame:
        if not self._sizes:
            raise MediaStreamError
        self._clock.sleep_s(self._every_s)
        width, height = self._sizes.pop(0)
        return av.VideoFrame.from_ndarray(picture((width, height)), format="rgb24")


def heard(sizes: list[tuple[int, int]], every_s: float = 1 / 30, fps: float = 30.0) -> tuple[PeerSource, int]:
    """A source that heard frames, and how many it passed on."""
    clock = FakeClock()
    source = PeerSource(clock, fps)
    passed = []
    source._slot.put = passed.append  # type: ignore[method-assign]
    asyncio.run(source.hear(Frames(clock, list(sizes), every_s)))
    return source, len(passed)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ((640, 360), (640, 360)),
        ((360, 640), (360, 640)),
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((4000, 64), (1280, 20)),
        ((16, 16), (16, 16)),
    ],
)
def test_frames_of_any_size_and_turn_are_read_at_a_size_that_trackers_use(
    sent: tuple[int, int], read: tuple[int, int]
) -> None:
    clock = FakeClock()
    source = PeerSource(clock)
    asyncio.run(source.hear(Frames(clock, [sent], 1.0)))
    frame = source.read()
    assert frame is not None and frame.captured_ns == clock.now_ns()
    assert frame.rgb.shape == (read[1], read[0], 3) and source.size_px == read
    source.close()
    assert source.read() is None


def test_larger_pictures_than_a_host_can_afford_are_counted_and_left_out() -> None:
    source, passed = heard([(1922, 1090), (64, 64)])
    assert (source.arrived, source.large, passed) == (2, 1, 1)


def test_frames_beyond_the_rate_cost_nothing_and_slow_ones_all_pass() -> None:
    assert heard([SIZE] * 60, 1 / 60)[1] == 30
    assert heard([SIZE] * 30, 1 / 30, fps=15.0)[1] == 15
    assert heard([SIZE] * 30, 1 / 30)[1] == 30
    assert heard([SIZE] * 5, 1.0)[1] == 5


def test_a_track_gets_the_newest_picture_with_times_that_rise_and_a_still_one_seldom() -> None:
    async def work() -> list[av.VideoFrame]:
        clock = FakeClock()
        pictures = PeerPictures(SIZE, asyncio.get_running_loop(), clock)
        track, got = pictures.track(), []
        for n in range(6):
            clock.sleep_s(0.03)
            pictures.send(marked(frame_id=n))
            if n % 2:
                await asyncio.sleep(0)
                got.append(await track.recv())
        still = marked(frame_id=9)
        for _ in range(40):
            clock.sleep_s(0.05)
            pictures.send(still)
            await asyncio.sleep(0)
            if track._newest is not None:
                got.append(await track.recv())
        assert pictures.taken == len(got)
        pictures.close()
        await asyncio.sleep(0.01)
        with pytest.raises(MediaStreamError):
            await track.recv()
        return got

    got = asyncio.run(work())
    assert len(got) == 3 + 2  # two of each pair are one; a still one at first, and a second later
    assert all(one.pts < other.pts for one, other in pairwise(got))
    assert {one.format.name for one in got} == {"yuv420p"}


def test_a_session_that_steps_down_sends_smaller_pictures_less_often() -> None:
    async def work() -> list[av.VideoFrame]:
        clock = FakeClock()
        pictures = PeerPictures(SIZE, asyncio.get_running_loop(), clock)
        pictures.set_step((80, 64), 15.0)
        track, got = pictures.track(), []
        for n in range(30):
            clock.sleep_s(1 / 30)
            pictures.send(marked(frame_id=n % 2))
            await asyncio.sleep(0)
            if track._newest is not None:
                got.append(await track.recv())
        return got

    got = asyncio.run(work())
    assert len(got) == 15 and {(one.width, one.height) for one in got} == {(80, 64)}


def test_two_tracks_never_share_a_frame_that_an_encoder_writes_to() -> None:
    async def work() -> None:
        pictures = PeerPictures(SIZE, asyncio.get_running_loop(), FakeClock())
        one, other = pictures.track(), pictures.track()
        pictures.send(marked())
        frames = [await one.recv(), await other.recv()]
        assert frames[0] is not frames[1]
        frames[0].pict_type = av.video.frame.PictureType.I
        assert frames[1].pict_type == av.video.frame.PictureType.NONE
        assert pictures.taken == 1
        late = await asyncio.wait_for(pictures.track().recv(), 1)
        assert np.array_equal(late.to_ndarray(), frames[1].to_ndarray())

    asyncio.run(work())


def test_it_is_known_how_long_a_picture_takes_to_be_sent() -> None:
    async def work() -> float:
        clock = FakeClock()
        pictures = PeerPictures(SIZE, asyncio.get_running_loop(), clock)
        track = pictures.track()
        assert pictures.delay_s == 0.0
        asked = asyncio.ensure_future(track.recv())
        for n in range(4):
            clock.sleep_s(1.5)
            pictures.send(marked(frame_id=n))
            await asked
            clock.sleep_s(0.02)  # of encoding
            asked = asyncio.ensure_future(track.recv())
            await asyncio.sleep(0)
        asked.cancel()
        return pictures.delay_s

    assert asyncio.run(work()) == pytest.approx(0.02)


def test_what_is_not_marked_does_not_go_out() -> None:
    pictures = PeerPictures(SIZE, asyncio.new_event_loop(), FakeClock())
    with pytest.raises(TypeError, match="Marked"):
        pictures.send(picture(SIZE))  # type: ignore[arg-type]


def test_steps_go_down_in_rate_first_and_stay_even() -> None:
    steps = steps_of(Picture((642, 362), 30.0))
    assert [step.fps for step in steps] == [30, 20, 15, 15]
    assert all(side % 2 == 0 for step in steps for side in step.size_px)
    assert steps[0].size_px == steps[1].size_px == (642, 362) > steps[2].size_px > steps[3].size_px


def play(
    governor: PictureGovernor, seconds: float, made: float, cpu: float, start_s: float = 0.0
) -> list[Why]:
    """Let a session run in which a share of the frames becomes pictures in time."""
    arrived = taken = 0.0
    told = []
    for look in range(round(seconds / 0.5)):
        arrived += 15
        taken += min(15.0, governor.step.fps / 2) * made
        told.append(governor.look(Flow(int(arrived), int(taken), cpu), round((start_s + look / 2) * 1e9)))
    return [why for why in told if why is not None]


def test_a_busy_machine_steps_down_and_one_with_room_comes_back() -> None:
    governor = PictureGovernor(Picture())
    assert play(governor, 30, made=1.0, cpu=1.0) == []  # busy, but in time
    assert play(governor, 30, made=0.6, cpu=0.3, start_s=30) == []  # late, but not for want of processors
    assert set(play(governor, 20, made=0.6, cpu=1.0, start_s=60)) == {Why.LATE}
    assert governor.step.name == "least"
    assert set(play(governor, 120, made=1.0, cpu=0.3, start_s=80)) == {Why.ROOM}
    assert governor.step.name == "full"
