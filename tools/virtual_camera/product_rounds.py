"""Rounds with the whole product: `facepuppet run` plays a video as its camera into the virtual one."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from facepuppet.diagnose import driver_clip
from facepuppet.portrait import sample_portrait_path
from facepuppet.sinks import state
from virtual_camera.chromium_reading import chromium_reads
from virtual_camera.counted_frames import FPS
from virtual_camera.driver_module import wait_until_fed
from virtual_camera.feeder_rounds import SMALL_PX, START_S
from virtual_camera.ffmpeg_reading import ffmpeg_reads, ffmpeg_records
from virtual_camera.opencv_reading import OpenCVReader
from virtual_camera.outcome import Outcome, Place, judged_read

PROGRAM = (sys.executable, "-c", "from facepuppet.cli import main; main()")
END_S = 30.0
JOIN_S = 2.0
LOOPS = 60  # of a clip of 8 s


def long_clip(folder: Path) -> Path:
    """Let the sample portrait play the driver, long enough for every round."""
    clip = driver_clip(folder)
    output = folder / "long.mp4"
    looped = ["ffmpeg", "-nostdin", "-y", "-stream_loop", str(LOOPS), "-i", clip, "-c", "copy", str(output)]
    subprocess.run(looped, check=True, capture_output=True)
    return output


@contextmanager
def product(
    place: Place, clip: Path, *more: str, words: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Run the product with a small canvas; Ctrl-C ends it."""
    size = f"{SMALL_PX[0]}x{SMALL_PX[1]}"
    avatar = ["--avatar", str(sample_portrait_path()), "--right", "public-domain"]
    camera = ["--camera", str(clip), "--sink", f"virtual:{place.node}", "--canvas", size]
    command = [*PROGRAM, *words, "run", *avatar, *camera, *more]
    running = subprocess.Popen(command, text=True, stderr=subprocess.PIPE)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        running.communicate(timeout=END_S)


def product_reads(place: Place, clip: Path) -> Outcome:
    """OpenCV and then ffmpeg read it; the detector finds the mark in what ffmpeg recorded."""
    recording = clip.with_name("recorded.mkv")
    with product(place, clip):
        wait_until_fed(place.node, START_S)
        reader = OpenCVReader(place.node, SMALL_PX, place.seconds, counted=False)
        reader.wait_for_picture()
        read = reader.result()
        second = ffmpeg_reads(place.node, 4.0)
        ffmpeg_records(place.node, place.seconds, recording)
    found = subprocess.run([*PROGRAM, "detect", str(recording)], capture_output=True, text=True, check=False)
    outcome = judged_read("facepuppet run, OpenCV reads", read, SMALL_PX)
    good = bool(outcome.good) and second.size_px == SMALL_PX and found.returncode == 0
    told = f"{outcome.told}; ffmpeg {second}; `detect` of its recording: exit code {found.returncode}"
    return Outcome(outcome.name + ", ffmpeg records", good, told)


def product_restarted(place: Place, clip: Path) -> Outcome:
    """Ended with Ctrl-C and started again, then killed and started again, under one reader each."""
    told, good = [], True
    for how in (signal.SIGINT, signal.SIGKILL):
        with product(place, clip) as first:
            wait_until_fed(place.node, START_S)
            reader = OpenCVReader(place.node, SMALL_PX, place.seconds + START_S / 3, counted=False)
            reader.wait_for_picture()
            first.send_signal(how)
            first.wait(END_S)
        after = state(place.node).value
        with product(place, clip) as second:
            read = reader.result()
            again = OpenCVReader(place.node, SMALL_PX, place.seconds, counted=False)
            again.wait_for_picture()
            new = again.result()
            good = good and second.poll() is None
        stayed = read.mark_found and read.frames > FPS * place.seconds
        good = good and stayed and new.mark_found and new.size_px == SMALL_PX
        told.append(f"{how.name}: device {after}, reader that stayed {read.frames} frames, new one {new}")
    return Outcome("facepuppet run ended, killed, started again", good, "; ".join(told))


def product_in_chromium(place: Place, clip: Path) -> Outcome:
    """Chromium reads what the whole product makes."""
    with product(place, clip, "--quality", "low"):
        wait_until_fed(place.node, START_S)
        read = chromium_reads(place.label, SMALL_PX, place.chromium_s, place.chromium_patience_s)
    outcome = judged_read("facepuppet run, Chromium reads", read, SMALL_PX)
    return outcome.but(f"opened after {read.first_after_s:.1f} s")


def driver_comes_late(place: Place, clip: Path) -> Outcome:
    """The product runs without the driver, which is loaded then; while it is fed it cannot be unloaded."""
    name = "driver loaded while running"
    if not place.driver.unload():
        return Outcome(name, None, "the driver cannot be unloaded here (run as root, nobody using it)")
    aside = clip.with_name("aside.mkv")
    with product(place, clip, "--sink", str(aside), "--stats", str(aside.with_suffix(".json"))) as running:
        try:
            _wait_for_line(running, "joins it")
            time.sleep(2.0)
        finally:
            place.driver.load()
        joined_s = wait_until_fed(place.node, START_S)
        reader = OpenCVReader(place.node, SMALL_PX, place.seconds, counted=False)
        reader.wait_for_picture()
        refused = not place.driver.unload()
        read = reader.result()
    outcome = judged_read(name, read, SMALL_PX)
    good = bool(outcome.good) and joined_s <= JOIN_S and refused and aside.stat().st_size > 0
    gone = "refused" if refused else "NOT refused"
    return Outcome(name, good, f"joined after {joined_s:.1f} s, unloading is {gone}; {outcome.told}")


def _wait_for_line(running: subprocess.Popen[str], part: str) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        if re.search(part, line):
            return
    raise RuntimeError(f"facepuppet ended before it said {part!r}")
