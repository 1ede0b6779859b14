"""The live loop: newest wins between its threads, and one clean way out.

    driver ─Expression→ [latest] → puppet ─frame begun→ [latest] → finish ─Marked→ [latest] → paced sinks

A slow stage drops what it could not take and never queues it. When no expression comes (at the start, or
while a camera is unplugged) the puppet is driven by nobody's: it holds, eases to rest and idles, and the
output keeps flowing. A frame that nobody waits behind is finished where it was begun; where frames are made
in one go (on a GPU) there is no finish stage. A stage that fails in a way nobody foresaw is begun again
(`supervised`); while no pictures come from it, a card goes out.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from facepuppet.character.bits import Bit
from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError, StageError
from facepuppet.core.memory import return_free_memory
from facepuppet.core.metrics import Meter, RunStats, Spread, rss_mb
from facepuppet.core.slot import LatestSlot
from facepuppet.core.threads import Unpooled
from facepuppet.core.types import Expression, Pixels
from facepuppet.drivers.base import Driver
from facepuppet.session.control import Control
from facepuppet.session.ladder import AUTO
from facepuppet.session.next_expression import NextExpression
from facepuppet.session.puppet import Puppet
from facepuppet.session.quality_watch import Counts, QualityWatch
from facepuppet.session.safe_card import SafeCard
from facepuppet.session.snapshot import Snapshot
from facepuppet.session.supervised import Stage, Supervised
from facepuppet.sinks.fanout import Fanout
from facepuppet.sinks.metered_sink import MeteredSink
from facepuppet.sinks.pacer import Cover, Pacer
from facepuppet.sinks.sink import Sink
from facepuppet.watermark.marked import Marked

_POLL_S = 0.05

Unfinished = Callable[[], Marked]


class LivePipeline:
    """Drives a puppet into sinks until stopped.

        with LivePipeline(driver, puppet, [sink]) as live:
            live.run(seconds=60)

    The pipeline neither opens nor owns the sinks; it closes the driver when it stops.

    Args:
        driver: who moves the puppet; a file plays at its own pace, as if it were a camera.
        puppet: what to show; several by name, of one canvas size, to switch between.
        sinks: one or more outputs of the puppet's canvas size.
        fps: cadence of the output.
        quality: "auto" lets it follow what the machine can do; or the name of the one to keep (`ladder`).
        bits: what can be played over the driver, by name; the built-in ones if None.
        card: goes out in place of the puppet on `Panic`, and where it fails; the first puppet's if None.

    Attributes:
        control: takes commands while the loop runs.
        expression: the driver's newest; None before the first.
    """

    def __init__(
        self,
        driver: Driver,
        puppet: Puppet | Mapping[str, Puppet],
        sinks: Sequence[Sink],
        *,
        fps: float = 30.0,
        clock: Clock | None = None,
        quality: str = AUTO,
        card: SafeCard | None = None,
        bits: Mapping[str, Bit] | None = None,
    ) -> None:
        puppets = {"puppet": puppet} if isinstance(puppet, Puppet) else puppet
        self.control = Control(driver, puppets, quality, bits)
        self.expression: Expression | None = None
        self._driver, self._fps = driver, fps
        self._clock = clock or SystemClock()
        self._expressions: LatestSlot[Expression] = LatestSlot()
        self._unfinished: LatestSlot[Unfinished] = LatestSlot()
        self._pictures: LatestSlot[Marked] = LatestSlot()
        self._coming = NextExpression(self._expressions, fps, self._clock)
        self._meter = Meter()
        self._output = MeteredSink(_as_one(sinks, self._clock), self._meter, self._clock)
        self._card = card or next(iter(self.control.puppets.values())).card()
        self._overlaps = any(one.overlaps for one in self.control.puppets.values())
        begun = self._unfinished if self._overlaps else self._pictures
        stages = [
            Stage("driver", self._drive, self._expressions, shows=False),
            Stage("puppet", self._perform, begun, shows=True),
            *([Stage("finish", self._finish, self._pictures, shows=True)] if self._overlaps else []),
        ]
        self._stopping = threading.Event()
        self._stages = Supervised(stages, self._clock, self._stopping)
        covered = Cover(lambda: self.control.panic or self._stages.paused, self._card.at)
        self._pacer = Pacer(self._output, self._pictures, fps, self._clock, covered)
        self._driver_started = False
        self._started_ns: int | None = None
        self._stopped_ns: int | None = None
        self._unpooled: Unpooled | None = None
        self._n_expressions = self._n_with_face = self._n_made = 0
        self._n_hidden: Counter[str] = Counter()  # expressions, by the part
        self._n_handed = self._n_finished = 0  # frames, to and by the finish stage
        self._performing_ns = self._finishing_ns = 0  # how long the two stages have worked
        self._watch = QualityWatch(self.control, self._counts, fps, self._clock)

    def start(self) -> None:
        """Start every thread; returns at once."""
        self._started_ns = self._clock.now_ns()
        self._card.pixels = pixels = self._output.pixels or Pixels.RGB
        self._card.at(self._started_ns)  # one in reserve, for when none can be made
        for puppet in self.control.puppets.values():
            puppet.set_pixels(pixels)
        self._unpooled = Unpooled()
        return_free_memory()
        self._pacer.start()
        self._stages.start()
        self._watch.start()

    def run(self, seconds: float | None = None) -> None:
        """Run until the driver ends, `seconds` have passed, or Ctrl-C; then stop.

        Raises:
            FacepuppetError: what ended the loop, if a stage failed (StageError if nobody foresaw it).
        """
        if self._started_ns is None:
            self.start()
        deadline_ns = None if seconds is None else self._clock.now_ns() + round(seconds * 1e9)
        try:
            while self._pacer.running and self._stages.failure is None:
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
        self._watch.stop()
        self._pacer.stop()
        self._driver.close()
        self._stages.join()
        if self._unpooled is not None:
            self._unpooled.restore()

    def raise_if_failed(self) -> None:
        """Raise what ended the loop, if a stage failed; the earliest stage speaks."""
        for stage, error in (
            failed for failed in (self._stages.failure, ("sink", self._pacer.error)) if failed
        ):
            if isinstance(error, FacepuppetError):
                raise error
            if error is not None:
                raise _unforeseen(stage, error) from error

    def stats(self) -> RunStats:
        """Return a snapshot of the run so far, or of the whole run after stop()."""
        driver, puppet, sent = self._driver, self.control.puppet, self._pacer.sent
        begun = self._clock.now_ns() if self._started_ns is None else self._started_ns
        seconds = ((self._stopped_ns or self._clock.now_ns()) - begun) * 1e-9
        first_ns = self._output.first_ns
        return RunStats(
            seconds=round(seconds, 3),
            frames_in=self._n_arrived,
            frames_tracked=self._n_expressions,
            frames_with_face=self._n_with_face,
            frames_out=sent,
            frames_repeated=self._pacer.repeated,
            dropped={
                "track": driver.dropped,
                "puppet": self._expressions.dropped,
                "finish": self._unfinished.dropped,
                "sink": self._pictures.dropped + self._coming.passed_over,
            },
            fps=round(sent / seconds, 2) if seconds > 0 else 0.0,
            first_frame_s=None if first_ns is None else round((first_ns - begun) * 1e-9, 3),
            latency=Spread.of(self._pacer.latencies_s),
            stages={**driver.timings(), **puppet.timings(), **self._meter.spreads()},
            rss_mb=rss_mb(),
            networks=puppet.networks,
            frame_path=puppet.frame_path,
            fallbacks=puppet.fallbacks,
            quality=self.control.step.name,
            quality_changes=tuple(self._watch.changes),
            restarts=tuple(self._stages.restarts),
            rejected=driver.rejected,
            frames_hidden=dict(self._n_hidden),
        )

    @property
    def delay_s(self) -> float | None:
        """How late pictures are now, capture to sink in seconds: a running median; None before the first."""
        return self._pacer.delay_s

    @property
    def driver(self) -> Driver:
        """Who moves the puppet."""
        return self._driver

    @property
    def description(self) -> str:
        """Where pictures go, in words for a person."""
        return self._output.description

    @property
    def latencies_s(self) -> tuple[float, ...]:
        """Capture to sink of the newest pictures, oldest first."""
        return self._pacer.latencies_s

    def snapshot(self) -> Snapshot:
        """Return all that is known of the run at this moment: what a page or a terminal shows."""
        return Snapshot(self.control.state, self.stats())

    def __enter__(self) -> LivePipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _drive(self) -> None:
        if self._driver_started:
            self._driver.recover()
        else:
            self._driver_started = True
            self._driver.start(self._clock)
        while not self._stopping.is_set() and (expression := self._driver.read()) is not None:
            self._n_expressions += 1
            self._n_with_face += expression.face is not None
            self._n_hidden.update(part.value for part in expression.hidden)
            self.expression = expression
            self._expressions.put(expression)

    def _perform(self) -> None:
        while not self._stopping.is_set() and (expression := self._coming.take()) is not None:
            begun_ns = self._clock.now_ns()
            self.control.obey()
            self.control.puppet.set_matte(self._output.wants_matte)
            unfinished = self.control.puppet.start(self.control.heard(expression))
            if self._is_hurried:
                self._n_handed += 1
                self._unfinished.put(unfinished)
            else:
                self._made(unfinished())
            self._performing_ns += self._clock.now_ns() - begun_ns

    def _finish(self) -> None:
        while not self._stopping.is_set() and (unfinished := self._unfinished.take()) is not None:
            begun_ns = self._clock.now_ns()
            try:
                self._made(unfinished())
            finally:
                self._n_finished += 1
            self._finishing_ns += self._clock.now_ns() - begun_ns

    @property
    def _is_hurried(self) -> bool:
        """Whether to hand a frame over because the next one, or an earlier one, waits.

        Else it is finished where it was begun: at once, and while it is in that core's cache.
        """
        idle = self._n_handed == self._n_finished + self._unfinished.dropped
        return self._overlaps and (not idle or self._expressions.full)

    def _made(self, picture: Marked) -> None:
        self._pictures.put(picture)
        self._stages.shown()
        self._n_made += 1

    @property
    def _n_arrived(self) -> int:
        arrived = self._driver.arrived
        return self._n_expressions if arrived is None else arrived

    def _counts(self) -> Counts:
        return Counts(self._n_arrived, self._n_made, (self._performing_ns, self._finishing_ns))


def _as_one(sinks: Sequence[Sink], clock: Clock) -> Sink:
    return sinks[0] if len(sinks) == 1 and isinstance(sinks[0], Fanout) else Fanout(sinks, clock=clock)


def _unforeseen(stage: str, error: Exception) -> StageError:
    return StageError(
        f"an unexpected {type(error).__name__} in stage {stage} ({error})",
        "a stage that does not fail",
        "Run again with --debug, and report what it prints.",
    )
