"""Rounds with pictures marked beforehand: what the way out alone does, however slow the machine is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from facepuppet.media import loopback_version
from facepuppet.sinks import open_sink
from facepuppet.watermark import Marked
from virtual_camera.chromium_reading import chromium_reads
from virtual_camera.counted_frames import FPS, Feeding, counted_frames
from virtual_camera.driver_module import wait_until_fed
from virtual_camera.ffmpeg_reading import ffmpeg_reads
from virtual_camera.opencv_reading import OpenCVReader, Read
from virtual_camera.outcome import Outcome, Place, judged_read

P95_MS = 50.0
LATE_S = 3.0
SECOND_S = 15.0  # a second program may take so long to start on a slow machine
START_S = 60.0
SMALL_PX = (320, 240)


@contextmanager
def fed(place: Place, size_px: tuple[int, int], frames: list[Marked] | None = None) -> Iterator[Feeding]:
    """Feed the device in this process, with pictures that may be there already."""
    frames = frames or counted_frames(size_px)
    with open_sink(f"virtual:{place.node}", size_px, FPS) as sink, Feeding(sink, frames) as feeding:
        wait_until_fed(place.node, START_S)
        yield feeding


def steady(place: Place) -> Outcome:
    """One reader, alone: cadence, size and mark."""
    with fed(place, place.size_px):
        read = _read(place, place.size_px)
    return judged_read("steady, OpenCV reads", read, place.size_px, p95_ms=P95_MS)


def late(place: Place) -> Outcome:
    """A reader that comes when the camera has long been fed."""
    with fed(place, place.size_px):
        time.sleep(LATE_S)
        read = _read(place, place.size_px)
    outcome = judged_read("reader comes late", read, place.size_px, p95_ms=P95_MS)
    return outcome.but(f"first picture {read.first_after_s:.1f} s after it came")


def two_readers(place: Place) -> Outcome:
    """OpenCV and ffmpeg at once; from 0.13 on the driver refuses the second."""
    single = (loopback_version() or (0,)) >= (0, 13)
    with fed(place, place.size_px):
        reader = OpenCVReader(place.node, place.size_px, place.seconds + SECOND_S)
        reader.wait_for_picture()
        second = ffmpeg_reads(place.node, place.seconds / 2)
        read = reader.result()
    good = (second.size_px == place.size_px) is not single and read.mark_found
    told = f"OpenCV {read.fps:.1f} FPS; ffmpeg {second}"
    return Outcome("two readers", good, told + (" (this driver lets one read)" if single else ""))


def restarted(place: Place) -> Outcome:
    """The feeder ends and another begins, under a reader that stays."""
    frames = counted_frames(place.size_px)
    with fed(place, place.size_px, frames):
        reader = OpenCVReader(place.node, place.size_px, place.seconds)
        reader.wait_for_picture()
    with fed(place, place.size_px, frames):
        read = reader.result()
        again = _read(place, place.size_px)
    return _outcome("fed again under a reader", place, read, again)


def killed(place: Place) -> Outcome:
    """The feeder is killed with SIGKILL under a reader, and another begins."""
    frames = counted_frames(place.size_px)
    width, height = place.size_px
    command = [sys.executable, "-m", "virtual_camera.feeder_rounds", place.node, f"{width}x{height}"]
    feeder = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        wait_until_fed(place.node, START_S)
        reader = OpenCVReader(place.node, place.size_px, place.seconds)
        reader.wait_for_picture()
    finally:
        feeder.send_signal(signal.SIGKILL)
        feeder.wait()
    begun_s = time.monotonic()
    with fed(place, place.size_px, frames):
        took_s = time.monotonic() - begun_s
        read = reader.result()
        again = _read(place, place.size_px)
    return _outcome("feeder killed (SIGKILL)", place, read, again).but(f"fed again {took_s:.1f} s later")


def _outcome(name: str, place: Place, stayed: Read, new: Read) -> Outcome:
    """Judge a change of feeders by who read through it, and who came after."""
    good = stayed.mark_found and stayed.frames > FPS * place.seconds / 2 and new.mark_found
    told = f"the reader that stayed got {stayed.frames} frames in {place.seconds:.0f} s; a new one: {new}"
    return Outcome(name, good, told)


def chromium_round(place: Place) -> Outcome:
    """Chromium reads a small picture."""
    with fed(place, SMALL_PX):
        read = chromium_reads(place.label, SMALL_PX, place.chromium_s, place.chromium_patience_s)
    return judged_read("Chromium reads", read, SMALL_PX).but(f"opened after {read.first_after_s:.1f} s")


def _read(place: Place, size_px: tuple[int, int]) -> Read:
    reader = OpenCVReader(place.node, size_px, place.seconds)
    reader.wait_for_picture()
    return reader.result()


def _feed_for_ever(node: str, size: str) -> None:
    width, _, height = size.partition("x")
    size_px = (int(width), int(height))
    with open_sink(f"virtual:{node}", size_px, FPS) as sink, Feeding(sink, counted_frames(size_px)):
        signal.pause()


if __name__ == "__main__":
    _feed_for_ever(*sys.argv[1:])
