"""When a paced output may, and when it must, send its next frame."""

from __future__ import annotations

EARLY = 0.5  # periods: camera jitter that is let through at once
GRACE = 0.25  # periods: how late a frame may be before the last one is repeated
SLACK = 0.01  # a camera's clock may run this much faster than ours without frames piling up


class Cadence:
    """The schedule of an output that should neither stall nor outrun its rate.

    A new frame may go as soon as it is there, up to half a period before its nominal time, so
    that jitter costs no latency; on average the rate is not exceeded. Without a new frame the last
    one is due again a quarter of a period after its nominal time. All times are of one monotonic
    clock, in nanoseconds.
    """

    def __init__(self, fps: float) -> None:
        self._period_ns = round(1e9 / fps)
        self._nominal_ns: int | None = None  # of the next frame

    def earliest_ns(self) -> int:
        """Return when a new frame may be sent."""
        return 0 if self._nominal_ns is None else self._nominal_ns - round(EARLY * self._period_ns)

    def repeat_ns(self) -> int | None:
        """Return when the last frame is to be repeated; None before there is one."""
        return None if self._nominal_ns is None else self._nominal_ns + round(GRACE * self._period_ns)

    def sent(self, now_ns: int) -> None:
        """Note that a new frame was sent: the schedule follows the source when it is late."""
        nominal_ns = now_ns if self._nominal_ns is None else max(now_ns, self._nominal_ns)
        self._nominal_ns = nominal_ns + round((1.0 - SLACK) * self._period_ns)

    def repeated(self, now_ns: int) -> None:
        """Note a repeat: the schedule goes on as it was, unless the whole program was held up."""
        nominal_ns = now_ns if self._nominal_ns is None else self._nominal_ns
        self._nominal_ns = max(nominal_ns, now_ns - self._period_ns) + self._period_ns
