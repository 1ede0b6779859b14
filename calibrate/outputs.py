"""Whether a pack can be written where it is wanted, told before minutes of work and not after."""

from __future__ import annotations

import os
from pathlib import Path

from facepuppet.core import OutputUnwritableError
from facepuppet.portrait import PACK_SUFFIX


def check_pack_target(out: Path) -> None:
    """Check the name and the folder of a pack to be written.

    Raises:
        OutputUnwritableError: it does not end in .puppet, is a folder, or cannot be written there.
    """
    if out.suffix.lower() != PACK_SUFFIX:
        raise OutputUnwritableError(f"--out {out}", f"a name that ends in {PACK_SUFFIX}", "Rename it.")
    if out.is_dir():
        raise OutputUnwritableError(f"--out {out}, which is a folder", "a file", "Choose another name.")
    folder = out.absolute().parent
    if not folder.is_dir():
        raise OutputUnwritableError(
            f"--out {out}, in a folder that does not exist",
            "an existing folder",
            f"Make it: mkdir -p '{folder}'",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputUnwritableError(
            f"--out {out}, in a folder without write permission",
            "one that can be written",
            "Choose another folder.",
        )
