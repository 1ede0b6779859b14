"""From a trained expression code to an ONNX file, checked, and entered in the manifest."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engines.coding.code_network import BACK, N_WEIGHTS, ExpressionCoder
from engines.onnx_entry import Entry, Inputs, enter, parity, to_onnx
from facepuppet.character import DIRECTIONS

FILE = "weights/expression-code.onnx"
OUTPUTS = ("code", "plain", "moved", "next_state")
TRIALS = 4


class ShippedCode(nn.Module):
    """A frame's face coded, and made again twice: as it is, and with its code moved.

    The state, (3, width, 6), is that of the encoder, then of the decoder for either face.
    """

    rest: Tensor

    def __init__(self, network: ExpressionCoder) -> None:
        super().__init__()
        self.network = network
        with torch.no_grad():
            self.register_buffer("rest", network.rest())

    def forward(self, weights: Tensor, shift: Tensor, gain: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """Code (1, 1, 52) weights; shift (1, 1, 7) and gain (1, 1, 1) say what is moved."""
        network = self.network
        code, encoded = network.encode(weights, state[:1])
        both = torch.cat([code, network.moved(code, shift, gain, self.rest)])
        given, decoded = network.decode(both, state[1:])
        faces = torch.zeros(2, 1, N_WEIGHTS).index_copy(2, network.coded, given.clamp(0.0, 1.0))
        return code, faces[:1], faces[1:], torch.cat([encoded, decoded])


def ship_code(network: ExpressionCoder, origin: str, folder: Path) -> float:
    """Write the file and its entry in manifest.toml; return the difference between torch and ONNX Runtime.

    Raises:
        ValueError: they differ by more than `onnx_entry.PARITY`.
    """
    shipped = ShippedCode(network.eval()).eval()
    data = to_onnx(shipped, _inputs(network, 0), OUTPUTS)
    difference = parity(shipped, data, [_inputs(network, seed) for seed in range(TRIALS)])
    enter(Entry("coder", "expression-code", FILE, origin), data, difference, folder)
    return difference


def _inputs(network: ExpressionCoder, seed: int) -> Inputs:
    chance = torch.Generator().manual_seed(seed)
    return {
        "weights": torch.rand(1, 1, N_WEIGHTS, generator=chance) ** 3,
        "shift": torch.rand(1, 1, len(DIRECTIONS), generator=chance) - 0.5,
        "gain": torch.ones(1, 1, 1) + 0.5 * torch.rand(1, 1, 1, generator=chance),
        "state": 0.3 * torch.randn(3, network.width, BACK, generator=chance),
    }
