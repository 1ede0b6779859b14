"""Whose work the tracker's networks are: the notice names what is shipped, and what it was made from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from engines.conversion.mediapipe_networks import SOURCES, Source
from facepuppet.inference.manifest import read_trackers, shipped_folder

ROOT = Path(__file__).resolve().parents[1]
NOTICE = (ROOT / "engines" / "NOTICE-MediaPipe").read_text(encoding="utf-8")


def test_every_network_of_the_tracker_is_named() -> None:
    folder = shipped_folder().resolve()
    shipped = {network.path.relative_to(folder).as_posix() for network in read_trackers().values()}
    assert set(re.findall(r"-> (\S+)", NOTICE)) == shipped


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_each_stands_below_the_file_it_was_made_from(source: Source) -> None:
    entry = re.search(
        rf"^{re.escape(source.file)}\n  ([0-9a-f]{{64}})((?:\n  -> \S+)+)", NOTICE, re.MULTILINE
    )
    assert entry is not None
    digest, made = entry.groups()
    network = read_trackers()[source.name]
    assert f"-> weights/{network.path.name}" in made
    assert digest in onnx_metadata(network.path) and digest[:16] in network.origin


def onnx_metadata(path: Path) -> str:
    """The file as text: metadata is kept in it as plain words."""
    return path.read_bytes().decode("latin-1")


def test_it_goes_wherever_the_networks_go() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "engines/NOTICE-MediaPipe" in project["project"]["license-files"]
    assert "NOTICE-*" in project["tool"]["setuptools"]["package-data"]["engines"]
