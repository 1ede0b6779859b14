"""Recording a driver alone: no portrait, no picture, only how somebody moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.threads import single_threaded_blas
from facepuppet.drivers.base import Driver
from facepuppet.drivers.expression_writer import ExpressionWriter
from facepuppet.drivers.recorded import RecordingDriver


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording holds.

    Attributes:
        n: expressions.
        n_with_face: of those, in which the driver was seen.
        seconds: from the first to the last.
    """

    n: int
    n_with_face: int
    seconds: float


def record(
    driver: Driver,
    writer: ExpressionWriter,
    seconds: float | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    clock: Clock | None = None,
) -> Recorded:
    """Write down what a driver does: a live one in real time, else every expression as fast as it goes.

    Args:
        driver: closed by whoever opened it.
        writer: closed by whoever opened it.
        seconds: stop after so long, by the driver's own time.
        progress: called with expressions so far and in all.
        clock: of a live driver.

    Raises:
        FacepuppetError: the driver cannot go on, or the file cannot be written.
    """
    recording, n, n_with_face, first_ns, last_ns = RecordingDriver(driver, writer, waits=True), 0, 0, 0, 0
    if driver.live:
        recording.start(clock or SystemClock())
    with single_threaded_blas():
        while (expression := recording.read()) is not None:
            first_ns = expression.captured_ns if n == 0 else first_ns
            last_ns = expression.captured_ns
            n, n_with_face = n + 1, n_with_face + (expression.face is not None)
            if progress is not None:
                progress(n, driver.n_frames)
            if seconds is not None and (last_ns - first_ns) * 1e-9 >= seconds:
                break
    return Recorded(n, n_with_face, (last_ns - first_ns) * 1e-9)
