"""The live loop: five threads, newest wins between them, and one clean way out.

    capture ─Frame→ [latest] → track ─Tracking→ [latest] → puppet ─Rendered→ [latest]
            → finish ─Marked→ [latest] → paced sinks

A slow stage drops what it could not take and never queues it. When no tracking comes (at the
start, or while a camera is unplugged) the puppet is driven by empty ones: it holds, eases to rest
and idles, and the output keeps flowing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Any

from threadpoolctl import threadpool_limits

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError, StageError
from facepuppet.core.metrics import RunStats, Spread, rss_mb
from facepuppet.core.slot import LatestSlot
from facepuppet.core.threads import single_threaded_blas
from facepuppet.core.types import Frame, Rendered, Tracking
from facepuppet.drivers.camera.driver_old import Driver, DriverTracker
from facepuppet.drivers.camera.tracker import Tracker
from facepuppet.media import CaptureThread, Source
from facepuppet.session.puppet import Puppet
from facepuppet.sinks import Fanout, Pacer, Sink
from facepuppet.watermark import Marked

STARVED_S = 0.25  # without a tracking for so long, the puppet goes on without its driver
_POLL_S = 0.05
_JOIN_S = 5.0

log = logging.getLogger(__name__)


def live_tracker() -> DriverTracker:
    """Open the tracker that a live loop uses by default."""
    return Tracker(live=True)


class LivePipeline:
    """Drives a puppet from a source into sinks until stopped.

        with LivePipeline(source, puppet, [sink]) as live:
            live.run(seconds=60)

    The pipeline neither opens nor owns the sinks; it closes the source when it stops.

    Args:
        source: driver frames; a file plays at its own pace, as if it were a camera.
        puppet: what to show; not shared with another pipeline.
        sinks: one or more outputs of the puppet's canvas size.
        fps: cadence of the output.
        make_tracker: opens the tracker, in the thread that uses it.
    """

    def __init__(
        self,
        source: Source,
        puppet: Puppet,
        sinks: Sequence[Sink],
        *,
        fps: float = 30.0,
        make_tracker: Callable[[], DriverTracker] = live_tracker,
        clock: Clock | None = None,
    ) -> None:
        self._source, self._puppet, self._fps = source, puppet, fps
        self._make_tracker = make_tracker
        self._clock = clock or SystemClock()
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._trackings: LatestSlot[Tracking] = LatestSlot()
        self._rendered: LatestSlot[Rendered | Marked] = LatestSlot()
        self._pictures: LatestSlot[Marked] = LatestSlot()
        self._output = _MeteredSink(sinks[0] if len(sinks) == 1 else Fanout(sinks), puppet, self._clock)
        self._capture = CaptureThread(source, self._frames, self._clock)
        self._pacer = Pacer(self._output, self._pictures, fps, self._clock)
        self._workers = [
            threading.Thread(target=self._guarded, args=(stage, body, slot), name=stage, daemon=True)
            for stage, body, slot in (
                ("track", self._track, self._trackings),
                ("puppet", self._perform, self._rendered),
                ("finish", self._finish, self._pictures),
            )
        ]
        self._stopping = threading.Event()
        self._started_ns: int | None = None
        self._stopped_ns: int | None = None
        self._failure: tuple[str, Exception] | None = None
        self._blas: threadpool_limits | None = None

    def start(self) -> None:
        """Start every thread; returns at once."""
        self._started_ns = self._clock.now_ns()
        self._blas = single_threaded_blas()
        self._pacer.start()
        for worker in reversed(self._workers):
            worker.start()
        self._capture.start()

    def run(self, seconds: float | None = None) -> None:
        """Run until the source ends, `seconds` have passed, or Ctrl-C; then stop.

        Raises:
            FacepuppetError: what ended the loop, if a stage failed (StageError if nobody foresaw it).
        """
        if self._started_ns is None:
            self.start()
        deadline_ns = None if seconds is None else self._clock.now_ns() + round(seconds * 1e9)
        try:
            while self._pacer.running and self._failure is None:
                if deadline_ns is not None and self._clock.now_ns() >= deadline_ns:
                    break
                self._stopping.wait(_POLL_S)
        finally:
            self.stop()
        self.raise_if_failed()

    def stop(self) -> None:
        """Stop every thread and wait for it; safe to call twice. Sinks stay open."""
        if self._started_ns is None or self._stopped_ns is not None:
            return
        self._stopping.set()
        self._stopped_ns = self._clock.now_ns()
        self._pacer.stop()
        self._capture.stop()
        for worker in self._workers:
            worker.join(_JOIN_S)
            if worker.is_alive():
                log.error("stage %s does not stop", worker.name)
        if self._blas is not None:
            self._blas.restore_original_limits()

    def raise_if_failed(self) -> None:
        """Raise what ended the loop, if a stage failed; the earliest stage speaks."""
        stages = (("capture", self._capture.error), self._failure, ("sink", self._pacer.error))
        for stage, error in (failed for failed in stages if failed is not None):
            if isinstance(error, FacepuppetError):
                raise error
            if error is not None:
                raise _unforeseen(stage, error) from error

    def stats(self) -> RunStats:
        """Return a snapshot of the run so far, or of the whole run after stop()."""
        meter, sent = self._puppet.meter, self._pacer.sent
        begun = self._clock.now_ns() if self._started_ns is None else self._started_ns
        seconds = ((self._stopped_ns or self._clock.now_ns()) - begun) * 1e-9
        first_ns = self._output.first_ns
        return RunStats(
            seconds=round(seconds, 3),
            frames_in=self._capture.captured,
            frames_tracked=meter.counted("tracked"),
            frames_with_face=meter.counted("with face"),
            frames_out=sent,
            frames_repeated=self._pacer.repeated,
            dropped={
                "track": self._frames.dropped,
                "puppet": self._trackings.dropped,
                "finish": self._rendered.dropped,
                "sink": self._pictures.dropped,
            },
            fps=round(sent / seconds, 2) if seconds > 0 else 0.0,
            first_frame_s=None if first_ns is None else round((first_ns - begun) * 1e-9, 3),
            latency=Spread.of(self._pacer.latencies_s),
            stages=meter.spreads(),
            rss_mb=rss_mb(),
            networks=self._puppet.networks,
            frame_path=self._puppet.frame_path,
            fallbacks=self._puppet.fallbacks,
        )

    def __enter__(self) -> LivePipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _guarded(self, stage: str, body: Callable[[], None], out: LatestSlot[Any]) -> None:
        """Run a stage; whatever ends it also ends those after it."""
        try:
            body()
        except Exception as error:  # belongs to the owner of the loop, not to this thread
            log.debug("stage %s ended", stage, exc_info=error)
            self._failure = self._failure or (stage, error)
        finally:
            out.close()

    def _track(self) -> None:
        with closing(Driver(self._make_tracker(), self._puppet.meter)) as driver:
            while not self._stopping.is_set() and (frame := self._frames.take()) is not None:
                self._trackings.put(driver.follow(frame))

    def _perform(self) -> None:
        now_ns = self._clock.now_ns()
        tracking = Tracking(None, None, self._source.size_px, 0, now_ns)
        patience_s = 0.0  # the first picture waits for nobody
        while not self._stopping.is_set():
            newest = self._trackings.take(patience_s)
            if newest is None and self._trackings.closed:
                return
            if newest is None:
                tracking = self._without_driver(tracking, now_ns)
                patience_s = 1.0 / self._fps
            else:
                # An idle tick may have run ahead of a late frame; time never runs back downstream.
                tracking = replace(newest, captured_ns=max(newest.captured_ns, tracking.captured_ns))
                patience_s = STARVED_S
            now_ns = self._clock.now_ns()
            self._rendered.put(self._puppet.perform(tracking))

    def _finish(self) -> None:
        while not self._stopping.is_set() and (rendered := self._rendered.take()) is not None:
            self._pictures.put(self._puppet.finish(rendered))

    def _without_driver(self, last: Tracking, shown_ns: int) -> Tracking:
        """An empty tracking as much later than the last one as it is now since that was shown."""
        elapsed_ns = self._clock.now_ns() - shown_ns
        return replace(last, face=None, torso=None, captured_ns=last.captured_ns + elapsed_ns)


class _MeteredSink(Sink):
    """Passes frames on, measures how long that takes, and notes when the first one left."""

    def __init__(self, sink: Sink, puppet: Puppet, clock: Clock) -> None:
        self.size_px = sink.size_px
        self.description = sink.description
        self.first_ns: int | None = None
        self._sink, self._meter, self._clock = sink, puppet.meter, clock

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        with self._meter.time("sink"):
            self._sink.send(frame, pts_s)
        if self.first_ns is None:
            self.first_ns = self._clock.now_ns()

    def close(self) -> None:
        """Leave the sink to whoever opened it."""


def _unforeseen(stage: str, error: Exception) -> StageError:
    return StageError(
        f"an unexpected {type(error).__name__} in stage {stage} ({error})",
        "a stage that does not fail",
        "Run again with --debug, and report what it prints.",
    )
