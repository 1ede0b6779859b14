"""Runs the program with a virtual camera that is a pipe, and reads what leaves there, as a call would.

    python tools/piped_camera.py SNAPSHOTS.jsonl run --avatar ... > frames

`PipedRun` starts that as a child process. Each frame is a header and its I420 pixels as the virtual camera
gets them; once a second a snapshot of the run is appended to the file. Else the program is as ever.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from facepuppet.core import U8

if TYPE_CHECKING:
    from facepuppet.session import LivePipeline

_HEADER = struct.Struct("<IIq")  # width, height, monotonic time of sending in nanoseconds
_END_S = 20.0  # how long a run may take to end
_SNAPSHOT_S = 1.0
_TAIL = 1 << 16  # of the snapshots: more than the last one


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """What a reader of the camera saw.

    Attributes:
        i420: (H * 3 / 2, W) uint8: BT.601 limited range, planes Y, U, V.
        sent_ns, read_ns: monotonic time at which the program sent it, and at which it was read.
    """

    i420: U8
    sent_ns: int
    read_ns: int


class PipedRun:
    """The program in a process of its own, and the pipe that is its camera; frames must be read, or it waits.

        with PipedRun(["--avatar", "me.jpg", "--camera", "script"], folder) as run:
            frame = run.read()

    Args:
        words: options of `facepuppet run`, sinks among them: "virtual" is the pipe.
        folder: where snapshots and log go.
        before: Python that the child runs first, to make its machine what somebody wants to see.
        env: of the child; this process's own if None.

    Attributes:
        process: the child.
        snapshots: file of JSON lines, one a second.
        log: file of what it said on standard error.
    """

    def __init__(
        self, words: Sequence[str], folder: Path, *, before: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        self.snapshots, self.log = folder / "snapshots.jsonl", folder / "stderr.txt"
        program = f"{before}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, str(self.snapshots), "run", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
            )
        assert self.process.stdout is not None
        self._pipe = self.process.stdout
        self._reading = threading.Lock()

    def read(self) -> SeenFrame | None:
        """Block for the next whole frame; None at the end. Any thread may."""
        with self._reading:
            return None if self._pipe.closed else self._read()

    def _read(self) -> SeenFrame | None:
        header = self._pipe.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        width, height, sent_ns = _HEADER.unpack(header)
        pixels = self._pipe.read(width * height * 3 // 2)
        if len(pixels) < width * height * 3 // 2:
            return None  # killed in mid-frame: a camera's reader gets whole ones
        i420 = np.frombuffer(pixels, np.uint8).reshape(height * 3 // 2, width)
        return SeenFrame(i420, sent_ns, time.monotonic_ns())

    def last_snapshot(self) -> dict[str, Any]:
        """Return the newest snapshot; empty while there is none."""
        if not self.snapshots.exists():
            return {}
        with self.snapshots.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            whole = file.read().rpartition(b"\n")[0]  # the last line may still be being written
        return dict(json.loads(whole.rpartition(b"\n")[2])) if whole else {}

    def __enter__(self) -> PipedRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it as a service would be ended, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
        reading = threading.Thread(target=self._read_to_the_end, daemon=True)  # a full pipe would keep it
        reading.start()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            reading.join()
            with self._reading:
                self._pipe.close()

    def _read_to_the_end(self) -> None:
        while self.read() is not None:
            pass


class _PipedFeeder:
    """Feeds a pipe in place of a driver."""

    def __init__(self, pipe: BinaryIO, size_px: tuple[int, int]) -> None:
        self._pipe, self._size = pipe, size_px

    def send(self, frame: U8) -> None:
        """Write a frame, whole."""
        self._pipe.write(_HEADER.pack(*self._size, time.monotonic_ns()))
        self._pipe.write(memoryview(frame))
        self._pipe.flush()

    def close(self) -> None:
        """The pipe stays the process's."""


def _observed(live: LivePipeline, path: Path) -> None:
    """Append a snapshot each second, for as long as the process lives."""
    with path.open("w", encoding="utf-8") as file:
        while True:
            file.write(json.dumps(live.snapshot().to_json()) + "\n")
            file.flush()
            time.sleep(_SNAPSHOT_S)


def main() -> None:
    """Run the program, as the child."""
    from facepuppet.cli import main as program
    from facepuppet.session import LivePipeline

    snapshots, *words = sys.argv[1:]
    pipe = sys.stdout.buffer
    sys.stdout = sys.stderr
    sink = import_module("facepuppet.sinks.virtual_camera")  # the one place that asks which cameras there are
    sink.list_virtual_cameras = lambda: (sink.VirtualCameraInfo("pipe", "a pipe", "pipe"),)
    sink._pyvirtualcam = lambda info, size_px, fps, *, rgb: _PipedFeeder(pipe, size_px)
    start = LivePipeline.start

    def observed_start(live: LivePipeline) -> None:
        start(live)
        threading.Thread(target=_observed, args=(live, Path(snapshots)), daemon=True).start()

    LivePipeline.start = observed_start  # type: ignore[method-assign]
    program(words)


if __name__ == "__main__":
    main()
