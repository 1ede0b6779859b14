"""What VTube Studio let us in with, kept so that its user is asked once."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from facepuppet.core.errors import FacepuppetError
from facepuppet.core.files import write_whole

_MOST_BYTES = 100_000

log = logging.getLogger(__name__)


class VtubeTokens:
    """One token for each VTube Studio, in a file that its owner alone can read.

    Args:
        folder: where it is kept; the user's configuration folder if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = (folder or _folder()) / "vtube-studio-tokens.json"

    def get(self, address: str) -> str | None:
        """Return the token for an address; None where there is none."""
        return self._all().get(address)

    def put(self, address: str, token: str | None) -> None:
        """Keep a token, or forget one; where that cannot be, the user is asked again in the next run."""
        tokens = self._all()
        tokens.pop(address, None)
        if token is not None:
            tokens[address] = token
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._path, json.dumps(tokens).encode(), private=True)
        except (OSError, FacepuppetError) as error:
            log.warning("VTube Studio will ask again in the next run: %s", error)

    def _all(self) -> dict[str, str]:
        try:
            if self._path.stat().st_size > _MOST_BYTES:
                return {}
            told = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(told, dict):
            return {}
        return {address: token for address, token in told.items() if isinstance(token, str)}


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("facepuppet", appauthor=False))
