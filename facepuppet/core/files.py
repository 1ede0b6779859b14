"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file by way of a temporary one beside it, so that no half-written file is ever seen.

    Args:
        path: its place; an existing file is replaced.
        content: all of it.
        private: at no moment can anybody but the owner read it.

    Raises:
        OutputUnwritableError: the folder is missing or read-only, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        mode = 0o600 if private else 0o666  # less the umask
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise OutputUnwritableError(
            f"{path} ({error.strerror or error})", "a place that can be written", "Choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
