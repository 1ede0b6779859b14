"""Tuning painters to one portrait: what is learnt from, what judges, what is kept, what is refused."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import hashlib
import itertools
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from PIL import Image
from test_painter import moved, rest
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.tuning import own_pairs as pairs
from calibrate.tuning import tune as tuning
from calibrate.tuning.own_pictures import Picture, TuningError, gather, kept_back
from engines.data.regions import REGIONS
from facepuppet.core.types import F32
from facepuppet.face.topology import EYES, LOWER_LIP_INNER
from facepuppet.frames.cpu.render import Renderer
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.portrait.pack import Pack, load_pack, save_pack


def opened(by: float) -> F32:
    """Hopper's landmarks with the inner lips apart by a share of the inter-ocular distance."""
    points = hopper().landmarks_px.copy()
    points[LOWER_LIP_INNER, 1] += by * hopper().inter_ocular_px
    return points


def picture(name: str, points: F32) -> Picture:
    return Picture(name, hopper().portrait_rgb, points)


def shut() -> F32:
    points = hopper().landmarks_px.copy()
    for eye in EYES:
        points[eye.ring, 1] = points[eye.ring, 1].mean()
    return points


def moved_pictures(folder: Path, count: int) -> list[Path]:
    """Further pictures of Hopper, each rendered by geometry with another mouth."""
    paths = []
    for k in range(count):
        motion = dataclasses.replace(
            rest(), landmarks_px=opened(0.06 * (k + 1)), mouth_opening=0.06 * (k + 1)
        )
        rendered = Renderer(hopper(), _bare(folder)).render(motion).rgba
        alpha = rendered[..., 3:].astype(np.float32) / 255
        rgb = rendered[..., :3] + hopper().background_rgb * (1 - alpha)
        paths.append(folder / f"more{k}.png")
        Image.fromarray(np.rint(rgb).clip(0, 255).astype(np.uint8)).save(paths[-1])
    return paths


def _bare(folder: Path) -> Path:
    bare = folder / "bare"
    bare.mkdir(exist_ok=True)
    (bare / "manifest.toml").write_text("format = 1\n")
    return bare


def test_the_widest_mouth_and_the_shut_eyes_are_kept_back() -> None:
    pictures = [
        picture("the portrait", opened(0.5)),
        picture("a", opened(0.1)),
        picture("b", opened(0.3)),
        picture("c", shut()),
    ]
    assert kept_back("mouth", pictures) == 2
    assert kept_back("eye", pictures) == 3


def test_mouths_that_are_all_shut_teach_nothing() -> None:
    shut_mouths = [picture(name, hopper().landmarks_px) for name in "abc"]
    assert kept_back("mouth", shut_mouths) is None
    assert kept_back("mouth", [*shut_mouths, picture("d", opened(0.3))]) is None


def test_two_pictures_are_too_few(tmp_path: Path) -> None:
    (more,) = moved_pictures(tmp_path, 1)
    with pytest.raises(TuningError, match=r"portrait and 1 further picture;.*at least 3"):
        gather(hopper(), [sample_portrait_path(), more], lambda line: None)


def test_what_is_missing_to_train_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_torch(name: str, *args, **kwargs):
        if name.split(".")[0] == "torch":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(TuningError, match=r"torch.*facepuppet\[train\]"):
        tuning.require_training()


def test_without_shipped_painters_there_is_nothing_to_tune(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    with pytest.raises(TuningError, match="manifest"):
        tuning.tune(hopper(), [], tell=print, progress=lambda *_: None, engines=_bare(tmp_path))


def test_a_picture_is_no_pack() -> None:
    result = CliRunner().invoke(app, ["tune", str(sample_portrait_path()), "a.png"])
    assert "which is no pack" in str(result.exception)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """An engines folder with painters of the real architecture and random weights."""
    pytest.importorskip("torch", reason="training needs the extra `train`")
    pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra `train`")
    import torch

    from engines import export
    from engines.networks.build import build_network

    torch.manual_seed(0)
    folder, lines = tmp_path / "engines", ["format = 1"]
    folder.mkdir()
    for name in ("mouth", "eye"):
        network, region = build_network(name).eval(), REGIONS[name]
        for parameter in network.parameters():  # the exporter merges those that are equal
            parameter.data += 1e-3 * torch.randn_like(parameter)
        data = export.to_onnx(network, name)
        (folder / f"{name}.onnx").write_bytes(data)
        lines += ["[[network]]", 'licence = "Apache-2.0"', 'origin = "a test"']
        lines += [f'{key} = "{name}"' for key in ("name", "region")]
        lines += [f'file = "{name}.onnx"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"']
        lines += [f"crop_px = {region.crop_px}", f"reach = {region.reach}"]
    (folder / "manifest.toml").write_text("\n".join(lines))
    return folder


def test_a_network_comes_back_from_its_file_as_it_was(trained: Path) -> None:
    from engines.data.people import TrainingDataError
    from engines.export import PARITY, parity
    from engines.networks.build import network_from_onnx

    for region in ("mouth", "eye"):
        data = (trained / f"{region}.onnx").read_bytes()
        assert parity(network_from_onnx(region, data).eval(), data, region, trials=1) <= PARITY
    with pytest.raises(TrainingDataError):
        network_from_onnx("eye", (trained / "mouth.onnx").read_bytes())


@pytest.mark.slow
def test_tuned_painters_are_kept_only_if_they_stand_the_test(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: pictures, pairs, a few steps, judging, a pack, the show."""
    from engines.training.finetune import Finetuning, PaintError

    more = moved_pictures(tmp_path, 2)
    shares: dict[str, list[float]] = {}

    def tuned() -> tuple[Avatar, tuple[tuning.Judgement, ...]]:
        return tuning.tune(
            hopper(), [sample_portrait_path(), *more], tell=lambda line: None,
            recipe=Finetuning(steps=2, batch=2), engines=trained,
            progress=lambda what, done: shares.setdefault(what, []).append(done),
        )  # fmt: skip

    monkeypatch.setattr(pairs, "MADE", 1)
    made_once = functools.cache(lambda: splits(hopper(), pictures, {"mouth": 2, "eye": 1}, print))
    splits, pictures = tuning._splits, gather(hopper(), more, print)
    monkeypatch.setattr(tuning, "_splits", lambda *_: made_once())
    monkeypatch.setattr(tuning, "MARGIN", -10.0)
    better, _ = tuned()
    assert [painter.region for painter in better.painters] == ["mouth", "eye"]
    assert all(share[-1] == 1.0 for share in shares.values()) and len(shares) == 2
    save_pack(Pack(better), tmp_path / "me.puppet")
    renderer = Renderer(load_pack(tmp_path / "me.puppet").avatar, trained)
    assert not renderer.problems
    assert list(renderer.networks) == ["mouth-tuned", "eye-tuned"]
    assert renderer.render(moved()).rgba.any()

    monkeypatch.setattr(tuning, "MARGIN", 10.0)
    same, judgements = tuned()
    assert same.painters == hopper().painters == ()
    assert [judgement.region for judgement in judgements] == ["mouth", "eye"]
    assert all("not kept" in judgement.sentence() for judgement in judgements)

    monkeypatch.setattr(tuning, "MARGIN", 0.02)
    one_better = tuning.Judgement("eye", "x", PaintError(0.1, 0.1), PaintError(0.05, 0.099))
    assert not one_better.better
    assert tuning.Judgement("eye", "x", PaintError(0.1, 0.1), PaintError(0.09, 0.09)).better


def test_training_learns_and_leaves_the_start_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="training needs the extra `train`")
    pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra `train`")
    from test_engines_training import toy

    from engines.networks.build import build_network
    from engines.training.finetune import Finetuning, finetune, paint_error
    from engines.training.losses import FeatureDistance

    features, samples, start = FeatureDistance(), toy(), build_network("eye").eval()
    before = paint_error(start, samples, features)
    recipe = Finetuning(steps=12, batch=4, learning_rate=3e-3, average=0.5)
    after = paint_error(
        finetune(start, samples, recipe, features, mirrored=False, tell=lambda _: None), samples, features
    )
    assert after.l1 < 0.9 * before.l1
    assert paint_error(start, samples, features) == before
    stopped: list[float] = []
    slow = dataclasses.replace(recipe, steps=10**6, seconds=4.0)
    each_second = types.SimpleNamespace(perf_counter=itertools.count().__next__)
    monkeypatch.setattr("engines.training.finetune.time", each_second)
    finetune(start, samples, slow, features, mirrored=False, tell=stopped.append)
    assert stopped == [0.25, 0.5, 0.75, 1.0]
