"""Whether outputs can be written where they are wanted, told before minutes of work and not after."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from facepuppet.core import OutputUnwritableError, check_target
from facepuppet.portrait import PACK_SUFFIX


def check_pack_target(out: Path) -> None:
    """Check the name and the folder of a pack to be written.

    Raises:
        OutputUnwritableError: it does not end in .puppet, is a folder, or cannot be written there.
    """
    if out.suffix.lower() != PACK_SUFFIX:
        raise OutputUnwritableError(f"--out {out}", f"a name that ends in {PACK_SUFFIX}", "Rename it.")
    check_target(out)


def save_finished(save: Callable[[Path], None], out: Path) -> None:
    """Save what took minutes; where that fails after all, save it elsewhere rather than lose it.

    Args:
        save: writes it to a path, whole or not at all.
        out: where it is wanted.

    Raises:
        OutputUnwritableError: it is not at `out`; the error tells where it is kept, if anywhere.
    """
    try:
        save(out)
    except OutputUnwritableError as error:
        kept = _saved_elsewhere(save, out)
        if kept is None:
            raise
        todo = f"It is kept as '{kept}': move it where you want it."
        raise OutputUnwritableError(error.got, error.expected, todo) from error


def _saved_elsewhere(save: Callable[[Path], None], out: Path) -> Path | None:
    name = f"finished-{uuid.uuid4().hex[:8]}{out.suffix}"
    for folder in (out.absolute().parent, Path(tempfile.gettempdir())):
        try:
            save(folder / name)
        except OutputUnwritableError:
            continue
        return folder / name
    return None
