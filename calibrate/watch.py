"""Watching a driver: a recording as it is, or a person at a camera, step by step."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from calibrate.guide.guide import Guide, Prompt
from calibrate.guide.obstacles import face_luma
from facepuppet.core import CameraMissingError
from facepuppet.drivers import CameraDriver, FrameTracker, Tracker, Tracking
from facepuppet.media import Source

log = logging.getLogger(__name__)


def track_source(
    source: Source, seconds: float, progress: Callable[[float], None] | None = None
) -> list[Tracking]:
    """Track up to `seconds` of a source (by its own time), every frame, smoothed as in a live run.

    Args:
        source: camera or recording.
        seconds: how long to look.
        progress: told the seconds seen so far.
    """
    trackings: list[Tracking] = []
    with CameraDriver(source) as driver:
        first_ns: int | None = None
        while (frame := source.read()) is not None:
            seen_ns = frame.captured_ns if frame.pts_s is None else round(frame.pts_s * 1e9)
            first_ns = seen_ns if first_ns is None else first_ns
            elapsed_s = (seen_ns - first_ns) / 1e9
            if elapsed_s > seconds:
                if not source.live:
                    log.warning("%s: only its first %.0f s are watched", source.description, seconds)
                break
            trackings.append(driver.follow(replace(frame, captured_ns=seen_ns)))
            if progress is not None:
                progress(elapsed_s)
    return trackings


def track_guided(
    source: Source,
    guide: Guide,
    show: Callable[[Prompt, Tracking], None],
    tracker: FrameTracker | None = None,
) -> list[Tracking]:
    """Track a person who is led through the steps of a guide.

    Args:
        source: camera.
        guide: fresh.
        show: told what to show, after every frame.
        tracker: an open tracker to use and close; one of its own if None.

    Raises:
        NoDriverFaceError, ProfileError: see `Guide.see`.
        CameraMissingError: the source ended before the steps did.
    """
    trackings: list[Tracking] = []
    with CameraDriver(source, make_tracker=lambda: tracker or Tracker(live=True)) as driver:
        while not guide.finished:
            frame = source.read()
            if frame is None:
                raise CameraMissingError(
                    f"{source.description}, which ended before the steps did",
                    f"a camera for about {guide.seconds:.0f} s",
                    "Connect it again and start anew; a recording is used with --no-guide.",
                )
            tracking = driver.follow(frame)
            trackings.append(tracking)
            show(guide.see(tracking, face_luma(frame.rgb, tracking)), tracking)
    return trackings
