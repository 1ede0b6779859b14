"""What is counted, beside a recorder; that Ray serves it to Prometheus is held in test_serve_ray.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from facepuppet.server.messages import Answered, DrivenBy, Join, Over, Told, Why
from facepuppet.server.server_metrics import MeasuredHosts, ServerMetrics
from facepuppet.server.server_parts import SessionFigures

JOIN = Join("session", "v=0", "a", "a.png", b"{}", DrivenBy.CAMERA)
LEFT = Over(Why.LEFT, "left")


class Recorder:
    """Takes down what is counted."""

    def __init__(self) -> None:
        self.joins: list[str] = []
        self.line: list[int] = []
        self.seats = 0

    def joined(self, outcome: str, wait_s: float) -> None:
        assert wait_s >= 0
        self.joins.append(outcome)

    def waiting(self, people: int) -> None:
        self.line.append(people)

    def places(self, seats: int) -> None:
        self.seats = seats


class Hosts:
    """Tells what it is given."""

    def __init__(self, *told: Told) -> None:
        self._told = told

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        for told in self._told:
            yield told
        if not self._told:
            await asyncio.Event().wait()

    async def seats(self) -> tuple[int, int]:
        return 4, 1


def measured(*told: Told) -> tuple[Any, Recorder]:
    recorder = Recorder()
    return MeasuredHosts(Hosts(*told), recorder), recorder  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [((Answered("sdp"), LEFT), "answered"), ((Over(Why.FULL, "full"),), "full"), ((LEFT,), "left")],
)
def test_joins_are_counted_by_how_they_went(told: tuple[Told, ...], outcome: str) -> None:
    hosts, recorder = measured(*told)

    async def join() -> list[Told]:
        return [one async for one in hosts.perform(JOIN)]

    assert tuple(asyncio.run(join())) == told
    assert recorder.joins == [outcome] and recorder.line == [1, 0]


def test_who_leaves_the_line_is_counted_as_such() -> None:
    hosts, recorder = measured()

    async def join() -> None:
        waiting = asyncio.ensure_future(hosts.perform(JOIN).__anext__())
        await asyncio.sleep(0.01)
        assert recorder.line == [1]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(join())
    assert recorder.joins == ["left"] and recorder.line == [1, 0]


class Series:
    """One figure of Prometheus: what was recorded, by tags."""

    def __init__(self, name: str, _: str, tag_keys: tuple[str, ...] = (), boundaries: Any = None) -> None:
        self.keys, self.values = tag_keys, dict[tuple[str, ...], list[float]]()

    def inc(self, value: float = 1.0, tags: dict[str, str] | None = None) -> None:
        tags = tags or {}
        assert set(tags) == set(self.keys)
        self.values.setdefault(tuple(tags.values()), []).append(value)

    set = observe = inc


class Kinds:
    """Makes figures, and keeps them by name."""

    def __init__(self) -> None:
        self.made: dict[str, Series] = {}
        self.Counter = self.Gauge = self.Histogram = self.make

    def make(self, name: str, what: str, *words: Any, **named: Any) -> Series:
        assert what.endswith(".")
        return self.made.setdefault(name, Series(name, what, *words, **named))


def test_what_sessions_carry_is_told_of_a_whole_host() -> None:
    kinds = Kinds()
    metrics = ServerMetrics(kinds)
    full = {"fps": 29.5, "delay_ms": 40, "step": "full"}
    metrics.media({"a": SessionFigures(full, 1000, 2000), "b": SessionFigures({}, 0, 0)})
    time.sleep(0.02)
    metrics.media({"a": SessionFigures(full | {"fps": 15.0, "step": "light"}, 2000, 2500)})
    assert kinds.made["facepuppet_fps"].values == {(): [29.5, 15.0]}
    assert kinds.made["facepuppet_delay_ms"].values == {(): [40.0, 40.0]}
    assert kinds.made["facepuppet_steps"].values == {("light",): [1.0]}
    carried = kinds.made["facepuppet_kbps"].values
    assert carried[("in",)][0] == 0 and carried[("in",)][1] == pytest.approx(2 * carried[("out",)][1])


def test_an_end_by_an_error_counts_as_one() -> None:
    kinds = Kinds()
    metrics = ServerMetrics(kinds)
    for why in ("left", "failed"):
        metrics.ended(why)
    metrics.joined("lost", 0.0)
    assert set(kinds.made["facepuppet_ends"].values) == {("left",), ("failed",)}
    assert set(kinds.made["facepuppet_errors"].values) == {("failed",), ("lost",)}


def test_places_are_told() -> None:
    hosts, recorder = measured()
    assert asyncio.run(hosts.seats()) == (4, 1) and recorder.seats == 4
