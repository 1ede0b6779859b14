"""Sending the newest marked frame at a steady rate, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from facepuppet.core.clock import Clock
from facepuppet.core.slot import LatestSlot
from facepuppet.sinks.cadence import Cadence
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

IDLE_S = 0.1  # how often to look for stop() while there is nothing to send yet
GIVE_UP_S = 5.0  # stop() waits so long for a sink that is in the middle of a frame
N_LATENCIES = 4096  # newest samples kept; memory must not grow with time
N_NEWEST = 61  # of them, that tell how late pictures are now

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cover:
    """What goes out in place of new frames, as long as that is wanted.

    Attributes:
        wanted: tells whether it is; asked before each frame, from the sending thread.
        at: makes the marked picture for a moment (monotonic, ns), without any of the stages that make frames.
    """

    wanted: Callable[[], bool]
    at: Callable[[int], Marked]


class Pacer:
    """Takes marked frames from a slot and keeps a sink's cadence until the slot closes.

    A new frame is sent at once; when none comes in time the last one, already marked, is sent
    again, so that readers never see a stall. The pacer uses the sink but does not own it.

    Args:
        sink: takes the frames.
        slot: where the newest frame is.
        fps: cadence.
        clock: tells when.
        cover: stands in for frames, if that is wanted; what comes meanwhile is dropped.

    Attributes:
        sent: new frames delivered.
        repeated: frames delivered again.
        error: what ended the thread, if an error did.
    """

    def __init__(
        self, sink: Sink, slot: LatestSlot[Marked], fps: float, clock: Clock, cover: Cover | None = None
    ) -> None:
        self._sink = sink
        self._slot = slot
        self._clock = clock
        self._cover = cover
        self._cadence = Cadence(fps)
        self._last: Marked | None = None
        self._latencies_s: deque[float] = deque(maxlen=N_LATENCIES)
        self._newest_s: deque[float] = deque(maxlen=N_NEWEST)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="pacer", daemon=True)
        self.sent = 0
        self.repeated = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending and wait for the thread; one whose sink does not return is left, and told."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(GIVE_UP_S)
            if self._thread.is_alive():
                log.critical("%s does not take its last frame, and is left.", self._sink.description)

    @property
    def running(self) -> bool:
        """True while frames may still be sent."""
        return self._thread.is_alive()

    @property
    def latencies_s(self) -> tuple[float, ...]:
        """Capture-to-sink latencies of the newest new frames, in seconds; repeats do not count."""
        return tuple(self._latencies_s)

    @property
    def delay_s(self) -> float | None:
        """How late pictures are now, in seconds: the median of the newest; None before the first."""
        newest_s = sorted(self._newest_s)
        return newest_s[len(newest_s) // 2] if newest_s else None

    def raise_if_failed(self) -> None:
        """Raise what ended the thread, if an error did."""
        if self.error is not None:
            raise self.error

    def run(self) -> None:
        """Send until the slot closes, stop() is called or the sink fails; start() runs it in a thread."""
        try:
            while not self._stopping.is_set() and self._step():
                pass
        except Exception as error:  # whatever it is belongs to the owner, not to this thread
            self.error = error
            log.error("output ended: %s", error)

    def _step(self) -> bool:
        """Send one frame, new or repeated, or wait a little; False when there will be no more."""
        # Waiting before taking: what is taken then is the newest frame, not the first that came.
        self._clock.sleep_s((self._cadence.earliest_ns() - self._clock.now_ns()) * 1e-9)
        frame = None if self._covered else self._slot.take(self._patience_s())
        if self._covered:
            return self._send_cover()
        if frame is not None:
            self._send_new(frame)
            return True
        if self._slot.closed:
            return False
        repeat_ns = self._cadence.repeat_ns()
        if self._last is not None and repeat_ns is not None and self._clock.now_ns() >= repeat_ns:
            self._cadence.repeated(self._clock.now_ns())
            self._sink.send(self._last)
            self.repeated += 1
        return True

    @property
    def _covered(self) -> bool:
        return self._cover is not None and self._cover.wanted()

    def _send_cover(self) -> bool:
        """Send the cover and drop what it covers; False when there will be no more."""
        assert self._cover is not None
        ended = self._slot.closed
        self._slot.take(0.0)
        now_ns = self._clock.now_ns()
        self._cadence.sent(now_ns)
        self._last = self._cover.at(now_ns)
        self._sink.send(self._last)
        self.sent += 1
        return not ended

    def _patience_s(self) -> float:
        repeat_ns = self._cadence.repeat_ns()
        return IDLE_S if repeat_ns is None else max(0.0, (repeat_ns - self._clock.now_ns()) * 1e-9)

    def _send_new(self, frame: Marked) -> None:
        self._cadence.sent(self._clock.now_ns())
        self._sink.send(frame)
        self._last = frame
        self.sent += 1
        latency_s = (self._clock.now_ns() - frame.captured_ns) * 1e-9
        self._latencies_s.append(latency_s)
        self._newest_s.append(latency_s)
