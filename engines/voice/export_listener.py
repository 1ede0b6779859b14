"""From a trained listener to an ONNX file, checked, and entered in the manifest."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engines.onnx_entry import Entry, Inputs, enter
from engines.onnx_entry import parity as largest_difference
from engines.onnx_entry import to_onnx as exported
from engines.voice.listener import N_IN, MouthListener

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
    return exported(
        _Shipped(network).eval(), _inputs(network, 4, 0), ["mouth", "speaking", "next_state"],
        steps=["features", "mouth", "speaking"],
    )  # fmt: skip


def parity(network: MouthListener, data: bytes, trials: int = 4) -> float:
    """Largest absolute difference between torch and ONNX Runtime, over runs of different lengths."""
    runs = [_inputs(network, 1 + 17 * seed, seed) for seed in range(trials)]
    return largest_difference(_Shipped(network), data, runs)


def ship(network: MouthListener, origin: str, folder: Path) -> float:
    """Write the file and its entry in manifest.toml; return the difference between torch and ONNX Runtime.

    Raises:
        ValueError: they differ by more than `onnx_entry.PARITY`.
    """
    data = to_onnx(network)
    difference = parity(network, data)
    enter(Entry("listener", "mouth-listener", FILE, origin), data, difference, folder)
    return difference


def _inputs(network: MouthListener, steps: int, seed: int) -> Inputs:
    features = torch.randn(1, steps, N_IN, generator=torch.Generator().manual_seed(seed))
    return {"features": features, "state": network.start(1)}
