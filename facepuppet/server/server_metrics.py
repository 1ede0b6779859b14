"""Figures for Prometheus, through Ray: each node's agent serves those of its processes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from facepuppet.server.messages import Answered, Join, Told
from facepuppet.server.seams import Hosts

_WAITS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 300.0)
_DELAYS_MS = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)


class ServerMetrics:
    """Ray's metrics of one process; names begin with "ray_facepuppet_" where Prometheus reads them.

    No figure carries a session's id: there would be a new series for each.
    """

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

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
        self._errors = Counter("facepuppet_errors", "What failed, by its kind.", ("kind",))

    def joined(self, outcome: str, wait_s: float) -> None:
        """Count a join; its outcome is "answered", or why not."""
        self._joins.inc(tags={"outcome": outcome})
        self._waits.observe(max(wait_s, 1e-4))

    def ended(self, why: str) -> None:
        """Count the end of a session that had been answered."""
        self._ends.inc(tags={"why": why})

    def failed(self, kind: str) -> None:
        """Count an error."""
        self._errors.inc(tags={"kind": kind})

    def performing(self, sessions: int) -> None:
        """Say how many sessions perform in this process."""
        self._sessions.set(sessions)

    def waiting(self, people: int) -> None:
        """Say how many people wait for a place."""
        self._line.set(people)

    def places(self, seats: int) -> None:
        """Say how many places there are."""
        self._seats.set(seats)

    def stepped(self, step: str) -> None:
        """Count a step down or up of a session's picture."""
        self._steps.inc(tags={"step": step})

    def media(self, status: Mapping[str, Any]) -> None:
        """Take over what a host tells a page twice a second: fps, delay_ms, kbps_in and kbps_out."""
        if (fps := status.get("fps")) is not None:
            self._fps.set(float(fps))
        if (delay_ms := status.get("delay_ms")) is not None:
            self._delay.observe(max(float(delay_ms), 1e-3))
        for way in ("in", "out"):
            if (kbps := status.get(f"kbps_{way}")) is not None:
                self._kbps.set(float(kbps), tags={"way": way})


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
