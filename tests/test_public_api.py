"""The names that programs may rely on, and the README's example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes import ListDriver, MemorySink

import facepuppet
from facepuppet.core import errors
from facepuppet.drivers.scripted import Performance

ROOT = Path(__file__).resolve().parents[1]

PUBLIC = [
    "Avatar",
    "Away",
    "Backdrop",
    "Blendshapes",
    "CameraDriver",
    "Composer",
    "Corner",
    "Driver",
    "Expression",
    "FacePose",
    "FacepuppetError",
    "FrameMaker",
    "Framing",
    "Freeze",
    "Gains",
    "HeadPose",
    "LandmarkOffsets",
    "LivePipeline",
    "Manner",
    "Motion",
    "Neutral",
    "Panic",
    "Puppet",
    "Recentre",
    "RecordedDriver",
    "RecordingDriver",
    "RecordingWriter",
    "Reset",
    "RunStats",
    "Runtime",
    "Scene",
    "ScriptedDriver",
    "SetBackdrop",
    "SetGain",
    "SetHeadSpeed",
    "SetLabel",
    "SetMirror",
    "SetQuality",
    "SetSmoothing",
    "SetStill",
    "ShowPuppet",
    "Sink",
    "TorsoPose",
    "__version__",
    "load_avatar",
    "open_driver",
    "open_sink",
    "open_source",
    "play",
    "render_video",
    "sample_portrait_path",
]


def test_exported_names_are_pinned() -> None:
    assert sorted(dir(facepuppet)) == PUBLIC
    for name in PUBLIC:
        assert getattr(facepuppet, name) is not None


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = facepuppet.nonsense


def test_every_error_is_in_the_tree_and_told_in_its_opening() -> None:
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, errors.FacepuppetError)
            assert name in (errors.__doc__ or "")


def test_readme_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ten lines of the README, with a list of expressions for the camera and memory for the sink."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    sinks: list[MemorySink] = []

    def to_memory(spec: str, size_px: tuple[int, int], fps: float) -> MemorySink:
        sinks.append(MemorySink(size_px))
        return sinks[-1]

    monkeypatch.setattr("facepuppet.load_avatar", lambda path: sample())
    monkeypatch.setattr("facepuppet.open_driver", lambda spec: fake_driver())
    monkeypatch.setattr("facepuppet.open_sink", to_memory)
    exec(compile(example.group(1), "README.md", "exec"), {})
    assert sinks[0].frames


def sample() -> facepuppet.Avatar:
    return REAL_LOAD(facepuppet.sample_portrait_path())


REAL_LOAD = facepuppet.load_avatar


def fake_driver() -> ListDriver:
    return ListDriver(Performance().expression(i / 30, i) for i in range(5))
