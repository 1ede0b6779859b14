"""From a trained listener to an ONNX file, checked, and entered in the manifest."""

from __future__ import annotations

import hashlib
import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from engines.voice.listener import N_IN, MouthListener
from facepuppet.core import write_whole

OPSET = 17
PARITY = 1e-4  # largest difference between torch and ONNX Runtime, of weights in [0, 1]
FILE = "weights/mouth-listener.onnx"


class _Shipped(nn.Module):
    """What is shown of it, as ONNX exports a module's `forward` alone."""

    def __init__(self, network: MouthListener) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shapes, speaking, state = self.network.shown(features, state)
        return shapes, speaking, state


def to_onnx(network: MouthListener) -> bytes:
    """Export for one voice and any number of steps at a time."""
    shipped, inputs = _Shipped(network).eval(), (torch.randn(1, 4, N_IN), network.start(1))
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but needs no onnxscript
        torch.onnx.export(
            shipped, inputs, path, input_names=["features", "state"],
            output_names=["mouth", "speaking", "next_state"], opset_version=OPSET, dynamo=False,
            dynamic_axes={"features": {1: "steps"}, "mouth": {1: "steps"}, "speaking": {1: "steps"}},
        )  # fmt: skip
        data = path.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    return data


def parity(network: MouthListener, data: bytes, trials: int = 4) -> float:
    """Largest absolute difference between torch and ONNX Runtime, over runs of different lengths."""
    session, worst = ort.InferenceSession(data, providers=["CPUExecutionProvider"]), 0.0
    for seed in range(trials):
        features = torch.randn(1, 1 + 17 * seed, N_IN, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            expected = _Shipped(network)(features, network.start(1))
        given = session.run(None, {"features": features.numpy(), "state": network.start(1).numpy()})
        worst = max(
            worst, *(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, given, strict=True))
        )
    return worst


def ship(network: MouthListener, origin: str, folder: Path) -> float:
    """Write the file and its entry in manifest.toml; return the difference between torch and ONNX Runtime.

    Raises:
        ValueError: they differ by more than PARITY.
    """
    data = to_onnx(network)
    difference = parity(network, data)
    if difference > PARITY:
        raise ValueError(f"torch and ONNX Runtime differ by {difference:.1e}, expected at most {PARITY}")
    write_whole(folder / FILE, data)
    digest = hashlib.sha256(data).hexdigest()
    entry = (
        f'[[listener]]\nname = "mouth-listener"\nfile = "{FILE}"\nsha256 = "{digest}"\n'
        f'licence = "Apache-2.0"\norigin = "{origin}"\nprecision = "fp32"\n\n'
    )
    manifest = folder / "manifest.toml"
    text = re.sub(r"\[\[listener\]\]\n(?:[^\[\n].*\n)*\n", "", manifest.read_text(encoding="utf-8"))
    at = text.index("\n[[network]]\n") + 1
    write_whole(manifest, (text[:at] + entry + text[at:]).encode())
    return difference
