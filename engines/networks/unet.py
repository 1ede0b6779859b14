"""The U-Net that every painter is made of: strided stem, additive skips, no normalisation.

After Ronneberger et al. 2015, "U-Net", with additive instead of concatenated skips (half the cost on the
way up) and all work at half resolution and below (a CPU's time goes to the finest level). Only Conv,
LeakyRelu, Resize, Add and DepthToSpace come out in ONNX: plain ops that every runtime has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

SLOPE = 0.1


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution and its activation."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(layer, nn.LeakyReLU(SLOPE, inplace=True))


class Block(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) → the same."""
        out: Tensor = nn.functional.leaky_relu(x + self.second(self.first(x)), SLOPE)
        return out


class UNet(nn.Module):
    """Image to image at half resolution inside.

    Args:
        inputs: channels in.
        outputs: channels out.
        widths: channels at 1/2, 1/4, 1/8 … of the input's side.
        stem: side of the patches that the first convolution takes; 2 or 4.
    """

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int], stem: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, widths[0], 2 * stem, stem, stem // 2), nn.LeakyReLU(SLOPE, inplace=True)
        )
        self.down = nn.ModuleList(conv(a, b, stride=2) for a, b in pairwise(widths))
        self.encode = nn.ModuleList(Block(width) for width in widths)
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.decode = nn.ModuleList(Block(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], outputs * 4, 3, padding=1)
        nn.init.normal_(self.head.weight, std=1e-3)  # starts as "no change"
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, S, S) → (B, outputs, S · 2 / stem, S · 2 / stem)."""
        x = self.encode[0](self.stem(x))
        skips = []
        for down, encode in zip(self.down, list(self.encode)[1:], strict=True):
            skips.append(x)
            x = encode(down(x))
        for narrow, decode, skip in zip(
            reversed(self.narrow), reversed(self.decode), reversed(skips), strict=True
        ):
            wide = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = decode(wide + skip)
        out: Tensor = nn.functional.pixel_shuffle(self.head(x), 2)
        return out


def spread(mask: Tensor, reach_px: int, soft_px: int) -> Tensor:
    """Grow a (B, 1, S, S) mask by reach_px and soften its edge over soft_px."""
    side = 2 * reach_px + 1
    grown = torch.nn.functional.max_pool2d(mask, (1, side), 1, (0, reach_px))
    grown = torch.nn.functional.max_pool2d(grown, (side, 1), 1, (reach_px, 0))
    soft = 2 * soft_px + 1
    out: Tensor = torch.nn.functional.avg_pool2d(grown, soft, 1, soft_px)
    return out


def fade(side_px: int, border_px: int) -> Tensor:
    """(1, 1, side, side): 1 inside, falling to 0 at the crop's border, so that no seam can show."""
    edge = torch.arange(side_px, dtype=torch.float32)
    edge = torch.minimum(edge, side_px - 1 - edge).div(border_px).clamp(0, 1)
    return (edge[:, None] * edge[None, :])[None, None]
