"""OpenCV as the program that reads the camera, in a process of its own."""

from __future__ import annotations

import multiprocessing as mp
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import cv2
import numpy as np

from facepuppet.watermark import detect
from virtual_camera.counted_frames import FPS, N_FRAMES, U8, number_in

OPEN_WITHIN_S = 30.0
FIRST_WITHIN_S = 60.0  # a slow machine starts Python and loads OpenCV


@dataclass(frozen=True)
class Read:
    """What a program saw; intervals are between its frames. Only pictures that count tell of skips."""

    size_px: tuple[int, int]
    frames: int
    first_after_s: float
    fps: float
    p95_ms: float
    max_ms: float
    repeated: int | None
    skipped: int | None
    mark_found: bool
    mark_log10_p: float

    def __str__(self) -> str:
        """Return it as one line."""
        mark = f"mark found (10^{self.mark_log10_p:.0f})" if self.mark_found else "NO MARK"
        counted = "" if self.skipped is None else f"{self.repeated} repeated, {self.skipped} skipped, "
        return (
            f"{self.size_px[0]}x{self.size_px[1]}, {self.fps:.1f} FPS, interval p95 {self.p95_ms:.1f} ms, "
            f"max {self.max_ms:.0f} ms, {counted}{mark}"
        )


class OpenCVReader:
    """Reads for so long; `wait_for_picture`, then `result`.

    Args:
        node: the device.
        size_px: asked for.
        duration_s: from the first picture on.
        counted: the pictures count themselves.
    """

    def __init__(
        self, node: str, size_px: tuple[int, int], duration_s: float, *, counted: bool = True
    ) -> None:
        context = mp.get_context("spawn")
        self._answers, sending = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_read_back, args=(node, size_px, duration_s, sending, counted), daemon=True
        )
        self._process.start()
        self._patience_s = FIRST_WITHIN_S + duration_s

    def wait_for_picture(self) -> None:
        """Block until the first frame has arrived."""
        self._answer()

    def result(self) -> Read:
        """Block until it has read its time, and return what it saw."""
        answer = self._answer()
        self._process.join()
        assert isinstance(answer, Read)
        return answer

    def _answer(self) -> object:
        if not self._answers.poll(self._patience_s):
            self._process.kill()
            raise TimeoutError("OpenCV read no picture")
        answer = self._answers.recv()
        if isinstance(answer, str) and answer:
            raise TimeoutError(answer)
        return answer


def _read_back(
    node: str, size_px: tuple[int, int], duration_s: float, answers: Connection, counted: bool
) -> None:
    """Open the camera as any program would, tell of the first frame, then judge what comes."""
    # All memory is taken, and touched, beforehand: a reader that stalls would blame the camera.
    n_kept = round(duration_s * FPS * 1.5)
    store = np.ones((n_kept, size_px[1] // 2, size_px[0] // 2), np.uint8)
    bgr, luma = np.ones((*size_px[::-1], 3), np.uint8), np.ones(size_px[::-1], np.uint8)
    begun_s = time.monotonic()
    capture = _opened(node, size_px)
    if capture is None:
        answers.send(f"{node} did not open as a camera within {OPEN_WITHIN_S:.0f} s")
        return
    times_s: list[float] = []
    numbers: list[int] = []
    while len(numbers) < n_kept and (not times_s or times_s[-1] < times_s[0] + duration_s):
        ok, bgr = capture.read(bgr)
        if not ok:
            continue
        times_s.append(time.monotonic())
        luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY, dst=luma)
        numbers.append(number_in(luma))
        cv2.resize(luma, store.shape[:0:-1], dst=store[len(numbers) - 1], interpolation=cv2.INTER_AREA)
        if len(numbers) == 1:
            answers.send("")
    capture.release()
    size = (bgr.shape[1], bgr.shape[0])
    if not counted:
        numbers.clear()
    answers.send(judged(size, numbers, list(zip(store, times_s, strict=False)), times_s[0] - begun_s))


def judged(
    size_px: tuple[int, int], numbers: list[int], lumas: list[tuple[U8, float]], first_after_s: float
) -> Read:
    """Judge frames (H, W) with their times; without numbers, nothing is said of repeats."""
    times_s = np.array([time_s for _, time_s in lumas])
    gaps_ms = np.diff(times_s) * 1e3
    steps = np.diff(numbers) % N_FRAMES
    found = detect(lumas)
    return Read(
        size_px=size_px,
        frames=len(lumas),
        first_after_s=round(first_after_s, 2),
        fps=round((len(lumas) - 1) / float(times_s[-1] - times_s[0]), 2),
        p95_ms=round(float(np.percentile(gaps_ms, 95)), 2),
        max_ms=round(float(gaps_ms.max()), 2),
        repeated=int((steps == 0).sum()) if numbers else None,
        skipped=int((steps[steps > 1] - 1).sum()) if numbers else None,
        mark_found=found.marked,
        mark_log10_p=round(found.best.log10_p, 1),
    )


def _opened(node: str, size_px: tuple[int, int]) -> cv2.VideoCapture | None:
    """Open the camera as soon as it is one: with exclusive_caps it is only while it is fed."""
    until_s = time.monotonic() + OPEN_WITHIN_S
    while time.monotonic() < until_s:
        capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_px[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_px[1])
            return capture
        time.sleep(0.2)
    return None
