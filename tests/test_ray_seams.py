"""The seams over a handle: a small one of our own, as Serve's needs a cluster (test_serve_ray.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra facepuppet[server]")

from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import BackPressureError

from facepuppet.core.errors import ServerError
from facepuppet.server.messages import Answered, DrivenBy, Join, Leave, Over, Told, Why
from facepuppet.server.ray_seams import RayDesk, RayHosts

JOIN = Join("session", "v=0", "a", "a.png", b"{}", DrivenBy.CAMERA)
LEFT = Over(Why.LEFT, "left")


class Response:
    """A streaming response: items, then perhaps an error, or no end."""

    def __init__(self, items: list[Any], *, ends: bool = True) -> None:
        self._items, self._ends = items, ends
        self.cancelled = self.read_to_the_end = False

    async def __aiter__(self) -> AsyncIterator[Told]:
        for item in self._items:
            await asyncio.sleep(0)
            if isinstance(item, Exception):
                raise item
            yield item
        if not self._ends:
            await asyncio.Event().wait()
        self.read_to_the_end = True

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """What answers every call with a response, or raises."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.asked: list[tuple[Any, ...]] = []

    def options(self, **_: Any) -> Handle:
        return self

    def __getattr__(self, method: str) -> Handle:
        return self

    def remote(self, *values: Any) -> Any:
        self.asked.append(values)
        return self.response

    async def answered(self) -> Any:
        if isinstance(self.response, Exception):
            raise self.response
        return self.response


class AwaitedHandle(Handle):
    """A handle of which calls are awaited."""

    def remote(self, *values: Any) -> Any:
        self.asked.append(values)
        return self.answered()


def hosts_of(items: list[Any], *, ends: bool = True) -> tuple[RayHosts, Response]:
    response = Response(items, ends=ends)
    return RayHosts(Handle(response), count=lambda: 3), response


def all_told(items: list[Any]) -> list[Told]:
    async def listen() -> list[Told]:
        return [told async for told in hosts_of(items)[0].perform(JOIN)]

    return asyncio.run(listen())


def raised(cause: Exception) -> RayTaskError:
    return RayTaskError("perform", "traceback", cause)


def test_what_a_host_tells_comes_through() -> None:
    assert all_told([Answered("sdp"), LEFT]) == [Answered("sdp"), LEFT]
    occupied = Over(Why.OCCUPIED, "taken", again=True)
    assert all_told([occupied]) == [occupied]


@pytest.mark.parametrize(
    ("error", "why", "again"),
    [
        (ActorDiedError(), Why.LOST, True),
        (BackPressureError(1, 1), Why.FULL, False),
        (raised(ValueError("x")), Why.FAILED, True),
        (ValueError("x"), Why.FAILED, True),
    ],
)
def test_an_error_becomes_an_over(error: Exception, why: Why, again: bool) -> None:
    *before, over = all_told([Answered("sdp"), error])
    assert before == [Answered("sdp")]
    assert isinstance(over, Over) and (over.why, over.again) == (why, again)


def test_a_stream_that_just_ends_is_a_lost_host() -> None:
    over = all_told([Answered("sdp")])[-1]
    assert isinstance(over, Over) and over.why is Why.LOST and over.again


def test_closed_before_the_answer_the_place_in_line_is_given_up() -> None:
    async def leave() -> Response:
        hosts, response = hosts_of([], ends=False)
        told = hosts.perform(JOIN)
        waiting = asyncio.ensure_future(told.__anext__())
        await asyncio.sleep(0.01)
        assert await hosts.seats() == (3, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert await hosts.seats() == (3, 0)
        return response

    assert asyncio.run(leave()).cancelled


def test_closed_after_the_answer_the_session_runs_on_and_holds_its_place() -> None:
    async def leave() -> Response:
        hosts, response = hosts_of([Answered("sdp")], ends=False)
        told = hosts.perform(JOIN)
        assert await told.__anext__() == Answered("sdp")
        await told.aclose()
        await asyncio.sleep(0.01)
        assert await hosts.seats() == (3, 1)
        assert not response.cancelled
        return response

    asyncio.run(leave())


def test_a_desk_passes_on_what_the_reception_says() -> None:
    handle = AwaitedHandle([Leave(LEFT)])
    assert asyncio.run(RayDesk(lambda: handle).errands("session")) == [Leave(LEFT)]
    assert handle.asked == [("session",)]
    unknown = ServerError("none", "one", "Look.")
    with pytest.raises(ServerError, match="Got none"):
        asyncio.run(RayDesk(lambda: AwaitedHandle(raised(unknown))).avatar("a"))


def test_while_the_reception_is_away_a_host_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facepuppet.server.ray_seams._RECEPTION_AWAY_S", 0.01)

    async def ask() -> None:
        handle = AwaitedHandle(frozenset({"id"}))
        desk = RayDesk(lambda: handle)
        assert await desk.revoked() == {"id"}
        handle.response = ActorDiedError()
        assert await desk.revoked() == {"id"}  # as it was
        assert await desk.errands("session") == []
        await desk.answer("errand", "sdp")
        with pytest.raises(ServerError, match="reception is away"):
            await desk.avatar("a")

    asyncio.run(ask())
