"""The driver's side of a run: tracking and smoothing, metered; live and offline runs share it."""

from __future__ import annotations

from typing import Protocol

from facepuppet.core.metrics import Meter
from facepuppet.core.types import Frame, Tracking
from facepuppet.drivers.camera.smooth import TrackingSmoother


class DriverTracker(Protocol):
    """What a run needs of a tracker."""

    def track(self, frame: Frame) -> Tracking:
        """Track one frame; frames come in the order of their capture."""

    def close(self) -> None:
        """Free the models."""


class Driver:
    """Turns frames into smoothed trackings; the last place where a camera picture is seen.

    Args:
        tracker: closed with this.
        meter: told the times, and counts "tracked" and "with face".
    """

    def __init__(self, tracker: DriverTracker, meter: Meter) -> None:
        self._tracker, self._meter = tracker, meter
        self._smoother = TrackingSmoother()

    def follow(self, frame: Frame) -> Tracking:
        """Return the smoothed tracking of a frame; frames come in the order of their capture."""
        with self._meter.time("track"):
            tracking = self._tracker.track(frame)
        with self._meter.time("smooth"):
            tracking = self._smoother.smooth(tracking)
        self._meter.count("tracked")
        if tracking.face is not None:
            self._meter.count("with face")
        return tracking

    def close(self) -> None:
        """Free the models."""
        self._tracker.close()
