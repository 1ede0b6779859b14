"""Whether the mouth painter suits a portrait is tried when a pack is made, kept in it, and told."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from avatars import hopper
from networks import unet, write_manifest
from onnx import numpy_helper
from test_painter import SIDE, green_where_lips_are

from calibrate import painter_check
from calibrate.facts import pack_facts, pack_lines
from calibrate.painter_check import (
    LEAST_GRAIN,
    MOST_DRIFT,
    MOST_TINT,
    PainterCheck,
    check_painter,
    with_painters_judged,
)
from facepuppet.core.errors import AvatarPackError
from facepuppet.frames.cpu.render import Renderer
from facepuppet.portrait.avatar import TunedPainter
from facepuppet.portrait.pack import Pack, load_pack, save_pack


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Ships one mouth painter for a test: call it with the network."""

    def ship(model: bytes) -> Path:
        folder = write_manifest(tmp_path / "engines", model, crop_px=SIDE, reach=0.92)
        monkeypatch.setattr(
            painter_check, "Renderer", lambda avatar, engine: Renderer(avatar, folder, engine)
        )
        return folder

    return ship


def faint() -> bytes:
    """A painter whose colours are too faint to be seen."""
    model = onnx.load_from_string(green_where_lips_are())
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(values * np.float32(0.004), tensor.name))
    return model.SerializeToString()


def test_a_painter_that_tints_the_lips_does_not_run(shipped, caplog):
    folder, lines = shipped(green_where_lips_are()), []
    judged = with_painters_judged(hopper(), lines.append)
    assert judged.unpainted == ("mouth",)
    assert "does not run on it" in lines[-1] and f"at most {MOST_DRIFT:g}" in lines[-1]
    renderer = Renderer(judged, folder)
    assert not renderer.painters
    assert "the drawing alone is shown" in caplog.text
    assert not renderer.fallbacks  # it did not fail


def test_a_painter_that_changes_next_to_nothing_runs(shipped):
    shipped(faint())
    lines: list[str] = []
    assert with_painters_judged(hopper(), lines.append).unpainted == ()
    assert "runs" in lines[-1]


@pytest.mark.parametrize(
    "change",
    [{"drift": MOST_DRIFT + 0.1}, {"tint": MOST_TINT + 0.1}, {"grain": LEAST_GRAIN - 0.01}, {"colour": 2.0}],
)
def test_each_limit_alone_stops_a_painter(change):
    assert PainterCheck(1.0, 1.0, 1.0, 40.0).good
    assert not dataclasses.replace(PainterCheck(1.0, 1.0, 1.0, 40.0), **change).good


def test_without_a_mouth_painter_nothing_is_judged(shipped):
    shipped(unet()).joinpath("manifest.toml").write_text("format = 1\n", encoding="utf-8")
    assert check_painter(hopper()) is None


def test_a_tuned_painter_runs_where_the_shipped_one_would_not(tmp_path):
    folder = write_manifest(tmp_path)
    avatar = dataclasses.replace(
        hopper(),
        unpainted=("mouth",),
        painters=(TunedPainter("mouth", (folder / "mouth.onnx").read_bytes()),),
    )
    assert [painter.network.name for painter in Renderer(avatar, folder).painters] == ["mouth-tuned"]


def test_a_pack_keeps_the_verdict_and_its_facts_tell(tmp_path):
    pack = Pack(dataclasses.replace(hopper(), unpainted=("mouth",)))
    save_pack(pack, tmp_path / "h.puppet")
    read = load_pack(tmp_path / "h.puppet")
    assert read.avatar.unpainted == ("mouth",)
    assert pack_facts(read)["unpainted"] == ["mouth"]
    assert any("mouth painter does not run" in line for line in pack_lines(read))


@pytest.mark.parametrize("wrong", ["mouth", [1], ["Mouth"], ["a" * 40], ["mouth"] * 9, {"mouth": 1}])
def test_a_pack_with_odd_verdicts_is_refused(tmp_path, wrong):
    save_pack(Pack(hopper()), tmp_path / "h.puppet")
    with zipfile.ZipFile(tmp_path / "h.puppet") as good:
        members = {info: good.read(info) for info in good.infolist()}
    with zipfile.ZipFile(tmp_path / "odd.puppet", "w") as odd:
        for info, content in members.items():
            if info.filename == "manifest.json":
                content = json.dumps(json.loads(content) | {"unpainted": wrong}).encode()
            odd.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), content)
    with pytest.raises(AvatarPackError, match="unpainted"):
        load_pack(tmp_path / "odd.puppet")


def test_lost_grain_is_seen():
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 255, (96, 96, 3), np.uint8)
    everywhere = np.ones((96, 96), bool)
    smooth = cv2.GaussianBlur(rough, (0, 0), 2.0)
    assert painter_check._detail(smooth, everywhere) < 0.3 * painter_check._detail(rough, everywhere)
