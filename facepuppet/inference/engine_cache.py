"""Built engines and their compiled kernels, kept in the user's cache folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from facepuppet.core.errors import EngineError, OutputUnwritableError
from facepuppet.inference.engine_file import ENGINE, KERNELS, EngineKey, read_engine, write_engine

log = logging.getLogger(__name__)


class State(StrEnum):
    """What a cached engine is good for."""

    READY = "ready"
    ELSEWHERE = "for another machine"  # another GPU, or a TensorRT that is not installed
    STALE = "stale"  # its network or its TensorRT was replaced
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the cache; key is None when it cannot be read."""

    path: Path
    key: EngineKey | None
    size: int


class EngineCache:
    """A folder of engines named by all that they depend on.

    Args:
        folder: where they are kept; the user's cache folder if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(platformdirs.user_cache_dir("facepuppet", appauthor=False)) / "engines"

    def get(self, key: EngineKey) -> bytes | None:
        """Return what has this key; None if there is none, or (logged) none that can be trusted."""
        path = self.folder / key.file_name
        if not path.is_file():
            return None
        try:
            found, plan = read_engine(path)
        except EngineError as problem:
            log.warning("Cached %s: made again.", problem.got)
            return None
        if found != key:
            log.warning("Cached %s is of another network, version or GPU: made again.", path.name)
            return None
        return plan

    def put(self, key: EngineKey, plan: bytes) -> Path:
        """Keep an engine or its kernels.

        Raises:
            OutputUnwritableError: the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnwritableError(
                f"{self.folder} ({error.strerror})", "a cache folder that can be written", "Check its owner."
            ) from error
        path = self.folder / key.file_name
        write_engine(path, key, plan)
        return path

    def entries(self) -> Iterator[Entry]:
        """Every file, in the order of names."""
        for path in sorted(self.folder.glob("*")):
            if path.suffix in (f".{ENGINE}", f".{KERNELS}"):
                yield _entry(path)

    def remove(self, entry: Entry) -> None:
        """Delete one file.

        Raises:
            OutputUnwritableError: it cannot be deleted.
        """
        try:
            entry.path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputUnwritableError(
                f"{entry.path} ({error.strerror})", "a file that can be deleted", "Check its owner."
            ) from error


def _entry(path: Path) -> Entry:
    try:
        key, plan = read_engine(path)
    except EngineError:
        return Entry(path, None, path.stat().st_size)
    return Entry(path, key, len(plan))
