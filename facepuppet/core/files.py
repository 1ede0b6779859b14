"""Writing a file whole or not at all, under a name that was checked before the work."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError


def check_target(path: Path) -> None:
    """Check that a file can be written under a name, before the work that it shall hold is done.

    Args:
        path: its place; an existing file is left as it is.

    Raises:
        OutputUnwritableError: a folder, a name that the file system does not take, or a folder around it
            that is missing or read-only.
    """
    try:
        folder = path.absolute().parent
        if path.is_dir():
            raise OutputUnwritableError(f"'{path}', which is a folder", "a file", "Choose another name.")
        if not folder.is_dir():
            todo = f"Make it: mkdir -p '{folder}'"
            raise _unwritable(
                path, "which cannot be written in a folder that does not exist", "an existing folder", todo
            )
        with contextlib.suppress(FileNotFoundError):  # the usual case
            path.lstat()  # says no to a name that is too long, or has what names may not have
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise _unwritable(path, f"which cannot be written ({why})", "a file name", "Rename it.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        todo = "Choose another folder."
        raise _unwritable(
            path,
            "which cannot be written in a folder without write permission",
            "one that can be written",
            todo,
        )


def temporary_beside(path: Path, ending: str = "") -> Path:
    """Return a new hidden name in the same folder, short however long the file's own name is."""
    return path.with_name(f".{uuid.uuid4().hex[:16]}.part{ending}")


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name; where that fails it is kept under another one, which the error tells.

    Raises:
        OutputUnwritableError: the name cannot be given any more.
    """
    try:
        temporary.replace(path)
    except OSError as error:
        kept = _kept(temporary, path)
        raise OutputUnwritableError(
            f"'{path}', which cannot be written any more ({error.strerror or error})",
            "the name to stay free for a file",
            f"The finished file is kept as '{kept}': move it where you want it.",
        ) from error


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file by way of a temporary one beside it, so that no half-written file is ever seen.

    Args:
        path: its place; an existing file is replaced.
        content: all of it.
        private: at no moment can anybody but the owner read it.

    Raises:
        OutputUnwritableError: the folder is missing or read-only, or the disk is full.
    """
    temporary = temporary_beside(path)
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


def _kept(temporary: Path, path: Path) -> Path:
    """Move a finished file to a name that can be seen, in the same folder; return where it is."""
    visible = path.with_name(f"finished-{uuid.uuid4().hex[:8]}{path.suffix[:16]}")
    try:
        return temporary.replace(visible)
    except OSError:
        return temporary


def _unwritable(path: Path, what: str, expected: str, todo: str) -> OutputUnwritableError:
    return OutputUnwritableError(f"'{path}', {what}", expected, todo)
