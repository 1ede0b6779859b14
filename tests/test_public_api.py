"""The names that programs may rely on, and the README's example."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from fakes import ListCamera, MemorySink

import facepuppet
from facepuppet.core import errors

ROOT = Path(__file__).resolve().parents[1]

PUBLIC = [
    "Avatar",
    "Backdrop",
    "Composer",
    "Corner",
    "FacepuppetError",
    "Framing",
    "LivePipeline",
    "Neutral",
    "Puppet",
    "RunStats",
    "__version__",
    "load_avatar",
    "open_sink",
    "open_source",
    "render_video",
    "sample_portrait_path",
]


def test_exported_names_are_pinned() -> None:
    assert dir(facepuppet) == PUBLIC
    for name in PUBLIC:
        assert getattr(facepuppet, name) is not None


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = facepuppet.nonsense


def test_every_error_is_in_the_tree_and_told_in_its_opening() -> None:
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, errors.FacepuppetError)
            assert name in (errors.__doc__ or "")


def test_readme_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ten lines of the README, with a list of pictures for the camera and memory for the sink."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    sinks: list[MemorySink] = []

    def to_memory(spec: str, size_px: tuple[int, int], fps: float) -> MemorySink:
        sinks.append(MemorySink(size_px))
        return sinks[-1]

    monkeypatch.setattr("facepuppet.portrait.load.load_avatar", lambda path: sample())
    monkeypatch.setattr("facepuppet.media.open_source", lambda spec: fake_camera())
    monkeypatch.setattr("facepuppet.sinks.open_sink", to_memory)
    exec(compile(example.group(1), "README.md", "exec"), {})
    assert sinks[0].frames


def sample() -> facepuppet.Avatar:
    return REAL_LOAD(facepuppet.sample_portrait_path())


REAL_LOAD = facepuppet.load_avatar


def fake_camera() -> ListCamera:
    return ListCamera([np.zeros((120, 160, 3), np.uint8)] * 5, live=False)
