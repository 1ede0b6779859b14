"""The server from its start to its end: Ray, Serve's proxy, the application, draining."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ray import serve
from ray.exceptions import RayError

from facepuppet.core.errors import ServerError
from facepuppet.server.deployments import application
from facepuppet.server.ray_seams import APP
from facepuppet.server.ray_start import Door, is_there, let_hosts_go_first, within
from facepuppet.server.server_parts import Parts

_LEEWAY_S = 5.0  # beyond what people were told, for their hosts to end
_END_S = 15.0  # that Serve may take to end
_IDLE_S = 90  # that a connection may be kept open without a request

log = logging.getLogger(__name__)


@contextmanager
def open_server(parts: Parts, door: Door, head: str, *, own_ray: bool) -> Iterator[Server]:
    """Run the application on the Ray that is there, until it is left.

    Args:
        parts: what it is made of.
        door: where people come in.
        head: address of Ray's head, without which there is nothing to tidy up.
        own_ray: whether this Ray was started for the server alone, and is about to end with it.

    Raises:
        ServerError: the door is taken, or hosts do not start.
    """
    if own_ray:
        door.check_free()
    _quiet()
    serve.start(proxy_location="HeadOnly", http_options=_http(door), logging_config=_logging())
    try:
        handle = serve.run(application(parts), name=APP, route_prefix="/", logging_config=_logging())
        if not is_there(f"{door.host}:{door.port}"):
            raise ServerError(
                f"a cluster whose Serve does not listen on {door.host}:{door.port}",
                "a cluster without Serve, or one that listens there",
                "Stop that one (`serve shutdown`), or give its address.",
            )
        if own_ray:
            let_hosts_go_first()
        yield Server(handle)
    except RuntimeError as error:  # what Serve raises when replicas do not come up
        raise ServerError(
            f"hosts that do not start ({str(error).strip().splitlines()[0][:160]})",
            "hosts that start on each node",
            "Look into the logs of Ray (/tmp/ray/session_latest/logs/serve), and try --debug.",
        ) from error
    finally:
        # A Ray of our own ends with all that is on it. On a cluster, a host goes when its sessions are over.
        if not own_ray and is_there(head):
            within(_END_S, partial(serve.delete, APP, _blocking=False))


class Server:
    """A running server.

    Args:
        handle: of the reception.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def close(self, seconds: float) -> None:
        """Let nobody in any more, tell everybody, and wait until all are gone, or told seconds are over."""
        try:
            self._handle.close.remote(seconds).result(timeout_s=seconds + _LEEWAY_S)
        except (RayError, TimeoutError, serve.exceptions.RayServeException) as error:
            log.warning("sessions were cut off (%s)", type(error).__name__)


def _http(door: Door) -> dict[str, Any]:
    tls = {"ssl_certfile": str(door.cert), "ssl_keyfile": str(door.key)} if door.cert else {}
    return {"host": door.host, "port": door.port, "keep_alive_timeout_s": _IDLE_S, **tls}


def _logging() -> dict[str, Any]:
    # No log of accesses: it would be one of who watches whom.
    return {"encoding": "JSON", "log_level": "WARNING", "enable_access_log": False}


def _quiet() -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
