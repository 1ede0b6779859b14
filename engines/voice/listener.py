"""The network that hears mouth shapes: causal convolutions over the last 2.5 s, at 50 steps a second."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facepuppet.voice import MOUTH_SHAPES

N_IN, N_SHAPES = 81, len(MOUTH_SHAPES)
N_LAYERS = 6
SURE_OF_SHUT, SHARPNESS = 0.5, 3.0  # logit of shut lips from which they are shown shut, and how abruptly
REACHES = tuple(2 * 2**layer for layer in range(N_LAYERS))  # steps that each layer looks back


class MouthListener(nn.Module):
    """Features in; mouth shapes, and whether somebody speaks, out.

    Dilated causal convolutions with residuals, after A. van den Oord et al., "WaveNet", 2016. What a
    recurrent network of its size learns it learns too, in a third of the time.

    Args:
        width: of its layers.
        drop: share of what layers tell that is left out in training.
    """

    def __init__(self, width: int = 96, drop: float = 0.35) -> None:
        super().__init__()
        self.width = width
        self.drop = nn.Dropout(drop)
        self.entry = nn.Conv1d(N_IN, width, 1)
        self.looks = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=reach // 2) for reach in REACHES)
        self.mixes = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in REACHES)
        self.shapes = nn.Linear(width, N_SHAPES)
        self.told = nn.Linear(width, 2)
        nn.init.constant_(self.shapes.bias, -2.0)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Go on.

        Args:
            features: (n, k, 81).
            state: (n, width, 126), what layers still have to look back at; `start` before anything.

        Returns:
            shapes (n, k, 13) in [0, 1], logits (n, k, 2) of speaking and of shut lips, and the new state.
        """
        heard = torch.relu(self.entry(self.drop(features.transpose(1, 2))))
        kept, begin = [], 0
        for reach, look, mix in zip(REACHES, self.looks, self.mixes, strict=True):
            seen = torch.cat([state[:, :, begin : begin + reach], heard], 2)
            kept.append(seen[:, :, -reach:])
            begin += reach
            heard = heard + mix(self.drop(torch.relu(look(seen))))
        known = self.drop(heard).transpose(1, 2)
        return torch.sigmoid(self.shapes(known)), self.told(known), torch.cat(kept, 2)

    def shown(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Go on as in a show: where lips surely meet, they do; speaking (n, k) is a share.

        Returns:
            shapes (n, k, 13), speaking (n, k), and the new state.
        """
        shapes, told, state = self(features, state)
        apart = torch.sigmoid(SHARPNESS * (SURE_OF_SHUT - told[..., 1:]))
        return shapes * apart, torch.sigmoid(told[..., 0]), state

    def start(self, n: int) -> Tensor:
        """Return the state before anything was heard, (n, width, 126)."""
        return torch.zeros(n, self.width, sum(REACHES))
