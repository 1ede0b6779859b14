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
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.clock import SystemClock
from facepuppet.devices import list_virtual_cameras
from facepuppet.errors import FacepuppetError
from facepuppet.sinks import Pacer
from facepuppet.sinks.v4l2loopback import state
from facepuppet.sinks.virtual_camera import VirtualCamera, find_virtual_camera
from facepuppet.slot import LatestSlot
from facepuppet.types import Composed
from facepuppet.watermark import Marked, Marker, detect

SIZE_PX = (1280, 720)
FPS = 30.0
BITS = 16  # of the frame number, one white or black square each, along the top
SQUARE_PX = 60
LEAD_S = 1.5  # fed before the reader opens: a reader sees an exclusive_caps device only while it is fed


@dataclass(frozen=True)
class Fed:
    """What the feeding side counted."""

    open_ms: float
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


def read_back(node: str, duration_s: float) -> Read:
    """Open the camera as any program would and examine what comes; runs in a process of its own."""
    capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, SIZE_PX[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, SIZE_PX[1])
    lumas: list[tuple[npt.NDArray[np.uint8], float]] = []
    numbers: list[int] = []
    size_px = (0, 0)
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        ok, bgr = capture.read()
        if not ok:
            time.sleep(0.02)
            continue
        size_px = (bgr.shape[1], bgr.shape[0])
        luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        numbers.append(number_in(luma))
        half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # a third of a GB less
        lumas.append((np.asarray(half, np.uint8), time.monotonic()))
    capture.release()
    return _judged(size_px, numbers, lumas)


def _judged(
    size_px: tuple[int, int], numbers: list[int], lumas: list[tuple[npt.NDArray[np.uint8], float]]
) -> Read:
    if len(numbers) < 2:
        return Read(size_px, len(numbers), 0.0, 0.0, 0.0, 0.0, 0, 0, 0, mark_found=False, mark_log10_p=0.0)
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
        mark_found=found.marked,
        mark_log10_p=round(found.best.log10_p, 1),
    )


def check(device: str | None, duration_s: float) -> dict[str, object]:
    """Run the three rounds: first feed, feed again, feed again while a reader holds the device."""
    node = find_virtual_camera(device, list_virtual_cameras()).device
    report: dict[str, object] = {"device": node, "before": state(node).value}
    readers = mp.get_context("spawn").Pool(1)
    for name in ("first", "again"):
        with Feeder(node) as feeder:
            time.sleep(LEAD_S)
            read = readers.apply(read_back, (node, duration_s))
        report[name] = {"fed": asdict(feeder.result()), "read": asdict(read)}
        report[f"after_{name}"] = state(node).value
    with Feeder(node) as feeder:
        time.sleep(LEAD_S)
        held = readers.apply_async(read_back, (node, 2 * duration_s))
        time.sleep(duration_s / 2)
    number_at_restart = Feeder.number
    with Feeder(node) as feeder:
        read = held.get()
    report["held_by_reader"] = {
        "fed": asdict(feeder.result()),
        "read": asdict(read),
        "frames_fed_before_restart": number_at_restart,
    }
    readers.close()
    rounds = [report[name]["read"] for name in ("first", "again")]  # type: ignore[index]
    # A reader that waits through the restart may get the driver's last buffer once more.
    went_on = read.frames > duration_s * FPS and read.backwards <= 1
    report["ok"] = all(map(_good, rounds)) and went_on
    return report


def _good(read: dict[str, object]) -> bool:
    steady = abs(float(read["fps"]) / FPS - 1.0) < 0.05  # type: ignore[arg-type]
    return read["size_px"] == SIZE_PX and steady and read["backwards"] == 0 and bool(read["mark_found"])


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
