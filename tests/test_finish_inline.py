"""Where a frame is finished: by the thread that began it, or beside the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from avatars import hopper
from fakes import MemorySink, ScriptedTracker, StreamingCamera
from silhouette_maker import SilhouetteMaker

from facepuppet.core.types import Motion
from facepuppet.drivers.camera.camera_driver import CameraDriver
from facepuppet.drivers.camera.rest import Rest
from facepuppet.frames.cpu.compose import Composer, Corner
from facepuppet.session.live import LivePipeline
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marked, Marker

CANVAS = (256, 144)
N_FRAMES = 40


class TwoPartMaker(SilhouetteMaker):
    """Takes its time for either part, and notes which thread finished which frame."""

    overlaps = True

    def __init__(self, composer: Composer, seconds: float) -> None:
        super().__init__(hopper(), composer, Marker(size_px=CANVAS))
        self._seconds = seconds
        self.finished: list[tuple[int, str]] = []

    def start(self, motion: Motion) -> Callable[[], Marked]:
        time.sleep(self._seconds)

        def finish() -> Marked:
            time.sleep(self._seconds)
            self.finished.append((motion.frame_id, threading.current_thread().name))
            return self.make(motion)

        return finish


def finished_by(seconds: float) -> list[tuple[int, str]]:
    """Run a camera of 30 frames a second before a maker that needs twice so many seconds a frame."""
    composer = Composer(hopper(), CANVAS, label=Corner.OFF)
    maker = TwoPartMaker(composer, seconds)
    camera = StreamingCamera(np.zeros((120, 160, 3), np.uint8), 30.0)
    camera.last_frame = N_FRAMES
    driver = CameraDriver(camera, Rest(settle_frames=1), ScriptedTracker)
    with LivePipeline(driver, Puppet(hopper(), composer, maker=maker), [MemorySink(CANVAS)]) as live:
        live.run()
    return maker.finished


def test_a_frame_that_nobody_waits_behind_is_finished_where_it_was_begun() -> None:
    finished = finished_by(0.001)
    # A loaded machine may let a frame wait now and then.
    assert sum(thread == "puppet" for _, thread in finished) > 0.7 * len(finished)


def test_frames_that_wait_are_finished_beside_the_next_and_stay_in_order() -> None:
    finished = finished_by(0.03)
    assert sum(thread == "finish" for _, thread in finished) > 0.5 * len(finished)
    ids = [frame_id for frame_id, _ in finished]
    assert ids == sorted(ids)


def test_frames_stay_in_order_where_both_happen() -> None:
    ids = [frame_id for frame_id, _ in finished_by(0.016)]
    assert len(ids) > 10 and ids == sorted(ids)
