"""A live loop whose camera sees people in green light (`leaks`), and that can be made to fail anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from avatars import hopper
from fakes import MemorySink, StreamingCamera, wait_until
from leaks import A_TURN, assert_frames_safe, in_green_light
from pictures import astronaut_rgb, hopper_rgb

from facepuppet.core.clock import SystemClock
from facepuppet.core.types import U8, Expression, Frame, Pixels
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked

CANVAS_PX = (640, 360)
MIDDLE_PX = 190  # where the one person sits, from the left
FACE_PX = (133, 118)  # middle of the astronaut's face in her own picture


def wall() -> U8:
    """An empty room with stripes."""
    room = np.full((360, 640, 3), 150, np.uint8)
    room[:, ::16] = 60
    return in_green_light(room)


def room_with(
    *left_px: int, before: Callable[[U8], None] | None = None, stranger_px: int | None = None
) -> U8:
    """The room with the driver at each place, and another person; something may be held before the first."""
    room = np.full((360, 640, 3), 150, np.uint8)
    room[:, ::16] = 60
    if stranger_px is not None:
        other = cv2.resize(hopper_rgb(), (220, 258), interpolation=cv2.INTER_AREA)
        room[-258:, stranger_px : stranger_px + 220] = other
    person = astronaut_rgb().copy()
    height, width = person.shape[:2]
    for number, left in enumerate(left_px):
        shown = person.copy()
        if before is not None and number == 0:
            before(shown)
        room[-height:, left : left + width] = shown
    return in_green_light(room)


def hand(person: U8) -> None:
    """A palm and four fingers before the mouth and half of the eyes, of the person's own skin."""
    x, y = FACE_PX
    skin = tuple(int(c) for c in np.median(person[y - 20 : y, x - 15 : x + 15].reshape(-1, 3), axis=0))
    cv2.ellipse(person, (x, y + 45), (40, 45), 0, 0, 360, skin, -1)
    for finger in range(4):
        cv2.line(person, (x - 28 + 19 * finger, y + 30), (x - 36 + 22 * finger, y - 45), skin, 15)
        cv2.line(person, (x - 18 + 19 * finger, y + 30), (x - 26 + 22 * finger, y - 40), (60, 40, 35), 1)


def cup(person: U8) -> None:
    """A white cup, drunk from: nose, mouth and chin are behind it."""
    x, y = FACE_PX
    cv2.rectangle(person, (x - 32, y - 5), (x + 32, y + 75), (235, 235, 230), -1)
    cv2.ellipse(person, (x, y - 5), (32, 9), 0, 0, 360, (200, 200, 195), -1)
    cv2.ellipse(person, (x + 40, y + 35), (14, 20), 0, 0, 360, (235, 235, 230), 7)


def write_clip(path: Path, seconds: float = 2.0, fps: int = 30) -> Path:
    """A film of the driver who sways: a loop without a seam."""
    n = round(seconds * fps)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for i in range(n):
            rgb = room_with(MIDDLE_PX + round(12 * np.sin(2 * np.pi * i / n)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@dataclass
class Fault:
    """What a part of the show raises, as long as there is something left to raise.

    Attributes:
        error: an exception, or None while all is well.
        times: how often it is still raised.
    """

    error: Exception | None = None
    times: int = 0

    def strike(self, error: Exception, times: int = 1) -> None:
        """Fail so often from now on."""
        self.error, self.times = error, times

    def check(self) -> None:
        """Raise, if there is something left to raise."""
        if self.times > 0 and self.error is not None:
            self.times -= 1
            raise self.error


@dataclass
class Faults:
    """One for each part that can fail."""

    camera: Fault = field(default_factory=Fault)
    tracker: Fault = field(default_factory=Fault)
    puppet: Fault = field(default_factory=Fault)
    finish: Fault = field(default_factory=Fault)
    sink: Fault = field(default_factory=Fault)


class FailingCamera(StreamingCamera):
    """A camera that fails when it is told to."""

    fault: Fault

    def read(self) -> Frame | None:
        self.fault.check()
        return super().read()


class FailingTracker(Tracker):
    """The real tracker until it is told to fail."""

    def __init__(self, fault: Fault, seen: list[Tracking]) -> None:
        super().__init__(live=True)
        self._fault, self._seen = fault, seen

    def track(self, frame: Frame) -> Tracking:
        self._fault.check()
        self._seen.append(super().track(frame))
        return self._seen[-1]


class FailingPuppet(Puppet):
    """The real puppet until it is told to fail, in the first or the second half of a frame."""

    faults: Faults

    def start(self, expression: Expression) -> Callable[[], Marked]:
        self.faults.puppet.check()
        rest = super().start(expression)

        def finish() -> Marked:
            self.faults.finish.check()
            return rest()

        return finish


class FailingSink(MemorySink):
    """Keeps what it is sent until it is told to fail."""

    fault: Fault

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        self.fault.check()
        super()._write(frame, pts_s)


class GreenShow:
    """The real loop, tracker and puppet between such a camera and such a sink.

    Attributes:
        camera: shows `rgb`; can be unplugged.
        faults: by part.
        trackings: all that was tracked.
        sink: all that left.
        rest_rgb: the puppet at rest.
    """

    def __init__(self, pixels: Pixels = Pixels.RGB) -> None:
        self.faults = Faults()
        self.camera = FailingCamera(wall(), fps=30.0)
        self.camera.fault = self.faults.camera
        self.trackings: list[Tracking] = []
        self.puppet = FailingPuppet(hopper(), Composer(hopper(), CANVAS_PX, label=Corner.OFF))
        self.puppet.faults = self.faults
        self.sink = FailingSink(CANVAS_PX, clock=SystemClock(), pixels=pixels)
        self.sink.fault = self.faults.sink
        self.driver = CameraDriver(
            self.camera,
            Rest(settle_frames=1),
            lambda: FailingTracker(self.faults.tracker, self.trackings),
        )
        self.loop = LivePipeline(self.driver, self.puppet, [self.sink], fps=30.0)

    def wait_for_frames(self, n: int = A_TURN) -> int:
        """Wait until so many more have left; returns how many had before."""
        start = len(self.sink.frames)
        wait_until(lambda: len(self.sink.frames) >= start + n)
        return start

    def wait_for_face(self, n: int = 3) -> None:
        """Wait until the driver was seen in so many more frames."""
        seen = self.loop.stats().frames_with_face
        wait_until(lambda: self.loop.stats().frames_with_face >= seen + n)

    def assert_safe(self, start: int = 0) -> None:
        """Everything sent since frame `start` is marked, the puppet's, and shows nothing of the camera's."""
        frames = self.sink.frames[start:]
        assert_frames_safe(frames, self.sink.sent_ns[start:], rest_rgb())
        assert all((frame.i420 is not None) == (self.sink.pixels is Pixels.I420) for frame in frames)


@cache
def rest_rgb() -> U8:
    """The puppet as it is at rest, on the canvas of the show."""
    puppet = Puppet(hopper(), Composer(hopper(), CANVAS_PX, label=Corner.OFF))
    return puppet.show(Expression.absent(0, 0)).rgb
