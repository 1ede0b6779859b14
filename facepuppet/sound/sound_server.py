"""PulseAudio's and PipeWire's own names of devices, which PortAudio does not know; by `pactl`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Kind = Literal["source", "sink"]

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Node:
    """A device of the sound server.

    Attributes:
        name: what the server calls it.
        description: what people call it.
    """

    name: str
    description: str


def has_pactl() -> bool:
    """Tell whether the server can be asked."""
    return shutil.which("pactl") is not None


def server_name() -> str:
    """Name the running sound server and its version: 'pulseaudio 16.1'; empty where there is none."""
    told = dict(line.partition(": ")[::2] for line in _ask("info").splitlines())
    return f"{told.get('Server Name', '')} {told.get('Server Version', '')}".strip()


def list_nodes(kind: Kind) -> list[Node]:
    """List the server's sources or sinks; none where there is no server, or no `pactl`."""
    told = _ask("--format=json", "list", f"{kind}s")
    if told:
        with suppress(ValueError, TypeError, KeyError):
            return [
                Node(str(one["name"]), str(one.get("description") or one["name"])) for one in json.loads(told)
            ]
    rows = (line.split("\t") for line in _ask("list", "short", f"{kind}s").splitlines())
    return [Node(row[1], row[1]) for row in rows if len(row) > 1]  # pactl before 16 has no JSON


def _ask(*words: str) -> str:
    if not has_pactl():
        return ""
    try:
        asked = subprocess.run(
            ["pactl", *words],
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(),
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}  # it speaks the user's language


class NodeWatch:
    """Calls when one of some devices is gone from the server.

    A server moves the sound of a device that goes to another one: the user's own voice would come out of
    the loudspeakers.

    Args:
        nodes: kinds and names.
        gone: called from a thread with the name of the one that has gone.
    """

    def __init__(self, nodes: list[tuple[Kind, str]], gone: Callable[[str], None]) -> None:
        self._nodes, self._gone = nodes, gone
        self._process: subprocess.Popen[str] | None = None
        if nodes and has_pactl():
            with suppress(OSError):
                self._process = subprocess.Popen(
                    ["pactl", "subscribe"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    text=True,
                    errors="replace",
                )
        if self._process is not None:
            threading.Thread(target=self._follow, name="sound server", daemon=True).start()

    def close(self) -> None:
        """Stop watching."""
        self._nodes = []
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _follow(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self._process.stdout as told:
            for line in told:
                if line.startswith(("Event 'remove' on sink #", "Event 'remove' on source #")):
                    self._look()

    def _look(self) -> None:
        for kind, name in self._nodes:
            if name not in {node.name for node in list_nodes(kind)}:
                self._gone(name)
