"""The network that turns faces into 16 numbers and back: causal convolutions over the last moments."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facepuppet.character import CODED, DIRECTIONS, N_CODE

N_WEIGHTS = 52
REACHES = (2, 4)  # frames that each layer looks back
BACK = sum(REACHES)
_LEAK = 0.2  # slope beyond [0, 1] in training, so that a weight that ran out of its bounds comes back


class _Causal(nn.Module):
    """Dilated causal convolutions with residuals (A. van den Oord et al., "WaveNet", 2016)."""

    def __init__(self, n_in: int, n_out: int, width: int) -> None:
        super().__init__()
        self.entry, self.exit = nn.Conv1d(n_in, width, 1), nn.Conv1d(width, n_out, 1)
        self.looks = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=reach // 2) for reach in REACHES)
        self.mixes = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in REACHES)

    def forward(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Go on: rows (n, k, n_in) to (n, k, n_out), and the new state (n, width, 6)."""
        known = nn.functional.silu(self.entry(rows.transpose(1, 2)))
        kept, begin = [], 0
        for reach, look, mix in zip(REACHES, self.looks, self.mixes, strict=True):
            seen = torch.cat([state[:, :, begin : begin + reach], known], 2)
            kept.append(seen[:, :, -reach:])
            begin += reach
            known = known + mix(nn.functional.silu(look(seen)))
        return self.exit(known).transpose(1, 2), torch.cat(kept, 2)


class ExpressionCoder(nn.Module):
    """Weights in; a code, and the weights it stands for, out.

    The code's first numbers are the labelled directions, in their order, so that moving one leaves the others
    where they are. Gaze, lids and tongue are not coded: a message tells the first two for themselves, and no
    tracker of ours sees the third.

    Args:
        width: of its layers.
    """

    coded: Tensor
    steps: Tensor

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.width = width
        self.encoder = _Causal(len(CODED), N_CODE, width)
        self.decoder = _Causal(N_CODE, len(CODED), width)
        self.register_buffer("coded", torch.tensor(CODED))
        self.register_buffer("steps", torch.eye(len(DIRECTIONS), N_CODE))

    def encode(self, weights: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes (n, k, 16) of weights (n, k, 52), and the new state (n, width, 6)."""
        code, state = self.encoder(weights[:, :, self.coded], state)
        return code, state

    def decode(self, code: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the coded weights (n, k, 41) of codes, hardly bounded, and the new state (n, width, 6)."""
        raw, state = self.decoder(code, state)
        inside = raw.clamp(0.0, 1.0)
        return inside + _LEAK * (raw - inside), state

    def moved(self, code: Tensor, shift: Tensor, gain: Tensor, rest: Tensor) -> Tensor:
        """Return codes (n, k, 16) farther from rest by a gain (n, k, 1), and along directions (n, k, 7)."""
        return rest + gain * (code - rest) + shift @ self.steps

    def rest(self) -> Tensor:
        """Return the code of a face that has long been at rest, (1, 1, 16)."""
        still = torch.zeros(1, BACK + 1, N_WEIGHTS, device=self.coded.device)
        code, _ = self.encode(still, self.start(1))
        return code[:, -1:]

    def start(self, n: int) -> Tensor:
        """Return a state before anything was seen, (n, width, 6)."""
        return torch.zeros(n, self.width, BACK, device=self.coded.device)
