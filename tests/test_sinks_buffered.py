"""A stalled disk costs its own file pictures, and nobody else anything."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import av
import pytest
from avatars import hopper
from fakes import PATIENCE_S, FakeClock, MemorySink, marked, wait_until

from facepuppet import Composer, LivePipeline, Puppet
from facepuppet.core import side_thread
from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import OutputUnwritableError
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.sinks import Fanout, open_sink
from facepuppet.sinks import buffered as module
from facepuppet.sinks.buffered import Buffered
from facepuppet.sinks.video_file import VideoFile
from facepuppet.watermark import Marked

CANVAS = (256, 144)
SIZE_PX = (160, 128)


class Stalling(MemorySink):
    """A sink whose writes block for as long as its disk is stalled."""

    def __init__(self, size_px: tuple[int, int] = SIZE_PX, error: Exception | None = None) -> None:
        super().__init__(size_px)
        self.flows, self.began = threading.Event(), threading.Event()
        self._failure = error

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        self.began.set()
        assert self.flows.wait(PATIENCE_S)
        if self._failure is not None:
            raise self._failure
        super()._write(frame, pts_s)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for four frames."""
    monkeypatch.setattr(module, "MOST_BYTES", 4 * 3 * SIZE_PX[0] * SIZE_PX[1])


def test_frames_come_in_order_with_the_time_at_which_they_were_sent() -> None:
    clock, slow = FakeClock(), Stalling()
    with Buffered(slow, clock) as sink:
        for number in range(5):
            sink.send(marked(frame_id=number))
            clock.advance_s(0.25)
        sink.send(marked(frame_id=5), pts_s=9.0)
        slow.flows.set()
    assert [frame.frame_id for frame in slow.frames] == [0, 1, 2, 3, 4, 5]
    assert slow.times_s == [0.0, 0.25, 0.5, 0.75, 1.0, 9.0]
    assert slow.closed and not slow.aborted


def test_what_finds_no_room_is_left_out_counted_and_told(
    small: None, caplog: pytest.LogCaptureFixture
) -> None:
    clock, slow = FakeClock(), Stalling()
    sink = Buffered(slow, clock)
    sink.send(marked())
    assert slow.began.wait(PATIENCE_S)
    for number in range(1, 11):
        clock.advance_s(1.0)
        sink.send(marked(frame_id=number))
    assert sink.left_out == 6
    slow.flows.set()
    sink.close()
    assert slow.times_s == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert caplog.messages == ["memory cannot be written fast enough: parts are left out of it."]


def test_what_the_sink_meets_is_raised_where_frames_are_sent() -> None:
    slow = Stalling(error=OutputUnwritableError("a", "b", "Free some space."))
    slow.flows.set()
    sink = Buffered(slow, FakeClock())
    sink.send(marked())
    wait_until(lambda: slow.aborted)
    with pytest.raises(OutputUnwritableError):
        sink.send(marked())
    with pytest.raises(OutputUnwritableError):
        sink.close()


def test_an_error_of_the_last_frame_is_raised_at_the_end() -> None:
    slow = Stalling(error=OutputUnwritableError("a", "b", "Free some space."))
    fanout = Fanout([Buffered(slow, FakeClock()), other := MemorySink()])
    fanout.send(marked())
    slow.flows.set()
    with pytest.raises(OutputUnwritableError):
        fanout.close()
    assert slow.aborted and not slow.closed and other.closed and len(fanout.failures) == 1


def test_a_stalled_sink_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_thread, "GIVE_UP_S", 0.05)
    slow = Stalling()
    sink = Buffered(slow, FakeClock())
    sink.send(marked())
    sink.send(marked())
    assert slow.began.wait(PATIENCE_S)
    sink.abort()
    assert not slow.aborted
    slow.flows.set()
    wait_until(lambda: slow.aborted)
    assert len(slow.frames) == 1 and not slow.closed
    with pytest.raises(ValueError, match="closed"):
        sink.send(marked())


def test_ctrl_c_ends_the_wait_for_a_stalled_sink(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(side_thread, "TELL_S", 0.05)
    monkeypatch.setattr(side_thread, "GIVE_UP_S", 0.05)
    slow = Stalling()
    sink = Buffered(slow, FakeClock())
    sink.send(marked())
    assert slow.began.wait(PATIENCE_S)
    waits = []

    def interrupted(patience_s: float) -> bool:
        waits.append(patience_s)
        if len(waits) == 2:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(sink._thread, "_is_over", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sink.close()
    assert "Ctrl-C" in caplog.text
    slow.flows.set()
    wait_until(lambda: slow.aborted)


def test_a_live_file_is_buffered_and_an_offline_one_has_every_frame(tmp_path: Path) -> None:
    offline = open_sink(tmp_path / "a.mp4", SIZE_PX, 30)
    live = open_sink(tmp_path / "b.mp4", SIZE_PX, 30, clock=FakeClock())
    assert not isinstance(offline, Buffered) and isinstance(live, Buffered)
    offline.abort(), live.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_stalled_disk_does_not_stop_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The real loop into a real file whose writes block, and a sink beside it that gets every picture."""
    monkeypatch.setattr(module, "MOST_BYTES", 8 * 3 * CANVAS[0] * CANVAS[1])
    camera, file = (
        MemorySink(CANVAS, clock=SystemClock()),
        open_sink(tmp_path / "out.mp4", CANVAS, 30.0, clock=SystemClock()),
    )
    flows, stalled = threading.Event(), threading.Event()

    encode = VideoFile._write

    def stall(self: VideoFile, frame: Marked, pts_s: float | None) -> None:
        stalled.set()
        assert flows.wait(PATIENCE_S)
        encode(self, frame, pts_s)

    monkeypatch.setattr(VideoFile, "_write", stall)
    puppet = Puppet(hopper(), Composer(hopper(), CANVAS))
    with Fanout([file, camera]) as output, caplog.at_level(logging.WARNING):
        with LivePipeline(ScriptedDriver(60.0), puppet, [output], quality="low") as live:
            live.start()
            assert stalled.wait(PATIENCE_S)
            before = len(camera.frames)
            wait_until(lambda: len(camera.frames) > before + 45)
        flows.set()
    assert len([line for line in caplog.messages if "fast enough" in line]) == 1
    with av.open(str(tmp_path / "out.mp4")) as video:
        n = sum(1 for _ in video.decode(video=0))
    assert 8 < n < len(camera.frames)
