"""What a call sees of the whole program when its process is ended, killed, starved of memory or of a disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from green_room import rest_rgb, write_clip
from leaks import assert_marked, assert_nothing_of_the_camera, assert_only_the_puppet
from piped_camera import PipedRun, SeenFrame

from facepuppet.core.i420 import to_rgb
from facepuppet.media import open_source
from facepuppet.portrait.load import sample_portrait_path

ENOUGH = 45  # frames: the driver is seen, and the puppet moves

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")

# Memory that is full for a second: the system gives none, and every picture asks it for some.
FULL_MEMORY = """
import os, resource, threading, time

def fill():
    while not os.path.exists({flag!r}):
        time.sleep(0.02)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1, before[1]))
    time.sleep(1.0)
    resource.setrlimit(resource.RLIMIT_AS, before)

threading.Thread(target=fill, daemon=True).start()
"""
ONE_HEAP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 16), "MALLOC_ARENA_MAX": "1"}  # nothing kept in reserve
STALLED_DISK = """
import os, time
from facepuppet.sinks.video_file import VideoFile

write = VideoFile._write

def stalled(self, frame, pts_s):
    while not os.path.exists({flag!r}):
        time.sleep(0.05)
    write(self, frame, pts_s)

VideoFile._write = stalled
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("driver") / "green.mkv")


@contextmanager
def running(
    clip: Path, folder: Path, *more: str, before: str = "", env: Mapping[str, str] | None = None
) -> Iterator[PipedRun]:
    """The program with the green driver, whose camera has begun to show the puppet."""
    words = ["--avatar", str(sample_portrait_path()), "--right", "public-domain", "--label", "off"]
    words += ["--camera", f"loop:{clip}", "--canvas", "640x360", "--sink", "virtual", "--no-ui"]
    with PipedRun([*words, *more], folder, before=before, env={**os.environ, **(env or {})}) as run:
        yield run


def read(run: PipedRun, n: int | None = None) -> list[SeenFrame]:
    """Read so many frames, or all until the end."""
    frames = []
    while (n is None or len(frames) < n) and (frame := run.read()) is not None:
        frames.append(frame)
    assert n is None or len(frames) == n, run.log.read_text()
    return frames


def assert_safe(frames: list[SeenFrame]) -> None:
    pictures = [to_rgb(frame.i420) for frame in frames]
    assert_only_the_puppet(pictures, rest_rgb())
    assert_marked(pictures, [frame.sent_ns for frame in frames])
    assert len({picture.tobytes() for picture in pictures}) > 5, "the puppet stands still"


@posix_only
def test_a_service_that_is_stopped_sends_the_puppet_to_the_end(clip: Path, tmp_path: Path) -> None:
    with running(clip, tmp_path) as run:
        frames = read(run, ENOUGH)
        run.process.send_signal(signal.SIGTERM)
        frames += read(run)
        assert run.process.wait(20) == 0
    assert_safe(frames)
    assert "Traceback" not in run.log.read_text()
    assert run.last_snapshot()["stats"]["frames_with_face"] > 0


@posix_only
@pytest.mark.slow
def test_a_killed_program_leaves_marked_puppets_alone_in_camera_and_file(clip: Path, tmp_path: Path) -> None:
    """There are no worker processes that could be killed alone: networks run on threads."""
    film = tmp_path / "out.mkv"
    with running(clip, tmp_path, "--sink", str(film)) as run:
        frames = read(run, 240)  # Matroska writes after five seconds
        assert psutil.Process(run.process.pid).children(recursive=True) == []
        run.process.kill()
        frames += read(run)
        assert run.process.wait(20) == -signal.SIGKILL
    assert_safe(frames)
    assert not film.exists()
    for left in tmp_path.glob(".*.mkv"):
        if left.stat().st_size > 0:  # Matroska writes late, on a busy machine later
            with open_source(left) as source:
                pictures = [frame.rgb for frame in iter(source.read, None) if frame is not None]
            assert_only_the_puppet(pictures, rest_rgb())
            assert_marked(pictures, [i * 33_333_333 for i in range(len(pictures))])


@posix_only
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_a_full_memory_costs_moments_and_leaks_nothing(clip: Path, tmp_path: Path) -> None:
    flag = tmp_path / "full"
    with running(clip, tmp_path, before=FULL_MEMORY.format(flag=str(flag)), env=ONE_HEAP) as run:
        frames = read(run, ENOUGH)
        flag.touch()
        frames += read(run, 4 * 30)
        assert run.process.poll() is None, "it lives"
        assert run.last_snapshot()["stats"]["restarts"]
    pictures = [to_rgb(frame.i420) for frame in frames]
    assert_nothing_of_the_camera(pictures)  # some are the card
    assert_marked(pictures, [frame.sent_ns for frame in frames])
    assert_safe(frames[-30:])


@posix_only
@pytest.mark.slow
def test_a_stalled_disk_costs_the_camera_nothing(clip: Path, tmp_path: Path) -> None:
    flag, film = tmp_path / "awake", tmp_path / "out.mkv"
    with running(clip, tmp_path, "--sink", str(film), before=STALLED_DISK.format(flag=str(flag))) as run:
        frames = read(run, 150)
        flag.touch()
        run.process.send_signal(signal.SIGTERM)
        frames += read(run)
        assert run.process.wait(60) == 0
    assert_safe(frames)
    seconds = (frames[149].read_ns - frames[30].read_ns) * 1e-9
    assert seconds < 1.5 * 119 / 30, "the camera waited for the disk"
    with open_source(film) as source:
        assert_only_the_puppet([f.rgb for f in iter(source.read, None) if f is not None], rest_rgb())
