"""Starting Ray on this machine, or joining a cluster, and the end of both."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from facepuppet.core.errors import ServerError

_STORE = 128 * 2**20  # bytes that objects may share; only portraits' files are large enough to go there
_HEAD_S = 1.0  # between looks at the head
_GONE = 3  # looks in a row that find no head
_PATIENCE_S = 3.0
_END_S = 5.0
_NICER = 5

# No process is started before it is needed, nothing is reported to Ray's makers, and what Ray's own processes
# say about each other (a regular expression that fits all of it) stays in their logs. The controller looks
# after its replicas twice a second: ten times take 2.8 % of a core where nobody is here, twice 1.2.
_FRUGAL = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    "RAY_DEDUP_LOGS_SKIP_REGEX": r"[\s\S]",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """Where people come in.

    Attributes:
        host: address to listen on.
        port: 1 to 65535.
        cert: PEM file of the certificate chain; HTTP without.
        key: PEM file of its key.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    cert: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(cls, text: str, cert: Path | None = None, key: Path | None = None) -> Door:
        """Read "HOST:PORT", "[::1]:PORT" or ":PORT", which is this machine alone.

        Raises:
            ServerError: neither; or a certificate without a key, or files that are not there.
        """
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname or "127.0.0.1", parts.port
        except ValueError:
            port = None
        if not port or parts.username is not None or parts.path or parts.query:
            raise ServerError(f"--address {text!r}", "HOST:PORT, such as 127.0.0.1:8000", "Write it so.")
        if (cert is None) != (key is None):
            raise ServerError(
                "one of --tls-cert and --tls-key", "both, or neither", "Give the file that is missing, too."
            )
        for path in (cert, key):
            if path is not None and not path.is_file():
                raise ServerError(f"'{path}', which is no file", "a file in PEM", "Check its name.")
        return cls(host, port, cert, key)

    @property
    def url(self) -> str:
        """The page's address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http{'s' if self.cert else ''}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def check_free(self) -> None:
        """Raise a ServerError where nobody can listen here, as another program does."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as there:
                there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                there.bind((self.host, self.port))
        except OSError as error:
            raise ServerError(
                f"--address {self.host}:{self.port}, where nobody can listen ({error.strerror or error})",
                "a free port of this machine",
                "Choose another, or end what listens there.",
            ) from error


@contextmanager
def ray_on(address: str | None, cores: int | None = None, metrics_port: int | None = None) -> Iterator[str]:
    """Have Ray, and end what was started for it.

    Nothing may have imported Ray before: what it shall do is told by the environment, at which it looks when
    it is imported.

    Args:
        address: of a cluster's head, which this machine is a node of; None starts Ray here, on loopback.
        cores: that a Ray here may give away; all if None.
        metrics_port: where a Ray here tells Prometheus its figures; some free port if None.

    Yields:
        The address of the head, HOST:PORT.

    Raises:
        ServerError: no head answers there, Ray does not start, or it was loaded before.
    """
    if address is not None and address != "auto" and not is_there(address):
        raise ServerError(
            f"--ray {address}, where nobody answers",
            "the address of a Ray head, such as 10.0.0.1:6379",
            "Look whether `ray start --head` ran there, and whether a firewall lies between.",
        )
    for name, value in _FRUGAL.items():
        os.environ.setdefault(name, value)
    if address is None:
        _stay_alone()
    import ray

    options: dict[str, Any] = {"address": address} if address is not None else _here(cores, metrics_port)
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ServerError(
            f"a Ray that cannot be used ({_first_line(error)})",
            "a Ray that starts, or a cluster that this machine is a node of",
            "On a cluster, run `ray start --address HEAD:6379` here first, with the same Python and Ray.",
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ray has put its own in place
    begun = _below() if address is None else []
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        begun += _below() if address is None else []
        within(_END_S, ray.shutdown)
        for process in begun:  # Ray's agents outlive a head that was killed
            with suppress(psutil.Error):
                process.kill()


def _below() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def let_hosts_go_first() -> None:
    """Have Serve's proxy give way to sessions, when a storm of joins keeps it busy."""
    for process in _below():
        with suppress(psutil.Error):
            if any("ProxyActor" in word for word in process.cmdline()):
                give_way(process)


def give_way(process: psutil.Process) -> None:
    """Lower a process's priority, where there is niceness."""
    if os.name == "posix":
        process.nice(min(19, process.nice() + _NICER))


def _stay_alone() -> None:
    """Keep a Ray that is about to start on loopback, and everybody out who has not its token.

    Ray 2.60 asks the first of these variables whether it may have several nodes, and listens on all addresses
    where it may. Each replica of Serve listens on all of them in any case, and unpickles what it is sent: the
    token is what keeps others out there, and other users of this machine out of all the rest.

    Raises:
        ServerError: Ray was loaded before, and has looked already.
    """
    if "ray" in sys.modules and "RAY_AUTH_TOKEN" not in os.environ:
        raise ServerError("a process that has loaded Ray", "one that has not", "Start the server in its own.")
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _here(cores: int | None, metrics_port: int | None) -> dict[str, Any]:
    return {
        "address": "local",  # whatever RAY_ADDRESS says
        "num_cpus": cores,
        "include_dashboard": False,
        "object_store_memory": _STORE,
        "_metrics_export_port": metrics_port,
    }


def resources() -> tuple[int, int]:
    """Return how many cores and GPUs the Ray that is there may give away."""
    import ray

    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return int(there.get("CPU", 0)), int(there.get("GPU", 0))


def is_there(address: str) -> bool:
    """Return whether somebody listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S):
            return True
    except (OSError, ValueError):
        return False


def stay(head: str, every_s: float = _HEAD_S) -> None:
    """Wait until Ctrl-C, or until the head is gone.

    Raises:
        ServerError: the head is gone.
        KeyboardInterrupt: Ctrl-C, or SIGTERM.
    """
    misses = 0
    while misses < _GONE:
        time.sleep(every_s)
        misses = 0 if is_there(head) else misses + 1
    raise ServerError(
        "no answer from Ray's head any more",
        "it to run for as long as the server does",
        "Start the server again; who was in a session comes back by the page.",
    )


def within(seconds: float, work: Callable[[], Any]) -> None:
    """Do some work, but wait no longer for it: Ray waits a minute for a head that is gone."""
    thread = threading.Thread(target=_quietly, args=(work,), name="end of Ray", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.debug("the end of Ray was not waited for after %.0f s", seconds)


def _quietly(work: Callable[[], Any]) -> None:
    with suppress(Exception):
        work()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
