"""The two seams between reception and hosts, across Ray Serve.

A session is one streaming request: Serve places it, lets it wait for a place, and holds the place until it
ends. So the request is read to its end, even when the reception wants to hear no more of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Context
from typing import Any

from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException

from facepuppet.core.errors import FacepuppetError, ServerError
from facepuppet.server.messages import Answered, Errand, Join, Over, Told, Why

APP = "facepuppet"
HOSTS = "Host"

_LOST = Over(Why.LOST, "The host of this session was lost; a new one is being found.", again=True)
_FAILED = Over(Why.FAILED, "The server failed to begin or to go on with this session.", again=True)
_FULL = Over(Why.FULL, "All places are taken, and so is the line.")
_COUNT_AGAIN_S = 1.0  # how old a count of the hosts may be
_RECEPTION_AWAY_S = 1.0  # until a host asks again, when the reception is being started anew

log = logging.getLogger(__name__)


class RayHosts:
    """`seams.Hosts` over the handle of the hosts' deployment.

    Args:
        handle: of the deployment, whose `perform` streams.
        sessions: places in each replica.
        count: how many replicas are running; blocks.
    """

    def __init__(self, handle: Any, sessions: int = 1, count: Callable[[], int] | None = None) -> None:
        self._perform = handle.options(method_name="perform", stream=True)
        self._sessions, self._count = sessions, count or running_hosts
        self._requests: set[asyncio.Task[None]] = set()
        self._counted, self._counted_at = 0, -_COUNT_AGAIN_S
        self._counting = asyncio.Lock()

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """See `seams.Hosts`."""
        told: asyncio.Queue[Told] = asyncio.Queue()
        # In a context of its own: Serve cancels what was asked for in that of a WebSocket which closes.
        request = asyncio.create_task(self._follow(join, told.put_nowait), context=Context())
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        answered = False
        try:
            while True:
                item = await told.get()
                answered = answered or isinstance(item, Answered)
                yield item
                if isinstance(item, Over):
                    return
        finally:
            if not answered:
                request.cancel()  # out of the line; later, it is read to its end, which holds the place

    async def seats(self) -> tuple[int, int]:
        """See `seams.Hosts`; sessions that an earlier reception began are not counted as taken."""
        async with self._counting:
            if time.monotonic() - self._counted_at >= _COUNT_AGAIN_S:
                self._counted = await asyncio.to_thread(self._count)
                self._counted_at = time.monotonic()
        seats = self._counted * self._sessions
        return seats, min(len(self._requests), seats)

    async def _follow(self, join: Join, tell: Callable[[Told], None]) -> None:
        response = self._perform.remote(join)
        try:
            async for item in response:
                tell(item)
                if isinstance(item, Over):
                    return
            tell(_LOST)
        except asyncio.CancelledError:
            response.cancel()
            raise
        except Exception as error:
            over = over_of(error)
            known = {"session": join.session, "why": over.why.value, "error": _named(error)}
            log.warning("%s", over.sentence, extra=known)
            tell(over)


def running_hosts() -> int:
    """Return how many replicas of hosts are running; blocks for a few milliseconds."""
    application = serve.status().applications.get(APP)
    deployment = application.deployments.get(HOSTS) if application else None
    states = deployment.replica_states if deployment else {}
    return sum(n for state, n in states.items() if str(getattr(state, "value", state)) == "RUNNING")


def over_of(error: Exception) -> Over:
    """Say what an error of a request to a host means for its person."""
    if isinstance(error, BackPressureError):
        return _FULL
    if isinstance(error, RayTaskError):
        return _FAILED  # raised by the host's code
    if isinstance(error, (RayError, DeploymentUnavailableError, RayServeException)):
        return _LOST
    return _FAILED


def _named(error: Exception) -> str:
    cause = error.cause if isinstance(error, RayTaskError) else error
    return type(cause).__name__


def _reception() -> Any:
    """Return the reception's handle, which is spoken to past Ray's objects.

    A reply that goes by objects is waited for until its owner has it, and everything else that its actor was
    asked for waits, too: one host that stands still, or is cut off, kept all others from the reception.
    """
    return serve.get_app_handle(APP).options(_by_reference=False)


class RayDesk:
    """`seams.Desk` over the reception's handle, which is found when it is first needed.

    Args:
        find: returns the handle; Serve's own by default.
    """

    def __init__(self, find: Callable[[], Any] | None = None) -> None:
        self._find = find or _reception
        self._handle: Any = None
        self._revoked: frozenset[str] = frozenset()

    async def avatar(self, sha256: str) -> bytes:
        """See `seams.Desk`."""
        try:
            return bytes(await self._ask("avatar", sha256))
        except (RayError, RayServeException) as error:
            raise ServerError(
                "no portrait, as the reception is away", "it to come back", "Try again in some seconds."
            ) from error

    async def errands(self, session: str) -> list[Errand]:
        """See `seams.Desk`; none, after a second, while the reception is away."""
        try:
            return list(await self._ask("errands", session))
        except (RayError, RayServeException) as error:
            log.info("the reception is away", extra={"session": session, "error": _named(error)})
            await asyncio.sleep(_RECEPTION_AWAY_S)
            return []

    async def answer(self, errand: str, answer: str | Over) -> None:
        """See `seams.Desk`; given up where the reception is away, as its watcher is, too."""
        try:
            await self._ask("answer", errand, answer)
        except (RayError, RayServeException) as error:
            log.info("an answer found no reception", extra={"error": _named(error)})

    async def revoked(self) -> frozenset[str]:
        """See `seams.Desk`; as it was last, while the reception is away."""
        try:
            self._revoked = frozenset(await self._ask("revoked"))
        except (RayError, RayServeException) as error:
            log.info("the reception is away", extra={"error": _named(error)})
        return self._revoked

    async def _ask(self, method: str, *values: Any) -> Any:
        if self._handle is None:
            self._handle = self._find()
        asked: Awaitable[Any] = getattr(self._handle, method).remote(*values)
        try:
            return await asked
        except RayTaskError as error:
            if isinstance(error.cause, FacepuppetError):
                raise error.cause from None
            raise
