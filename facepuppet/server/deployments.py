"""The server's two deployments: one reception, many hosts, placed and healed by Ray Serve.

page ─HTTP→ Serve's proxy → ReceptionReplica ─a streaming request a session→ HostReplica
page ←────────────── pictures, sound and a data channel ──────────────→ HostReplica
                            ReceptionReplica ←─ avatars, errands, answers ─ HostReplica
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from ray import serve

from facepuppet.server.messages import Errand, Join, Over, Told
from facepuppet.server.ray_seams import HOSTS, RayDesk, RayHosts
from facepuppet.server.server_metrics import MeasuredHosts, ServerMetrics
from facepuppet.server.server_parts import Parts
from facepuppet.server.session_log import log_as_json

RECEPTION = "Reception"
_HEAD = {"node:__internal_head__": 0.001}  # where Serve's proxy is, which outlives every other node
_MANY = 100_000  # requests at once: an errand and a stream for each session


class HostReplica:
    """A process in which puppets perform: one, or several that share a GPU."""

    def __init__(self, parts: Parts) -> None:
        log_as_json("host", parts.logs)
        self._metrics = ServerMetrics()
        self._host = parts.make_host(RayDesk(), parts.sizes.sessions)

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        """Perform a session; its host sees to it that it goes on when this request is cancelled."""
        try:
            async for told in self._host.perform(join):
                self._metrics.performing(self._host.taken)
                if isinstance(told, Over):
                    self._metrics.ended(told.why.value)
                yield told
        finally:
            self._metrics.performing(self._host.taken)
            if not self._host.taken:
                give_memory_back()

    async def check_health(self) -> None:
        """Tell Prometheus how it goes; Serve asks every two seconds whether a host is well."""
        self._metrics.media(await self._host.figures())


def give_memory_back() -> None:
    """Free what a session leaves: connections and pipelines refer to themselves, and C's heap keeps pages."""
    gc.collect()
    with suppress(AttributeError, OSError):  # of the GNU library alone
        ctypes.CDLL(None).malloc_trim(0)


class ReceptionReplica:
    """The one process that speaks HTTP, behind Serve's proxy."""

    def __init__(self, parts: Parts, hosts: Any) -> None:
        log_as_json("reception", parts.logs)
        measured = MeasuredHosts(RayHosts(hosts, parts.sizes.sessions), ServerMetrics())
        self._front = parts.make_front(measured)

    def __serve_build_asgi_app__(self) -> Any:
        """Return what answers HTTP; Serve asks for it."""
        return self._front.app

    async def avatar(self, sha256: str) -> bytes:
        """See `seams.Desk`."""
        return await self._front.desk.avatar(sha256)

    async def errands(self, session: str) -> list[Errand]:
        """See `seams.Desk`."""
        return await self._front.desk.errands(session)

    async def answer(self, errand: str, answer: str | Over) -> None:
        """See `seams.Desk`."""
        await self._front.desk.answer(errand, answer)

    async def revoked(self) -> frozenset[str]:
        """See `seams.Desk`."""
        return await self._front.desk.revoked()

    async def close(self, seconds: float) -> None:
        """See `server_parts.Front`."""
        await self._front.close(seconds)


def application(parts: Parts) -> Any:
    """Return the application for `serve.run`."""
    deployment: Any = serve.deployment  # its type is that of the decorator
    hosts = deployment(HostReplica, name=HOSTS, **parts.sizes.deployment_options())
    reception = deployment(
        serve.ingress()(ReceptionReplica),
        name=RECEPTION,
        num_replicas=1,
        max_ongoing_requests=_MANY,
        ray_actor_options={"num_cpus": 0, "resources": _HEAD},
        health_check_period_s=2.0,
        graceful_shutdown_timeout_s=2.0,
        graceful_shutdown_wait_loop_s=0.2,
    )
    return reception.bind(parts, hosts.bind(parts))
