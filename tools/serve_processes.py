"""A real `facepuppet serve` for tools: started, looked at from outside, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_STARTS_S = 180.0
_CLI = "from facepuppet.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    Attributes:
        process: of the command.
        url: of its page.
        token: access code.
        began_s: how long it took until people could come in.
        said: file with what it prints.
    """

    process: subprocess.Popen[bytes]
    url: str
    token: str
    began_s: float
    said: Path

    def family(self) -> list[psutil.Process]:
        """Return the command and all that it started."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def hosts(self) -> list[psutil.Process]:
        """Return the hosts' processes."""
        return [one for one in self.family() if named(one).startswith("ray::ServeReplica:facepuppet:Host")]


@contextmanager
def running_server(*words: str, environment: dict[str, str] | None = None) -> Iterator[Running]:
    """Run `facepuppet serve` on a free port, with one token."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        began_s = time.monotonic()
        with said.open("wb") as file:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _CLI,
                    "serve",
                    "--address",
                    f"127.0.0.1:{port}",
                    "--drain",
                    "1",
                    *words,
                ],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | (environment or {}),
            )
        try:
            token = _token(process, said)
            took_s = time.monotonic() - began_s
            yield Running(process, f"http://127.0.0.1:{port}/", token, took_s, said)
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


def _token(process: subprocess.Popen[bytes], said: Path) -> str:
    end_s = time.monotonic() + _STARTS_S
    while "Ctrl-C ends it." not in (text := said.read_text()):
        if process.poll() is not None or time.monotonic() > end_s:
            raise SystemExit(f"the server does not start:\n{text}")
        time.sleep(0.1)
    return next(line.rpartition("=")[2] for line in text.splitlines() if line.startswith("come in by"))


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def named(process: psutil.Process) -> str:
    """Return a process's command line, as it shows it; empty when it is gone."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU time that processes have taken, seconds."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def pss_mb(processes: Sequence[psutil.Process]) -> float:
    """Return the memory of processes, shared pages divided among those that share them, MiB."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss / 2**20
    return total
