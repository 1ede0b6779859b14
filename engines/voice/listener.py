"""The network that hears mouth shapes: recurrent, a step of 20 ms at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facepuppet.voice import MOUTH_SHAPES

N_IN, N_SHAPES = 81, len(MOUTH_SHAPES)


class MouthListener(nn.Module):
    """Features in; mouth shapes, and whether somebody speaks, out.

    Args:
        width: of its layers.
        drop: share of what layers tell that is left out in training.
    """

    def __init__(self, width: int = 128, drop: float = 0.2) -> None:
        super().__init__()
        self.width = width
        self.entry = nn.Sequential(nn.Linear(N_IN, width), nn.ReLU(), nn.Dropout(drop))
        self.first = nn.GRU(width, width, batch_first=True)
        self.second = nn.GRU(width, width, batch_first=True)
        self.drop = nn.Dropout(drop)
        self.shapes = nn.Linear(2 * width, N_SHAPES)
        self.told = nn.Linear(2 * width, 2)
        nn.init.constant_(self.shapes.bias, -2.0)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Go on.

        Args:
            features: (n, k, 81).
            state: (2, n, width); zeros at the start.

        Returns:
            shapes (n, k, 13) in [0, 1], logits (n, k, 2) of speaking and of shut lips, and the new state.
        """
        entered = self.entry(features)
        one, first = self.first(entered, state[:1])
        two, second = self.second(self.drop(one), state[1:])
        known = self.drop(torch.cat([one, two], -1))
        return torch.sigmoid(self.shapes(known)), self.told(known), torch.cat([first, second])

    def start(self, n: int) -> Tensor:
        """Return the state before anything was heard, (2, n, width)."""
        return torch.zeros(2, n, self.width)
