"""Painters in 8 bits: what comes out runs, is close, is entered once, and is refused when it is not close."""

from __future__ import annotations

from functools import partial

import numpy as np
import onnx
import pytest
from networks import SIDE, unet, write_manifest

from engines import quantise
from engines.data.people import TrainingDataError
from engines.data.samples import Sample, Samples
from facepuppet.inference import OnnxSession
from facepuppet.inference.deviation import LEVEL, measure, probe_feeds
from facepuppet.inference.manifest import read_manifest, read_verified


def smooth(rng: np.random.Generator, channels: int) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = rng.uniform(-3, 3, (channels, 3))
    planes = [127.5 + 127.5 * np.sin(6 * (a * x + b * y) + c) for a, b, c in waves]
    return np.stack(planes, -1).astype(np.uint8)


@pytest.fixture
def data(tmp_path):
    """Folder with both splits of pictures of waves."""
    rng = np.random.default_rng(0)
    for split in ("train", "validation"):
        samples = [
            Sample(
                smooth(rng, 3), smooth(rng, 3), smooth(rng, 3), smooth(rng, 4).transpose(2, 0, 1),
                np.full((SIDE, SIDE), 255, np.uint8), 0.0, "someone", n,
            )
            for n in range(12)
        ]  # fmt: skip
        Samples.of(samples).save(tmp_path / "data" / split / "mouth")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def each_sample_once(monkeypatch):
    """Rather than hundreds of times: there are few."""
    monkeypatch.setattr(quantise, "CALIBRATION", 12)
    monkeypatch.setattr(quantise, "cost", partial(quantise.cost, trials=12))


def test_a_quantised_network_is_entered_once_and_close_to_its_own_fp32(data, tmp_path):
    folder = write_manifest(tmp_path / "engines")
    for _ in range(2):
        quantise.main([data], None, folder)
    assert (folder / "manifest.toml").read_text().count("[network.int8]") == 1
    (network,) = read_manifest(folder)
    exact, small = (read_verified(file) for file in (network, network.int8))
    kinds = [node.op_type for node in onnx.load_from_string(small).graph.node]
    assert kinds.count("QuantizeLinear") >= 2 and len(small) != len(exact)
    sessions = [OnnxSession(model, "u") for model in (small, exact)]
    deviation = measure(*sessions, list(probe_feeds(sessions[0].input_shapes)))
    assert 0 < deviation.mean_error < 2 * LEVEL


def test_a_network_that_suffers_from_8_bits_is_not_entered(data, tmp_path, monkeypatch):
    monkeypatch.setattr(quantise, "MOST_ERROR", 1e-6)
    folder = write_manifest(tmp_path / "engines", unet())
    before = (folder / "manifest.toml").read_text()
    with pytest.raises(TrainingDataError, match="8 bits"):
        quantise.main([data], None, folder)
    assert (folder / "manifest.toml").read_text() == before
    assert [file.name for file in folder.glob("*.onnx")] == ["mouth.onnx"]


def test_only_the_regions_that_are_named_are_quantised(data, tmp_path):
    folder = write_manifest(tmp_path / "engines")
    quantise.main([data], ["eye"], folder)
    assert read_manifest(folder)[0].int8 is None
