"""From a portrait to its feature volume (the paper's F): once a portrait."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.liveportrait import published_layout as sizes
from engines.liveportrait.folding import Weights, convolution, layer, normed, scale_and_shift


class AppearancePart(nn.Module):
    """A picture in 0..1, (1, 3, 256, 256), to a feature volume (1, 32, 16, 64, 64)."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        names = ("first", "down_blocks.0", "down_blocks.1")
        self.flat = nn.ModuleList(convolution(normed(weights, f"{n}.conv", f"{n}.norm")) for n in names)
        self.lift = convolution(layer(weights, "second"))
        self.blocks = nn.ModuleList(
            _ResidualBlock(weights, f"resblocks_3d.3dr{i}") for i in range(sizes.RESIDUAL_BLOCKS)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """See the class."""
        first, *down = self.flat
        x = torch.relu(first(picture))
        for convolve in down:
            x = functional.avg_pool2d(torch.relu(convolve(x)), 2)
        x = self.lift(x).reshape(1, sizes.CHANNELS, sizes.DEPTH, sizes.SIDE, sizes.SIDE)
        for block in self.blocks:
            x = block(x)
        out: Tensor = x
        return out


class _ResidualBlock(nn.Module):
    """Norm and activation before each of two convolutions (He et al. 2016, arXiv 1603.05027)."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        for kind, value in zip(("scale", "shift"), scale_and_shift(weights, f"{name}.norm1"), strict=True):
            self.register_buffer(kind, value.float().reshape(1, -1, 1, 1, 1))
        self.first = convolution(normed(weights, f"{name}.conv1", f"{name}.norm2"))
        self.second = convolution(layer(weights, f"{name}.conv2"))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, D, H, W) to the same."""
        before = torch.relu(x * self.get_buffer("scale") + self.get_buffer("shift"))
        out: Tensor = x + self.second(torch.relu(self.first(before)))
        return out
