"""The font and the sample portrait that arrive with matplotlib, found without importing it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def matplotlib_folder() -> Path:
    """Return matplotlib's folder of data.

    Importing matplotlib costs every start 50 ms, so it is only asked where its data is not beside its code,
    as in some Linux distributions.
    """
    spec = find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        beside = Path(spec.origin).with_name("mpl-data")
        if beside.is_dir():
            return beside
    import matplotlib

    return Path(matplotlib.get_data_path())
