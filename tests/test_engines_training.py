"""Painters can learn, resume where they stopped, and say in ONNX what they say in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra `train`")

from engines import export  # noqa: E402
from engines.data.people import TrainingDataError  # noqa: E402
from engines.data.regions import REGIONS  # noqa: E402
from engines.data.samples import Sample, Samples  # noqa: E402
from engines.networks.build import build_network, contours_of  # noqa: E402
from engines.networks.painter_network import painted  # noqa: E402
from engines.training.batches import bared_teeth, batches, plain, weights_of  # noqa: E402
from engines.training.losses import laplacian_l1, masked_l1  # noqa: E402
from engines.training.trainer import Recipe, Trainer  # noqa: E402
from facepuppet.inference.manifest import read_manifest, read_verified  # noqa: E402


def toy(region: str = "eye", count: int = 6) -> Samples:
    """Grey warps whose truth is red inside the first contour: something to learn."""
    side, rng = REGIONS[region].crop_px, np.random.default_rng(0)
    made = []
    for k in range(count):
        grey = np.full((side, side, 3), 110, np.uint8) + rng.integers(0, 20, (1, 1, 3), np.uint8)
        contours = np.zeros((contours_of(region), side, side), np.uint8)
        target = grey.copy()
        if len(contours):
            contours[::2, side // 3 : -side // 3, side // 4 : -side // 4] = 255
            target[contours[0] > 0] = (200, 40, 40)
        coverage = np.full((side, side), 255, np.uint8)
        origin = "still" if k % 2 else "someone clip"
        made.append(Sample(grey, grey, target, contours, coverage, float(k) / count, origin, k))
    return Samples.of(made)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_networks_keep_their_signature(region: str, profile: str) -> None:
    network = build_network(region, profile).eval()
    inputs = export.example(region)
    residual, mask = network(*inputs.values())
    assert residual.shape == inputs["warped"].shape and mask.shape == residual[:, :1].shape
    assert residual.abs().max() <= 1 and 0 <= mask.min() <= mask.max() <= 1


@pytest.mark.parametrize("region", ["mouth", "eye"])
def test_the_mask_ends_before_the_crop_does(region: str) -> None:
    inputs = export.example(region)
    inputs["contours"][:] = 1
    _, mask = build_network(region)(*inputs.values())
    border = torch.cat([mask[..., 0], mask[..., -1], mask[:, :, 0], mask[:, :, -1]])
    assert border.max() == 0


def test_an_untrained_painter_changes_next_to_nothing() -> None:
    inputs = export.example("mouth")
    out, _ = painted(build_network("mouth"), *inputs.values())
    assert (out - inputs["warped"]).abs().max() < 0.05


def test_training_lowers_the_loss_and_resumes(tmp_path: Path) -> None:
    samples = toy()
    recipe = Recipe("eye", steps=40, batch=4, warmup=5, critic_from=0.8, learning_rate=2e-3)
    first = Trainer(recipe, samples, samples, tmp_path).run(until=20, every=10)
    again = Trainer(recipe, samples, samples, tmp_path)
    assert again.step == 20
    last = again.run(every=10)
    assert again.step == 40
    assert last["paint_l1"] < 0.6 * last["warp_l1"]
    assert last["paint_l1"] < first["paint_l1"]
    assert (tmp_path / "validation_000040.jpg").is_file()
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_makes_batches(region: str) -> None:
    batch = next(batches(toy(region), 2, seed=0, mirrored=True))
    assert batch.contours.shape[1] == contours_of(region)
    assert batch.warped.shape == batch.target.shape


def test_batches_repeat_with_their_seed_and_balance_origins() -> None:
    samples = toy(count=10)
    a, b = (next(batches(samples, 8, seed=3, mirrored=True)) for _ in range(2))
    assert torch.equal(a.warped, b.warped)
    weights = weights_of(samples)
    still = np.array([samples.origins[i] == "still" for i in samples.origin])
    assert weights[still].sum() == pytest.approx(0.4, abs=1e-3)


def test_losses_are_zero_for_the_truth_and_see_only_the_mask() -> None:
    batch = plain(toy(), [0, 1])
    mask = torch.zeros_like(batch.coverage)
    mask[..., :10, :10] = 1
    for loss in (masked_l1, laplacian_l1):
        assert loss(batch.target, batch.target, mask) == 0
    elsewhere = batch.target.clone()
    elsewhere[..., 30:, 30:] += 0.5
    assert masked_l1(elsewhere, batch.target, mask) == 0


def test_the_export_says_what_torch_says(tmp_path: Path) -> None:
    Trainer(Recipe("eye", steps=2, batch=2), toy(), toy(), tmp_path / "run").run()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.toml").write_text("format = 1\n")
    export.main([tmp_path / "run"], out=tmp_path / "out")
    (network,) = read_manifest(tmp_path / "out")
    data = read_verified(network)
    region, _, steps, module = export.load_run(tmp_path / "run")
    assert (region, steps) == ("eye", 2)
    assert export.parity(module, data, region) < export.PARITY
    assert {node.domain for node in onnx.load_from_string(data).graph.node} == {""}


def test_runs_of_one_region_are_exported_as_their_mean(tmp_path: Path) -> None:
    for seed in (1, 2):
        Trainer(Recipe("eye", steps=seed, batch=2, seed=seed), toy(), toy(), tmp_path / str(seed)).run()
    first, second = (export.load_run(tmp_path / str(seed)) for seed in (1, 2))
    wanted = (first[3].net.head.weight + second[3].net.head.weight).detach() / 2
    ((region, _, steps, network),) = export.merged([first, second])
    assert (region, steps) == ("eye", 2)
    assert torch.allclose(network.net.head.weight, wanted)


def test_a_missing_or_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="run of engines"):
        export.load_run(tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(TrainingDataError, match="run of engines"):
        export.load_run(tmp_path)


def test_painters_stay_within_their_budget() -> None:
    cost = {region: export.macs(export.to_onnx(build_network(region).eval(), region)) for region in REGIONS}
    assert cost["mouth"] + 2 * cost["eye"] + cost["frame"] <= 1.0e9


def mouths(gap: int, teeth: bool, count: int) -> list[Sample]:
    """Red lips around an opening of so many rows, dark or white inside."""
    made = []
    for k in range(count):
        picture = np.full((96, 96, 3), (200, 150, 130), np.uint8)
        contours = np.zeros((4, 96, 96), np.uint8)
        contours[::2, 30:70, 20:76] = 255
        contours[1::2, 50 - gap // 2 : 50 + gap // 2, 26:70] = 255
        picture[contours[0] > 0] = (170, 90, 90)
        picture[contours[1] > 0] = (220, 210, 190) if teeth else (60, 20, 20)
        coverage = np.full((96, 96), 255, np.uint8)
        made.append(Sample(picture, picture, picture, contours, coverage, gap / 60, "someone clip", k))
    return made


def test_bared_teeth_are_told_from_dark_mouths_and_lips() -> None:
    found = bared_teeth(Samples.of([*mouths(20, True, 1), *mouths(20, False, 1), *mouths(2, False, 1)]))
    assert found[0] > 0.08
    assert found[1:].max() == 0.0


def test_the_widest_mouths_and_bared_teeth_are_drawn_more_often() -> None:
    samples = Samples.of([*mouths(8, False, 40), *mouths(8, True, 10), *mouths(30, False, 5)])
    plainly, weighted = weights_of(samples), weights_of(samples, bared=True)
    assert weighted.sum() == pytest.approx(1.0, abs=1e-5)
    assert weighted[40] / weighted[0] > 1.3 * plainly[40] / plainly[0]
    assert weighted[-1] / weighted[0] > 1.2 * plainly[-1] / plainly[0]


def test_training_goes_on_from_an_exported_network(tmp_path: Path) -> None:
    samples, start = toy(), tmp_path / "eye.onnx"
    network = build_network("eye")
    with torch.no_grad():
        for (
            values
        ) in network.parameters():  # the exporter keeps equal ones, as untrained biases are, only once
            values.add_(0.01 * torch.randn_like(values))
    start.write_bytes(export.to_onnx(network, "eye"))
    trainer = Trainer(Recipe("eye", steps=2), samples, samples, tmp_path / "run", start.read_bytes())
    for name, values in network.state_dict().items():
        assert torch.equal(trainer.averaged.state_dict()[name], values), name
