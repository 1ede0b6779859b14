"""What lets in to the stage: it stays the same from run to run, as the scenes of a streaming program do."""

from __future__ import annotations

import logging
import re
import secrets
from pathlib import Path

from facepuppet.control_room.loopback_port import HOST
from facepuppet.core.errors import FacepuppetError
from facepuppet.core.files import write_whole

_TOKEN_BYTES = 32
_FORM = re.compile(r"[\w-]{43}", re.ASCII)

log = logging.getLogger(__name__)


def stage_token(folder: Path | None = None) -> str:
    """Return this user's; made when first asked for. It shows the puppet and commands nothing.

    Args:
        folder: where it is kept; the user's state folder if None. Where nothing can be, it is for this run.
    """
    path = (folder or _folder()) / "stage-token"
    try:
        kept = path.read_text("ascii")
    except (OSError, ValueError):
        kept = ""
    if _FORM.fullmatch(kept):
        return kept
    made = secrets.token_urlsafe(_TOKEN_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, made.encode(), private=True)
    except (OSError, FacepuppetError) as error:
        log.warning("The stage will have another address in the next run: %s", error)
    return made


def stage_address(port: int, token: str) -> str:
    """Return the address of the stage's page."""
    return f"http://{HOST}:{port}/stage?token={token}"


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("facepuppet", appauthor=False))
