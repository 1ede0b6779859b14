"""A person before a camera, or in a video: the last place where a camera picture is seen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.metrics import Meter, Spread
from facepuppet.core.slot import LatestSlot
from facepuppet.core.types import Expression, Frame
from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.acquaintance import Learner
from facepuppet.drivers.camera.own_eyes import jpeg_of, light_of
from facepuppet.drivers.camera.rest import Rest
from facepuppet.drivers.camera.smooth import TrackingSmoother
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.drivers.camera.tracking import Tracking
from facepuppet.media.capture_thread import CaptureThread
from facepuppet.media.source import Source
from facepuppet.vision.trackers import TrackingModels

DEFAULT_FPS = 30.0  # of sources that do not say
LOOK_AHEAD_NS = 4_000_000_000  # a face that comes and goes is not waited for longer


class FrameTracker(Protocol):
    """What this driver needs of a tracker; `tracker.Tracker` is the real one."""

    def track(self, frame: Frame) -> Tracking:
        """Track one frame; frames come in the order of their capture."""

    def close(self) -> None:
        """Free the models."""


class CameraDriver(Driver):
    """Tracks one face, takes the tremble out, and measures against the person's rest.

    Args:
        source: pictures of the driver; closed with this.
        rest: what motion is measured against; taken from the first moments if None.
        make_tracker: opens the tracker, in the thread that reads; a `Tracker` if None.
        models: the networks of that one; the project's own runner of them if None.
        learner: looks at some frames, to remember the person by.
    """

    def __init__(
        self,
        source: Source,
        rest: Rest | None = None,
        make_tracker: Callable[[], FrameTracker] | None = None,
        models: TrackingModels | None = None,
        learner: Learner | None = None,
    ) -> None:
        self.description, self.n_frames, self.live = source.description, source.n_frames, source.live
        self.fps = source.fps
        self._source, self._rest = source, rest or Rest()
        self._make_tracker = make_tracker or self._open_tracker
        self._models, self._learner = models, learner
        self._meter = Meter()
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._capture: CaptureThread | None = None
        self._smoother = TrackingSmoother()
        self._ahead: deque[Tracking] = deque()  # tracked to find rest, still to be expressed
        self._tracker: FrameTracker | None = None
        self._tracking = threading.RLock()  # held while the tracker works, so that close() waits for it
        self._closed = False
        self._seen: tuple[Frame, Tracking] | None = None  # the newest, for `look` and `light`
        self._n = 0
        self._n_captured = self._n_dropped = 0  # by threads that failed
        self._clock: Clock = SystemClock()

    def start(self, clock: Clock) -> None:
        """Capture in a thread of its own from now on: a slow tracker gets the newest frame, not the next."""
        self._clock = clock
        self._capture = CaptureThread(self._source, self._frames, clock)
        self._capture.start()

    def recover(self) -> None:
        """Open the tracker afresh, and read the source again if that was what failed."""
        with self._tracking:
            tracker, self._tracker = self._tracker, None
        if tracker is not None:
            with suppress(Exception):  # it is what failed
                tracker.close()
        if self._capture is not None and self._capture.error is not None and not self._closed:
            self._n_captured += self._capture.captured
            self._n_dropped += self._frames.dropped
            self._frames = LatestSlot()
            self._capture = CaptureThread(self._source, self._frames, self._clock)
            self._capture.start()

    def read(self) -> Expression | None:
        """Return what the person does in the next frame, or after `start` in the newest.

        Offline the frames after the first with a face are looked at before that one is measured.
        """
        if not self._ahead:
            tracking = self.read_tracking()
            if tracking is None:
                return None
            self._ahead.append(tracking)
            if self._capture is None and tracking.face is not None and not self._rest.known:
                self._look_ahead(tracking)
        return None if self._closed else self._express(self._ahead.popleft())

    def read_tracking(self) -> Tracking | None:
        """As `read`, before it is measured against rest: to find out how a person rests.

        Raises:
            CaptureError: the source cannot go on.
        """
        frame = self._next_frame()
        with self._tracking:
            return None if frame is None or self._closed else self.follow(frame)

    def follow(self, frame: Frame) -> Tracking:
        """Track and smooth one frame that somebody else read, in the order of capture; not after close()."""
        with self._tracking:
            if self._tracker is None:
                self._tracker = self._make_tracker()
            with self._meter.time("track"):
                tracking = self._tracker.track(frame)
            self._seen = frame, tracking
            with self._meter.time("smooth"):
                smooth = self._smoother.smooth(tracking)
            if self._learner is not None and self._learner.wants(smooth):
                self._learner.look(smooth, light_of(frame, smooth) or 0.0)
            return smooth

    def recentre(self) -> None:
        """Take the driver's next moments as rest: place, and face unless that was given."""
        self._rest.recentre()

    def set_smoothing(self, strength: float) -> None:
        """Take more or less tremble out; 1 is as usual, 0 takes none out.

        Raises:
            ValueError: a strength that is no number from 0 to 4.
        """
        self._smoother.set_strength(strength)

    def look(self, width_px: int) -> bytes | None:
        """Return the newest camera picture as a JPEG; for the user alone."""
        seen = self._seen
        return None if seen is None else jpeg_of(seen[0], width_px)

    @property
    def light(self) -> float | None:
        """Mean brightness of the driver's face, 0 to 1."""
        seen = self._seen
        return None if seen is None else light_of(*seen)

    def close(self) -> None:
        """Close the source, stop the threads and free the models."""
        if self._capture is not None:
            self._capture.stop()
        else:
            self._source.close()
        with self._tracking:
            self._closed = True
            tracker, self._tracker, self._seen = self._tracker, None, None
        if tracker is not None:
            tracker.close()

    @property
    def arrived(self) -> int | None:
        """How many frames were captured."""
        return None if self._capture is None else self._n_captured + self._capture.captured

    @property
    def dropped(self) -> int:
        """How many frames were replaced by newer ones before they were tracked."""
        return self._n_dropped + self._frames.dropped

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of tracking, smoothing and measuring."""
        return self._meter.spreads()

    def _open_tracker(self) -> FrameTracker:
        return Tracker(live=self._capture is not None, models=self._models)

    def _express(self, tracking: Tracking) -> Expression:
        with self._meter.time("measure"):
            return self._rest.express(tracking)

    def _look_ahead(self, first: Tracking) -> None:
        """Find rest in a frame and those that follow; they keep their turn."""
        self._rest.look(first)
        while not self._rest.known:
            tracking = self.read_tracking()
            if tracking is None or tracking.captured_ns - first.captured_ns > LOOK_AHEAD_NS:
                self._rest.settle()
            else:
                self._rest.look(tracking)
            if tracking is None:
                return
            self._ahead.append(tracking)

    def _next_frame(self) -> Frame | None:
        if self._capture is not None:
            frame = self._frames.take()
            if frame is None:
                self._capture.raise_if_failed()
            return frame
        frame = self._source.read()
        if frame is None:
            return None
        # Presentation time in place of the clock's, so that a run repeats exactly.
        pts_s = self._n / (self.fps or DEFAULT_FPS) if frame.pts_s is None else frame.pts_s
        self._n += 1
        return replace(frame, captured_ns=round(pts_s * 1e9))
