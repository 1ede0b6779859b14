"""Motion maps, kept in the user's cache folder so that each portrait is looked at once."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from pathlib import Path

import numpy as np
import platformdirs

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import write_whole
from facepuppet.core.types import N_LANDMARKS
from facepuppet.frames.generated.expression_probes import VERSION
from facepuppet.frames.generated.motion_map import MotionMap
from facepuppet.inference.imported_networks import N_KEYPOINTS
from facepuppet.portrait.avatar import Avatar

log = logging.getLogger(__name__)

_SHAPES = {
    "angles": (3, 3),
    "translation": (3, 3),
    "expression": (3 * N_KEYPOINTS, 3 * N_LANDMARKS),
}


class MapCache:
    """A folder of maps. It never fails: a damaged entry is a miss, a folder that cannot be written is logged.

    Args:
        networks: digest of the networks that the maps are of.
        folder: the user's cache folder if None.
    """

    def __init__(self, networks: str, folder: Path | None = None) -> None:
        self._networks = networks
        cache = Path(platformdirs.user_cache_dir("facepuppet", appauthor=False))
        self._folder = folder or cache / "motion-maps"

    def get(self, avatar: Avatar) -> MotionMap | None:
        """Return the map of a portrait; None if there is none."""
        try:
            with np.load(self._path(avatar), allow_pickle=False) as file:
                found = {name: np.asarray(file[name], np.float64) for name in _SHAPES}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        if any(found[name].shape != shape for name, shape in _SHAPES.items()):
            return None
        if not all(np.isfinite(values).all() for values in found.values()):
            return None
        return MotionMap(**found)

    def put(self, avatar: Avatar, motion_map: MotionMap) -> None:
        """Keep a map; when that fails, say so in the log and go on."""
        file = io.BytesIO()
        values = {name: np.asarray(getattr(motion_map, name), np.float32) for name in _SHAPES}
        np.savez(file, allow_pickle=False, **values)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(avatar), file.getvalue())
        except (OSError, OutputUnwritableError) as problem:
            log.warning("What LivePortrait sees of this portrait could not be cached: %s", problem)

    def _path(self, avatar: Avatar) -> Path:
        digest = hashlib.sha256(f"{VERSION} {self._networks} {avatar.size_px}".encode())
        for array in (avatar.portrait_rgb, avatar.person_alpha, avatar.landmarks_px):
            digest.update(np.ascontiguousarray(array).tobytes())
        return self._folder / f"{digest.hexdigest()}.npz"
