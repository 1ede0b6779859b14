"""Three small networks of keypoints (the paper's S, R_eyes and R_lip)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.liveportrait import published_layout as sizes
from engines.liveportrait.folding import Weights, layer, matrix


class HeadPart(nn.Module):
    """Numbers (1, n) to what is to be added to keypoints (1, m).

    Args:
        weights: of the file of heads.
        head: one of `published_layout.HEADS`.
    """

    def __init__(self, weights: Weights, head: str) -> None:
        super().__init__()
        count = len(sizes.HEADS[head]) - 1
        self.layers = nn.ModuleList(matrix(layer(weights, f"{head}.mlp.{2 * i}")) for i in range(count))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        *hidden, last = self.layers
        for apply in hidden:
            x = torch.relu(apply(x))
        out: Tensor = last(x)
        return out
