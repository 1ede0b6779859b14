"""What an engine takes from a performance, on a short one of a public-domain portrait."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import evaluate_engine
import numpy as np
import pytest
from avatars import hopper
from networks import write_manifest
from pictures import astronaut_rgb
from test_reenactment_takes import swaying, write_clip

pytest.importorskip("dlib", reason="the judges need the extra `evaluate`")
pytest.importorskip("face_recognition_models", reason="the judges need the extra `evaluate`")

from reenactment.degradation import Degradation, Difference, Scene, degradation, scripted_take
from reenactment.takes import Take

from facepuppet.core.errors import EngineError
from facepuppet.core.types import F32
from facepuppet.diagnose.verify import HALF, Exact, Rounding
from facepuppet.inference import OnnxSession, Runtime
from facepuppet.inference.manifest import Network, read_verified, shipped_folder
from facepuppet.inference.resilient import ResilientSession

FRAMES = slice(30, 44)  # of the piece: a turn


class _Faulty:
    """A session whose residuals go wrong."""

    engine, description = "cuda", "a faulty engine"

    def __init__(self, network: Network, fault: Callable[[F32], F32]) -> None:
        self._session, self._fault = OnnxSession(read_verified(network), network.name), fault
        self.input_shapes, self.output_names = self._session.input_shapes, self._session.output_names

    def run(self, feed: Mapping[str, F32]) -> dict[str, F32]:
        given = self._session.run(feed)
        return {**given, "residual": self._fault(given["residual"]), "mask": np.ones_like(given["mask"])}


class _Faults(Runtime):
    """Opens every network on a faulty engine."""

    def __init__(self, fault: Callable[[F32], F32]) -> None:
        super().__init__("cpu")
        self._fault = fault

    def open(self, network: Network) -> ResilientSession:
        spare = OnnxSession(read_verified(network), network.name)
        return ResilientSession(_Faulty(network, self._fault), spare, self)


@pytest.fixture(scope="module")
def scene() -> Scene:
    piece = scripted_take()
    tracked = piece.tracked[FRAMES]
    return Scene(hopper(), Take("a turn", (), tracked, tracked, piece.fps, 0))


@pytest.mark.thorough
def test_fp32_on_the_cpu_takes_nothing(scene: Scene) -> None:
    found = degradation([scene], shipped_folder(), Exact())
    (only,) = found.scenes
    assert (found.jitter_ratio, found.identity_drop, only.changed, found.passes) == (1.0, 0.0, 0.0, True)
    assert only.jitter[0] > 0 and 0.9 < only.identity[0] <= 1.0


@pytest.mark.thorough
def test_rounding_as_fp16_does_changes_next_to_nothing(scene: Scene) -> None:
    (only,) = degradation([scene], shipped_folder(), Rounding()).scenes
    assert 0 < only.changed < 0.01


@pytest.mark.thorough
def test_an_engine_that_flickers_is_refused(scene: Scene) -> None:
    random = np.random.default_rng(0)
    engines = _Faults(lambda residual: residual + random.normal(0, 0.15, residual.shape).astype(np.float32))
    found = degradation([scene], shipped_folder(), engines)
    assert found.jitter_ratio > 1.1 and not found.passes


def test_an_engine_that_paints_another_face_is_refused(scene: Scene) -> None:
    found = degradation([scene], shipped_folder(), _Faults(lambda residual: residual * 0 + 0.5))
    assert found.identity_drop > 0.01 and not found.passes


def test_an_engine_that_fails_on_the_way_is_no_engine(scene: Scene) -> None:
    """The CPU takes over in a call; here it would be compared with itself."""

    def fail(residual: F32) -> F32:
        raise EngineError("a GPU that is gone", "one", "Put it back.")

    with pytest.raises(EngineError, match="failed in mid-stream"):
        degradation([scene], shipped_folder(), _Faults(fail))


def test_painters_that_geometry_stands_in_for_are_no_painters(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="geometry stands in"):
        degradation([scene], write_manifest(tmp_path, b"junk"), Exact())
    (tmp_path / "manifest.toml").write_text("format = 1")
    with pytest.raises(EngineError, match="no network"):
        degradation([scene], tmp_path, Exact())


def test_scenes_count_alike_and_what_cannot_be_measured_does_not_pass() -> None:
    steady, shaky = (
        Difference("a", (j, j * ratio), (0.9, 0.9), 0.0) for j, ratio in ((5.0, 1.0), (1.0, 1.03))
    )
    both = Degradation((steady, shaky))
    assert both.jitter_ratio == pytest.approx(1.015) and both.passes
    assert not Degradation((shaky,)).passes
    unseen = Difference("a", (1.0, 1.0), (0.9, math.nan), 0.0)
    assert not Degradation((steady, unseen)).passes


@pytest.mark.thorough
def test_a_clip_and_portraits_perform_beside_the_sample(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "astronaut.mp4", swaying(6))
    cv2.imwrite(str(tmp_path / "portrait.png"), astronaut_rgb()[..., ::-1])
    words = {"portraits": [tmp_path / "portrait.png"], "n_portraits": 3, "clips": [clip], "people": None}
    sample, portrait, own = evaluate_engine._scenes(argparse.Namespace(**words, frames=5))
    assert (sample.avatar.name, portrait.avatar.name) == ("grace_hopper", "portrait")
    assert sample.take.fps == 30 and len(sample.take.tracked) == 360 and portrait.take is sample.take
    assert own.avatar.name == own.take.name == "astronaut" and len(own.take.pictures) == 5


def evaluate(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["evaluate_engine.py", *map(str, words)])
    return evaluate_engine.main()


def test_the_command_writes_what_it_found(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate_engine, "_scenes", lambda arguments: [scene])
    assert evaluate(monkeypatch, "--engine", HALF, "--out", tmp_path) == 0
    told = json.loads((tmp_path / "engine.json").read_text())
    assert told["engine"] == HALF and "ONNX Runtime" in told["runs_on"] and told["passes"]
    page = (tmp_path / "engine.md").read_text(encoding="utf-8")
    assert "| grace_hopper, a turn |" in page and "**all: ok**" in page and page in capsys.readouterr().out
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


@pytest.mark.thorough
def test_the_command_fails_where_an_engine_degrades_or_does_not_run(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate_engine, "_scenes", lambda arguments: [scene])
    asked = []

    def engines_of(word: str) -> Runtime:
        asked.append(word)
        return _Faults(lambda residual: residual * 0 + 0.5)

    monkeypatch.setattr(evaluate_engine, "engines_of", engines_of)
    assert evaluate(monkeypatch, "--engine", HALF, "--out", tmp_path) == 1 and asked == [HALF]
    assert "**all: too far**" in capsys.readouterr().out
    monkeypatch.undo()
    assert evaluate(monkeypatch, "--engine", "coreml", "--out", tmp_path) == 1
    assert "CoreML" in capsys.readouterr().err
