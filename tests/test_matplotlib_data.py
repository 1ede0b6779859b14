"""What comes with matplotlib is found where matplotlib itself says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import matplotlib
import pytest

from facepuppet.core.matplotlib_data import matplotlib_folder


def test_it_is_the_folder_that_matplotlib_names() -> None:
    assert matplotlib_folder() == Path(matplotlib.get_data_path())


def test_matplotlib_is_asked_where_its_data_lies_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "facepuppet.core.matplotlib_data.find_spec",
        lambda name: importlib.util.spec_from_file_location(name, tmp_path / "__init__.py"),
    )
    monkeypatch.setattr("matplotlib.get_data_path", lambda: "/usr/share/matplotlib/mpl-data")
    assert matplotlib_folder() == Path("/usr/share/matplotlib/mpl-data")
