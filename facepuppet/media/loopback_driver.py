"""Which v4l2loopback is loaded; what it can do depends on it."""

from __future__ import annotations

import re
from pathlib import Path

LOOPBACK_MODULE = Path("/sys/module/v4l2loopback")
SILENT = (0, 12)  # modules tell their version from 0.13 on


def loopback_version(module: Path = LOOPBACK_MODULE) -> tuple[int, ...] | None:
    """Return the version of the loaded module, such as (0, 15, 4); None where none is loaded.

    (0, 12) stands for that version and older ones, which tell nothing.
    """
    if not module.is_dir():
        return None
    try:
        found = re.match(r"\d+(\.\d+)*", (module / "version").read_text().strip())
    except OSError:
        found = None
    return tuple(map(int, found[0].split("."))) if found else SILENT
