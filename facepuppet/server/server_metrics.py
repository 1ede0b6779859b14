"""Figures for Prometheus, through Ray: each node's agent serves those of its processes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from facepuppet.server.messages import Answered, Join, Told, Why
from facepuppet.server.seams import Hosts
from facepuppet.server.server_parts import SessionFigures

_WAITS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 300.0)
_DELAYS_MS = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)


class ServerMetrics:
    """Ray's metrics of one process; names begin with "ray_facepuppet_" where Prometheus reads them.

    No figure carries a session's id: there would be a new series for each.

    Args:
        kinds: has Counter, Gauge and Histogram; Ray's own (`ray.util.metrics`) if None.
    """

    def __init__(self, kinds: Any = None) -> None:
        if kinds is None:
            from ray.util import metrics as kinds
        Counter, Gauge, Histogram = kinds.Counter, kinds.Gauge, kinds.Histogram
        self._joins = Counter("facepuppet_joins", "Joins, by how they went.", ("outcome",))
        self._ends = Counter("facepuppet_ends", "Sessions that ended, by why.", ("why",))
        self._sessions = Gauge("facepuppet_sessions", "Sessions that perform.")
        self._line = Gauge("facepuppet_line", "People that wait for a place.")
        self._seats = Gauge("facepuppet_seats", "Places, taken and free.")
        self._waits = Histogram(
            "facepuppet_wait_seconds", "From a join to its answer.", boundaries=list(_WAITS_S)
        )
        self._fps = Gauge("facepuppet_fps", "Pictures a second that go out, of all sessions of a host.")
        self._delay = Histogram(
            "facepuppet_delay_ms", "From a picture's arrival to its leaving.", boundaries=list(_DELAYS_MS)
        )
        self._kbps = Gauge("facepuppet_kbps", "Bits a second of media, in and out.", ("way",))
        self._steps = Counter("facepuppet_steps", "Times that a session's picture changed.", ("step",))
        self._before: dict[str, SessionFigures] = {}
        self._before_s = time.monotonic()
        self._errors = Counter("facepuppet_errors", "What failed, by its kind.", ("kind",))

    def joined(self, outcome: str, wait_s: float) -> None:
        """Count a join; its outcome is "answered", or why not."""
        self._joins.inc(tags={"outcome": outcome})
        if outcome in (Why.FAILED.value, Why.LOST.value):
            self._errors.inc(tags={"kind": outcome})
        self._waits.observe(max(wait_s, 1e-4))

    def ended(self, why: str) -> None:
        """Count the end of a session, and the error where it was one."""
        self._ends.inc(tags={"why": why})
        if why == Why.FAILED.value:
            self._errors.inc(tags={"kind": why})

    def performing(self, sessions: int) -> None:
        """Say how many sessions perform in this process."""
        self._sessions.set(sessions)

    def waiting(self, people: int) -> None:
        """Say how many people wait for a place."""
        self._line.set(people)

    def places(self, seats: int) -> None:
        """Say how many places there are."""
        self._seats.set(seats)

    def media(self, figures: Mapping[str, SessionFigures]) -> None:
        """Take over how the sessions of this process go, by their ids; now and then."""
        now_s = time.monotonic()
        self._fps.set(sum(one.status.get("fps") or 0.0 for one in figures.values()))
        for name, one in figures.items():
            before = self._before.get(name)
            if (delay_ms := one.status.get("delay_ms")) is not None:
                self._delay.observe(max(float(delay_ms), 1e-3))
            if before is not None and one.status.get("step") != before.status.get("step"):
                self._steps.inc(tags={"step": str(one.status.get("step"))})
        kept = [(one, self._before[name]) for name, one in figures.items() if name in self._before]
        span_s = max(1e-3, now_s - self._before_s)
        received = sum(one.received - before.received for one, before in kept)
        sent = sum(one.sent - before.sent for one, before in kept)
        self._kbps.set(max(0, received) * 8e-3 / span_s, tags={"way": "in"})
        self._kbps.set(max(0, sent) * 8e-3 / span_s, tags={"way": "out"})
        self._before, self._before_s = dict(figures), now_s


class MeasuredHosts:
    """`seams.Hosts` that counts who comes in, and how long it takes.

    Args:
        hosts: does the work.
        metrics: where it is counted.
    """

    def __init__(self, hosts: Hosts, metrics: ServerMetrics) -> None:
        self._hosts, self._metrics = hosts, metrics
        self._waiting = 0

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """See `seams.Hosts`."""
        began, first = time.monotonic(), True
        self._wait(1)
        told_by_host = self._hosts.perform(join)
        try:
            async for told in told_by_host:
                if first:
                    first = False
                    self._count(told, time.monotonic() - began)
                yield told
        finally:
            if first:
                self._count(None, time.monotonic() - began)
            await _close(told_by_host)

    async def seats(self) -> tuple[int, int]:
        """See `seams.Hosts`."""
        seats, taken = await self._hosts.seats()
        self._metrics.places(seats)
        return seats, taken

    def _count(self, told: Told | None, wait_s: float) -> None:
        outcome = "answered" if isinstance(told, Answered) else told.why.value if told else "left"
        self._metrics.joined(outcome, wait_s)
        self._wait(-1)

    def _wait(self, more: int) -> None:
        self._waiting += more
        self._metrics.waiting(self._waiting)


async def _close(told: AsyncIterator[Told]) -> None:
    close = getattr(told, "aclose", None)
    if close is not None:
        await close()
