"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from facepuppet.errors import OutputUnwritableError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by way of a temporary one beside it, so that no half-written file is ever seen.

    Raises:
        OutputUnwritableError: the folder is missing or read-only, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise OutputUnwritableError(
            f"{path} ({error.strerror or error})", "a place that can be written", "Choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
