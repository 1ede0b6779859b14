"""Analysed portraits, kept in the user's cache folder so that each picture is analysed once."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import platformdirs

from facepuppet.core.errors import AvatarPackError, OutputUnwritableError
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.pack import PACK_SUFFIX, Pack, load_pack, save_pack

_log = logging.getLogger(__name__)


class AvatarCache:
    """A folder of packs named by the portrait's sha256 and the analysis version.

    It never fails: a damaged entry is a miss, a folder that cannot be written is logged.
    """

    def __init__(self, analysis_version: int, folder: Path | None = None) -> None:
        self._version = analysis_version
        self._folder = folder or Path(platformdirs.user_cache_dir("facepuppet", appauthor=False)) / "avatars"

    def get(self, source_sha256: str, name: str) -> Avatar | None:
        """Return the avatar made of the portrait with this digest, called `name`; None if there is none."""
        path = self._path(source_sha256)
        try:
            if not path.is_file():
                return None
            avatar = load_pack(path).avatar
        except (AvatarPackError, OSError) as error:
            _log.warning("ignoring a cached avatar that cannot be read: %s", error)
            return None
        if avatar.source_sha256 != source_sha256:
            _log.warning("ignoring a cached avatar made of another portrait: %s", path)
            return None
        return dataclasses.replace(avatar, name=name)

    def put(self, avatar: Avatar) -> None:
        """Keep an avatar; when that fails, say so in the log and go on."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_pack(Pack(avatar), self._path(avatar.source_sha256))
        except (OSError, OutputUnwritableError) as error:
            _log.warning("the analysed portrait could not be cached: %s", error)

    def _path(self, source_sha256: str) -> Path:
        return self._folder / f"{source_sha256}-v{self._version}{PACK_SUFFIX}"
