"""The live loop under normal running and under every failure we can cause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pytest
from fakes import PATIENCE_S, MemorySink, ScriptedTracker, StreamingCamera, wait_until
from pictures import nearest

from facepuppet.core import tolerance
from facepuppet.core.errors import CameraMissingError, OutputUnwritableError, StageError
from facepuppet.drivers.camera.camera_driver import CameraDriver, FrameTracker
from facepuppet.drivers.camera.rest import Rest
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.media.source import Source
from facepuppet.portrait.load import load_avatar, sample_portrait_path
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked

CANVAS = (256, 144)
LEAK = np.array([255, 0, 255], np.uint8)  # a colour that neither portrait nor background has


@lru_cache(maxsize=1)
def avatar():
    return load_avatar(sample_portrait_path())


def puppet() -> Puppet:
    return Puppet(avatar(), Composer(avatar(), CANVAS, label=Corner.OFF))


def camera() -> StreamingCamera:
    return StreamingCamera(np.broadcast_to(LEAK, (120, 160, 3)).copy())


def loop(
    source: Source, sinks: Sequence[MemorySink], tracker: Callable[[], FrameTracker] = ScriptedTracker
) -> LivePipeline:
    return LivePipeline(driver(source, tracker), puppet(), sinks, fps=60.0)


def driver(source: Source, tracker: Callable[[], FrameTracker] = ScriptedTracker) -> CameraDriver:
    return CameraDriver(source, Rest(settle_frames=1), tracker)


def assert_no_leak(frames: Sequence[Marked]) -> None:
    """No pixel may be nearer to the camera's colour than the portrait's own pixels ever are."""
    assert frames
    for frame in frames:
        assert nearest(frame.rgb, LEAK) > 60


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink(CANVAS)


def running() -> int:
    """Threads alive, without the painters' helper, which belongs to the puppet and lives as long."""
    return sum(not thread.name.startswith("painter") for thread in threading.enumerate())


def test_runs_until_the_source_ends_and_counts(sink: MemorySink) -> None:
    source = camera()
    source.last_frame = 30
    with loop(source, [sink]) as live:
        live.run()
        stats = live.stats()
    assert stats.frames_in == 30
    assert stats.frames_tracked == stats.frames_with_face == 30 - stats.dropped["track"]
    assert stats.frames_out + stats.frames_repeated == len(sink.frames)
    assert {"track", "render", "compose", "mark", "sink"} <= set(stats.stages)
    assert stats.first_frame_s is not None
    assert all(isinstance(frame, Marked) for frame in sink.frames)


def test_runs_for_the_seconds_asked_and_leaves_the_sink_open(sink: MemorySink) -> None:
    with loop(camera(), [sink]) as live:
        live.run(seconds=0.5)
    assert sink.frames
    assert not sink.closed and not sink.aborted


def test_every_thread_ends_and_the_tracker_is_closed(sink: MemorySink) -> None:
    before = running()
    trackers: list[ScriptedTracker] = []

    def make() -> ScriptedTracker:
        trackers.append(ScriptedTracker())
        return trackers[-1]

    with loop(camera(), [sink], make) as live:
        live.run(seconds=0.3)
    assert running() <= before
    assert trackers[0].closed


def test_puppet_moves_with_its_driver(sink: MemorySink) -> None:
    with loop(camera(), [sink]) as live:
        live.start()
        wait_until(lambda: len({frame.rgb.tobytes() for frame in sink.frames}) > 5)


def test_idle_portrait_flows_before_the_tracker_is_ready(sink: MemorySink) -> None:
    ready = threading.Event()

    def slow() -> ScriptedTracker:
        assert ready.wait(PATIENCE_S)
        return ScriptedTracker()

    with loop(camera(), [sink], slow) as live:
        live.start()
        wait_until(lambda: len(sink.frames) >= 5)
        assert live.stats().frames_tracked == 0
        assert_no_leak(sink.frames)
        ready.set()


def test_no_face_shows_the_idle_portrait_and_never_the_camera(sink: MemorySink) -> None:
    with loop(camera(), [sink], lambda: ScriptedTracker(sees=False)) as live:
        live.start()
        wait_until(lambda: live.stats().frames_tracked > 20)
    assert_no_leak(sink.frames)
    assert live.stats().frames_with_face == 0


def test_output_goes_on_while_the_camera_is_unplugged(sink: MemorySink) -> None:
    source = camera()
    with loop(source, [sink]) as live:
        live.start()
        wait_until(lambda: live.stats().frames_with_face > 5)
        source.plugged.clear()
        time.sleep(0.1)
        tracked, sent = live.stats().frames_tracked, live.stats().frames_out
        wait_until(lambda: live.stats().frames_out > sent + 20)
        assert live.stats().frames_tracked <= tracked + 2
        source.plugged.set()
        wait_until(lambda: live.stats().frames_tracked > tracked + 10)
    assert_no_leak(sink.frames)


def test_failing_tracker_ends_the_loop_with_one_error(sink: MemorySink) -> None:
    live = loop(camera(), [sink], lambda: ScriptedTracker(fails_at=5))
    with pytest.raises(StageError, match="stage driver") as caught:
        live.run(seconds=PATIENCE_S)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert_no_leak(sink.frames)


def test_tracker_that_cannot_open_ends_the_loop(sink: MemorySink) -> None:
    def impossible() -> ScriptedTracker:
        raise OSError("no model")

    with pytest.raises(StageError, match="no model"):
        loop(camera(), [sink], impossible).run(seconds=PATIENCE_S)


def test_failing_puppet_ends_the_loop(sink: MemorySink) -> None:
    broken = puppet()
    broken.start = lambda expression: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    live = LivePipeline(driver(camera()), broken, [sink])
    with pytest.raises(StageError, match="ZeroDivisionError in stage puppet"):
        live.run(seconds=PATIENCE_S)


def test_failing_sink_ends_the_loop(sink: MemorySink) -> None:
    failing = MemorySink(CANVAS, fails_at=3)
    with pytest.raises(StageError, match="stage sink"):
        loop(camera(), [failing]).run(seconds=PATIENCE_S)
    assert_no_leak(failing.frames)


def test_one_failing_sink_of_two_does_not_stop_the_other(sink: MemorySink) -> None:
    failing = MemorySink(CANVAS, fails_at=3)
    with loop(camera(), [failing, sink]) as live:
        live.start()
        wait_until(lambda: len(sink.frames) > 10)
    assert len(failing.frames) == 3 and failing.aborted


@pytest.mark.parametrize(
    "error",
    [CameraMissingError("a", "b", "Plug it in."), OutputUnwritableError("a", "b", "Free some space.")],
)
def test_known_errors_pass_unchanged(sink: MemorySink, error: Exception) -> None:
    source = camera()
    source.broken = error
    with pytest.raises(type(error)) as caught:
        loop(source, [sink]).run(seconds=PATIENCE_S)
    assert caught.value is error


def test_interrupt_stops_every_thread(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> None:
    before = running()
    live = loop(camera(), [sink])

    def interrupt(timeout: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(live._stopping, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.run(seconds=PATIENCE_S)
    assert running() <= before


def test_stop_is_safe_before_start_and_twice(sink: MemorySink) -> None:
    live = loop(camera(), [sink])
    live.stop()
    live.start()
    live.stop()
    live.stop()
    assert live.stats().seconds >= 0


@pytest.mark.slow
def test_memory_does_not_grow_with_time(sink: MemorySink) -> None:
    class Forgetful(MemorySink):
        def _write(self, frame: Marked, pts_s: float | None) -> None:
            pass

    with loop(camera(), [Forgetful(CANVAS)]) as live:
        live.start()
        time.sleep(4)
        early = live.stats().rss_mb
        time.sleep(12)
        assert live.stats().rss_mb < early + 20


def test_real_tracker_sees_a_second_face_but_shows_neither() -> None:
    """Two real faces before a distinctive wall: only the puppet leaves, whoever is tracked."""
    face = avatar().portrait_rgb[::2, ::2]
    wall = np.broadcast_to(LEAK, (face.shape[0] + 40, 2 * face.shape[1] + 120, 3)).copy()
    wall[20 : 20 + face.shape[0], 20 : 20 + face.shape[1]] = face
    wall[20 : 20 + face.shape[0], -20 - face.shape[1] : -20] = face[:, ::-1]
    sink = MemorySink(CANVAS)
    with LivePipeline(CameraDriver(StreamingCamera(wall, 15.0)), puppet(), [sink], fps=30.0) as live:
        live.start()
        wait_until(lambda: live.stats().frames_with_face >= 5)
    assert_no_leak(sink.frames)
