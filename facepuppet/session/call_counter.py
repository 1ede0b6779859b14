"""The session counter that the watermark carries, so that two calls can be told apart."""

from __future__ import annotations

import logging
from pathlib import Path

from filelock import FileLock

_PATIENCE_S = 2.0

log = logging.getLogger(__name__)


def next_session(folder: Path | None = None) -> int:
    """Count one session on this machine and return its number, from 1.

    Args:
        folder: where the counter is kept; the user's state folder if None.

    Returns:
        The number, or 0 where it cannot be kept (a read-only home must not stop a call).
    """
    if folder is None:
        import platformdirs

        folder = Path(platformdirs.user_state_dir("facepuppet", appauthor=False))
    counter = folder / "sessions"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "sessions.lock", timeout=_PATIENCE_S):  # two calls may start at once
            session = (int(counter.read_text()) if counter.is_file() else 0) + 1
            counter.write_text(str(session))
    except (OSError, ValueError) as error:  # filelock's Timeout is an OSError
        log.info("sessions are not counted: %s", error)
        return 0
    return session
