"""Small real implementations that tests use in place of hardware, clocks and screens."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np
from scripted_faces import tracking_at

from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import U8, Composed, Frame, Motion, Presence
from facepuppet.drivers.camera.profile import DriverNeutral
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.drivers.scripted import Performance
from facepuppet.media.source import Source
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget import Retargeter
from facepuppet.testing import FakeClock, ListDriver, ListSource, MemorySink
from facepuppet.voice import VoiceManner
from facepuppet.watermark import Marked, Marker

__all__ = ["FakeClock", "ListDriver", "ListSource", "MemorySink"]

PATIENCE_S = 20.0  # for what happens in real time; far more than it takes


def picture(size_px: tuple[int, int] = (160, 128), *, seed: int = 0, level: int | None = None) -> U8:
    """A smooth RGB picture that differs by seed, or a flat one of a grey level."""
    width, height = size_px
    if level is not None:
        return np.full((height, width, 3), level, np.uint8)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = [np.sin(2 * np.pi * ((c + 1) * x + (c + 2) * y + 0.13 * seed)) for c in range(3)]
    return np.asarray(127.5 + 90 * np.stack(waves, axis=-1), np.uint8)


def marked(
    rgb: U8 | None = None, *, frame_id: int = 0, captured_ns: int = 0, size_px: tuple[int, int] = (160, 128)
) -> Marked:
    """A frame marked with the public key."""
    rgb = picture(size_px, seed=frame_id) if rgb is None else rgb
    return _marker((rgb.shape[1], rgb.shape[0])).mark(Composed(rgb, frame_id, captured_ns))


@lru_cache(maxsize=4)
def _marker(size_px: tuple[int, int]) -> Marker:
    return Marker(size_px=size_px)


class VoicedDriver(ListDriver):
    """Says that a voice drives, whose manner may be set."""

    manner = VoiceManner()

    @property
    def voice(self) -> VoiceManner | None:
        return self.manner

    def set_voice(self, manner: VoiceManner) -> None:
        self.manner = manner


class ScheduledSlot(LatestSlot[Marked]):
    """A slot whose items arrive by themselves at given times of a fake clock, then closes at `end_s`."""

    def __init__(self, clock: FakeClock, arrivals_s: Sequence[float], end_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._start_ns = clock.now_ns()
        arrivals_ns = [self._start_ns + round(time_s * 1e9) for time_s in arrivals_s]
        self._due = [(at, marked(frame_id=number, captured_ns=at)) for number, at in enumerate(arrivals_ns)]
        self._end_ns = self._start_ns + round(end_s * 1e9)

    def take(self, timeout_s: float | None = None) -> Marked | None:
        self._deliver()
        item = super().take(timeout_s=0.0)
        if item is not None or self.closed:
            return item
        wake_ns = self._clock.now_ns() + round((timeout_s or 0.0) * 1e9)
        next_ns = min([time_ns for time_ns, _ in self._due[:1]] + [wake_ns, self._end_ns])
        self._clock.advance_s(max(0.0, (next_ns - self._clock.now_ns()) * 1e-9))
        self._deliver()
        return super().take(timeout_s=0.0)

    def _deliver(self) -> None:
        while self._due and self._due[0][0] <= self._clock.now_ns():
            self.put(self._due.pop(0)[1])
        if self._clock.now_ns() >= self._end_ns:
            self.close()


class StreamingCamera(Source):
    """A camera that shows `rgb` at a steady rate; it can be changed, unplugged (`plugged`) or `broken`."""

    def __init__(self, rgb: U8, fps: float = 60.0) -> None:
        self.fps, self.live, self.n_frames = fps, True, None
        self.size_px = (rgb.shape[1], rgb.shape[0])
        self.description = "test camera"
        self.plugged = threading.Event()
        self.plugged.set()
        self.broken: Exception | None = None
        self.last_frame = 10**9
        self.rgb = rgb
        self._closed = threading.Event()
        self._next_id = 0

    def read(self) -> Frame | None:
        while not self._closed.wait(1.0 / (self.fps or 60.0)):
            if self.broken is not None:
                raise self.broken
            if self._next_id >= self.last_frame:
                return None
            if self.plugged.is_set():
                self._next_id += 1
                return Frame(self.rgb, self._next_id - 1, time.monotonic_ns())
        return None

    def close(self) -> None:
        self._closed.set()


class FakeTime:
    """In place of the module `time` where somebody waits: each sleep is over at once.

    Attributes:
        passed_s: how long was slept, a millisecond each time at least, so that who only yields ends too.
    """

    def __init__(self) -> None:
        self.passed_s = 0.0

    def monotonic(self) -> float:
        return self.passed_s

    def sleep(self, duration_s: float) -> None:
        self.passed_s += max(duration_s, 1e-3)


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python some work takes: its cost, however busy the machine is."""
    n = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal n
        n += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return n


def wait_until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


class ScriptedTracker:
    """Sees the piece in every frame, or no face, or fails at one."""

    def __init__(self, *, sees: bool = True, fails_at: int | None = None, seconds: float = 8.0) -> None:
        self._piece, self._sees, self._fails_at = Performance(seconds), sees, fails_at
        self._n = 0
        self.closed = False

    def track(self, frame: Frame) -> Tracking:
        self._n += 1
        if self._n == self._fails_at:
            raise RuntimeError("tracker told to fail")
        seen = tracking_at(self._n / 30.0, frame.frame_id, self._piece)
        face, torso = (seen.face, seen.torso) if self._sees else (None, None)
        return Tracking(face, torso, seen.image_size_px, frame.frame_id, frame.captured_ns)

    def close(self) -> None:
        self.closed = True


class Follower:
    """A camera driver's measuring and a retargeter in a row: trackings in, motions out."""

    def __init__(self, avatar: Avatar, neutral: DriverNeutral | None = None, **rest: Any) -> None:
        self.rest = Rest(neutral, **{"settle_frames": 1, **rest})
        self.retargeter = Retargeter(avatar)

    def update(self, tracking: Tracking) -> Motion:
        return self.retargeter.update(self.rest.express(tracking))

    @property
    def presence(self) -> Presence:
        return self.retargeter.presence
