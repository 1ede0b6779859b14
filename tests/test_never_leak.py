"""The driver's camera picture reaches no output, whatever happens: from start-up to a crash."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from avatars import hopper
from fakes import PATIENCE_S, MemorySink, StreamingCamera, wait_until
from pictures import astronaut_rgb

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import StageError
from facepuppet.core.types import U8, Expression, Frame, Pixels
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked, detect

CANVAS = (640, 360)
MAGENTA = np.array([255, 0, 255], np.uint8)
UNSEEN = 2e-4  # a service ribbon of the portrait has the tint too, in some dozen pixels
ENOUGH = 30  # frames at 30 a second: a whole turn of the mark, found with a p-value of 1e-300


def magenta_share(rgb: U8) -> float:
    """Share of the pixels that have the tint of everything this driver's camera sees."""
    red, green, blue = (rgb[..., c].astype(int) for c in range(3))
    return float((np.minimum(red, blue) - green > 60).mean())


def wall() -> U8:
    """An empty room, magenta with stripes."""
    room = np.broadcast_to(MAGENTA, (360, 640, 3)).copy()
    room[:, ::16] = MAGENTA // 2
    return room


def room_with(*left_px: int) -> U8:
    """The room with a person at each place, in magenta light from head to toe."""
    room = wall()
    luma = astronaut_rgb().mean(axis=2, keepdims=True)
    person = np.concatenate([127 + luma / 2, luma / 2, 127 + luma / 2], axis=2).astype(np.uint8)
    height, width = person.shape[:2]
    for left in left_px:
        room[-height:, left : left + width] = person
    return room


class FailingTracker(Tracker):
    """The real tracker until it is told to fail."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.failing = False

    def track(self, frame: Frame) -> Tracking:
        if self.failing:
            raise RuntimeError("tracker told to fail")
        return super().track(frame)


class FailingPuppet(Puppet):
    """The real puppet until it is told to fail."""

    failing = False

    def start(self, expression: Expression) -> Callable[[], Marked]:
        if self.failing:
            raise RuntimeError("puppet told to fail")
        return super().start(expression)


class Show:
    """A live loop with a camera, a tracker and a puppet that can be made to fail."""

    def __init__(self, pixels: Pixels = Pixels.RGB) -> None:
        self.camera = StreamingCamera(wall(), fps=30.0)
        self.trackers: list[FailingTracker] = []
        composer = Composer(hopper(), CANVAS, label=Corner.OFF)
        self.puppet = FailingPuppet(hopper(), composer)
        self.sink = MemorySink(CANVAS, clock=SystemClock(), pixels=pixels)
        driver = CameraDriver(self.camera, Rest(settle_frames=1), self._make_tracker)
        self.loop = LivePipeline(driver, self.puppet, [self.sink], fps=30.0)

    def _make_tracker(self) -> FailingTracker:
        self.trackers.append(FailingTracker())
        return self.trackers[-1]

    def assert_safe(self, start: int = 0) -> None:
        """Everything sent since frame `start` is marked and shows nothing of the camera's picture."""
        frames = self.sink.frames[start:]
        assert frames
        assert all(isinstance(frame, Marked) for frame in frames)
        assert max(magenta_share(frame.rgb) for frame in frames) < UNSEEN
        if len(frames) >= ENOUGH:
            sent_s = [sent_ns * 1e-9 for sent_ns in self.sink.sent_ns[start:]]
            looks = [(frame.rgb, time_s) for frame, time_s in zip(frames, sent_s, strict=False)]
            assert detect(looks).marked
        assert all((frame.i420 is not None) == (self.sink.pixels is Pixels.I420) for frame in frames)


def test_the_tint_would_be_noticed() -> None:
    """What the assertions look for is all over the camera's picture and nowhere in the portrait."""
    assert magenta_share(room_with(40)) > 0.9
    assert magenta_share(hopper().portrait_rgb) < UNSEEN / 2


def test_nothing_leaks_from_start_to_crash() -> None:
    show = Show()
    with show.loop as live:
        live.start()
        for people in ([], [190], [], [20, 350], [190]):  # start-up, one, loss, two, one again
            show.camera.rgb = room_with(*people)
            start, seen = len(show.sink.frames), live.stats().frames_with_face
            wait_until(lambda start=start: len(show.sink.frames) >= start + ENOUGH)
            if people:
                wait_until(lambda seen=seen: live.stats().frames_with_face > seen)
            show.assert_safe(start)
        show.trackers[0].failing = True
        with pytest.raises(StageError, match="stage driver"):
            live.run(seconds=PATIENCE_S)
    show.assert_safe()


@pytest.mark.parametrize(
    ("crash", "stage"),
    [
        (lambda show: setattr(show.puppet, "failing", True), "puppet"),
        (lambda show: setattr(show.camera, "broken", RuntimeError("camera told to fail")), "driver"),
    ],
    ids=["puppet", "camera"],
)
@pytest.mark.parametrize("pixels", Pixels)
def test_nothing_leaks_when_a_stage_crashes(
    crash: Callable[[Show], None], stage: str, pixels: Pixels
) -> None:
    show = Show(pixels)
    show.camera.rgb = room_with(190)
    with show.loop as live:
        live.start()
        wait_until(lambda: live.stats().frames_with_face > 3)
        crash(show)
        with pytest.raises(StageError, match=f"stage {stage}"):
            live.run(seconds=PATIENCE_S)
    show.assert_safe()
