"""Where a run tells other programs of the same user how to reach it, and where they look."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from facepuppet.control_room.loopback_port import HOST
from facepuppet.core.errors import FacepuppetError
from facepuppet.core.files import write_whole

_MOST_BYTES = 4096

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A run that can be spoken to.

    Attributes:
        port: on this machine.
        token: that lets in.
        pid: of its process.
        begun_s: when that process began, as the system says; another one may have its number by now.
    """

    port: int
    token: str
    pid: int
    begun_s: float

    @property
    def address(self) -> str:
        """Of its page, with the token that lets in."""
        return f"http://{HOST}:{self.port}/?token={self.token}"


def this_run(port: int, token: str) -> Running:
    """Describe this process."""
    return Running(port, token, os.getpid(), psutil.Process().create_time())


@contextlib.contextmanager
def told(running: Running, folder: Path | None = None) -> Iterator[None]:
    """Let other programs of this user find a run for as long as this is entered.

    Where it cannot be told (a read-only home), the page works all the same.

    Args:
        running: this run.
        folder: where runs are told; one in the user's state folder if None.
    """
    folder = folder or _folder()
    path = folder / f"{running.port}.json"
    content = json.dumps(asdict(running)).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, content, private=True)
    except (OSError, FacepuppetError) as error:
        log.warning("`facepuppet ctl` will not find this run: %s", error)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if path.read_bytes() == content:  # else another run has this port by now
                path.unlink()


def find_running(folder: Path | None = None) -> list[Running]:
    """Return the runs of this user that are alive, the newest first.

    Args:
        folder: as for `told`.
    """
    found = (_read(path) for path in sorted((folder or _folder()).glob("*.json")))
    alive = [one for one in found if one is not None and _is_alive(one)]
    return sorted(alive, key=lambda one: -one.begun_s)


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("facepuppet", appauthor=False)) / "running"


def _read(path: Path) -> Running | None:
    """Read what a run has told; None where a file is damaged, or gone by now."""
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MOST_BYTES))
        return Running(
            int(values["port"]), str(values["token"]), int(values["pid"]), float(values["begun_s"])
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _is_alive(one: Running) -> bool:
    try:
        return bool(abs(psutil.Process(one.pid).create_time() - one.begun_s) < 1.0)
    except (psutil.Error, ValueError, OverflowError):
        return False
