"""Feed the virtual camera with a counting pattern, read it back as another program would, report as JSON.

    python tools/vcam_check.py [--device NODE_OR_NAME] [--seconds 8] [--out report.json]

Runs on any Linux with v4l2loopback loaded (`facepuppet doctor` says how). It shows that a reader gets
whole frames of the right size at a steady rate, that the mark is still in them, that the device can be
fed again after closing, and again while a reader still holds it. The exit code is 0 when all that is so.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import sys
import threading
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core import Composed, FacepuppetError, LatestSlot, SystemClock
from facepuppet.media import list_virtual_cameras
from facepuppet.sinks import Pacer, VirtualCamera, find_virtual_camera, state
from facepuppet.watermark import Marked, Marker, detect

SIZE_PX = (1280, 720)
FPS = 30.0
BITS = 16  # of the frame number, one white or black square each, along the top
SQUARE_PX = 60
OPEN_WITHIN_S = 20.0


@dataclass(frozen=True)
class Fed:
    """What the feeding side counted."""

    open_ms: float
    first_number: int
    sent: int
    repeated: int
    mark_and_draw_ms: float
    capture_to_sink_p95_ms: float


@dataclass(frozen=True)
class Read:
    """What the reading program saw; intervals are between its frames."""

    size_px: tuple[int, int]
    frames: int
    fps: float
    median_ms: float
    p95_ms: float
    max_ms: float
    repeated: int
    skipped: int
    backwards: int
    last_number: int
    mark_found: bool
    mark_log10_p: float


def pattern(number: int) -> npt.NDArray[np.uint8]:
    """A coloured gradient with a moving bar and the number's bits along the top."""
    width, height = SIZE_PX
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(40, 215, width)[None, :]
    rgb[..., 1] = np.linspace(40, 215, height)[:, None]
    rgb[..., 2] = 96
    left = number * 8 % (width - SQUARE_PX)
    rgb[200:600, left : left + SQUARE_PX] = 235
    for bit in range(BITS):
        rgb[:SQUARE_PX, bit * SQUARE_PX : (bit + 1) * SQUARE_PX] = 255 if number >> bit & 1 else 0
    return rgb


def number_in(luma: npt.NDArray[np.uint8]) -> int:
    """Read the number back from a (H, W) picture of the full size."""
    middle = SQUARE_PX // 2
    bits = (luma[middle, bit * SQUARE_PX + middle] > 127 for bit in range(BITS))
    return sum(int(bit) << place for place, bit in enumerate(bits))


class Feeder:
    """The product's own way out: marker, slot, pacer, virtual camera; numbers count on between feeders."""

    number = 0

    def __init__(self, device: str) -> None:
        start_s = time.perf_counter()
        self._sink = VirtualCamera(SIZE_PX, FPS, device)
        self._open_ms = (time.perf_counter() - start_s) * 1e3
        self._slot: LatestSlot[Marked] = LatestSlot()
        self._pacer = Pacer(self._sink, self._slot, FPS, SystemClock())
        self._first_number = Feeder.number + 1
        self._work_ms: list[float] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._produce, daemon=True)

    def __enter__(self) -> Feeder:
        self._pacer.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._pacer.stop()
        self._sink.close()
        self._pacer.raise_if_failed()

    def result(self) -> Fed:
        """Return what was counted; call after the feeder has stopped."""
        return Fed(
            open_ms=round(self._open_ms, 1),
            first_number=self._first_number,
            sent=self._pacer.sent,
            repeated=self._pacer.repeated,
            mark_and_draw_ms=round(float(np.median(self._work_ms)), 2),
            capture_to_sink_p95_ms=round(float(np.percentile(self._pacer.latencies_s, 95)) * 1e3, 2),
        )

    def _produce(self) -> None:
        marker = Marker(size_px=SIZE_PX)
        start_ns = time.monotonic_ns()
        made = 0
        while not self._stopping.is_set():
            captured_ns = time.monotonic_ns()
            Feeder.number += 1
            self._slot.put(marker.mark(Composed(pattern(Feeder.number), Feeder.number, captured_ns)))
            made += 1
            self._work_ms.append((time.monotonic_ns() - captured_ns) * 1e-6)
            due_ns = start_ns + round(made / FPS * 1e9)
            self._stopping.wait(max(0.0, (due_ns - time.monotonic_ns()) * 1e-9))


class Reader:
    """Another program that reads the camera, in a process of its own."""

    def __init__(self, node: str, duration_s: float) -> None:
        context = mp.get_context("spawn")
        self._answers, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=read_back, args=(node, duration_s, sending), daemon=True)
        self._process.start()

    def wait_for_picture(self) -> None:
        """Block until the first frame has arrived."""
        self._answers.recv()

    def result(self) -> Read:
        """Block until it has read its time, and return what it saw."""
        answer = self._answers.recv()
        self._process.join()
        assert isinstance(answer, Read)
        return answer


def read_back(node: str, duration_s: float, answers: Connection) -> None:
    """Open the camera as any program would, tell of the first frame, then judge what comes."""
    # All memory is taken, and touched, beforehand: a reader that stalls would blame the camera.
    store = np.ones((round(duration_s * FPS * 1.5), SIZE_PX[1] // 2, SIZE_PX[0] // 2), np.uint8)
    bgr, luma = np.ones((*SIZE_PX[::-1], 3), np.uint8), np.ones(SIZE_PX[::-1], np.uint8)
    capture = _opened(node)
    times_s: list[float] = []
    numbers: list[int] = []
    while len(numbers) < len(store) and (not times_s or times_s[-1] < times_s[0] + duration_s):
        ok, bgr = capture.read(bgr)
        if not ok:
            continue
        times_s.append(time.monotonic())
        luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY, dst=luma)
        numbers.append(number_in(luma))
        cv2.resize(luma, store.shape[:0:-1], dst=store[len(numbers) - 1], interpolation=cv2.INTER_AREA)
        if len(numbers) == 1:
            answers.send("first frame")
    size_px = (bgr.shape[1], bgr.shape[0])
    lumas = list(zip(store, times_s, strict=False))
    capture.release()
    answers.send(_judged(size_px, numbers, lumas))


def _opened(node: str) -> cv2.VideoCapture:
    """Open the camera as soon as it is one: with exclusive_caps it is only while it is fed."""
    until_s = time.monotonic() + OPEN_WITHIN_S
    while time.monotonic() < until_s:
        capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, SIZE_PX[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, SIZE_PX[1])
            return capture
        time.sleep(0.2)
    raise SystemExit(f"{node} did not open as a camera within {OPEN_WITHIN_S:.0f} s")


def _judged(
    size_px: tuple[int, int], numbers: list[int], lumas: list[tuple[npt.NDArray[np.uint8], float]]
) -> Read:
    times_s = np.array([time_s for _, time_s in lumas])
    gaps_ms = np.diff(times_s) * 1e3
    steps = np.diff(numbers)
    found = detect(lumas)
    return Read(
        size_px=size_px,
        frames=len(numbers),
        fps=round((len(numbers) - 1) / float(times_s[-1] - times_s[0]), 2),
        median_ms=round(float(np.median(gaps_ms)), 2),
        p95_ms=round(float(np.percentile(gaps_ms, 95)), 2),
        max_ms=round(float(gaps_ms.max()), 2),
        repeated=int((steps == 0).sum()),
        skipped=int((steps[steps > 1] - 1).sum()),
        backwards=int((steps < 0).sum()),
        last_number=numbers[-1],
        mark_found=found.marked,
        mark_log10_p=round(found.best.log10_p, 1),
    )


def check(device: str | None, duration_s: float) -> dict[str, object]:
    """Run the three rounds: first feed, feed again, feed again while a reader holds the device."""
    node = find_virtual_camera(device, list_virtual_cameras()).device
    report: dict[str, object] = {"device": node, "state_before": state(node).value}
    good = True
    for name in ("first", "again"):
        read, fed = _round(node, duration_s)
        report[name] = {"fed": asdict(fed), "read": asdict(read), "state_after": state(node).value}
        good = good and _good(read)
    read, fed = _restart_under_reader(node, duration_s)
    report["restarted_under_a_reader"] = {"fed": asdict(fed), "read": asdict(read)}
    # A reader that waits through the restart may get the driver's last buffer once more.
    report["ok"] = good and read.last_number >= fed.first_number and read.backwards <= 1
    return report


def _round(node: str, duration_s: float) -> tuple[Read, Fed]:
    with Feeder(node) as feeder:
        reader = Reader(node, duration_s)
        reader.wait_for_picture()
        read = reader.result()
    return read, feeder.result()


def _restart_under_reader(node: str, duration_s: float) -> tuple[Read, Fed]:
    with Feeder(node):
        reader = Reader(node, duration_s)
        reader.wait_for_picture()
    with Feeder(node) as feeder:
        read = reader.result()
    return read, feeder.result()


def _good(read: Read) -> bool:
    steady = abs(read.fps / FPS - 1.0) < 0.05
    return read.size_px == SIZE_PX and steady and read.backwards == 0 and read.mark_found


def main() -> int:
    """Parse the command line, check, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", help="node or name; the first virtual camera by default")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of one round")
    parser.add_argument("--out", type=Path, help="also write the report here")
    arguments = parser.parse_args()
    try:
        report = check(arguments.device, arguments.seconds)
    except FacepuppetError as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
