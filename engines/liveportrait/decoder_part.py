"""From warped features to the picture (the paper's G): spatially-adaptive norms (SPADE, arXiv 1903.07291)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.liveportrait import published_layout as sizes
from engines.liveportrait.folding import Layer, Weights, convolution, layer

_SLOPE = 0.2


class DecoderPart(nn.Module):
    """Warped features (1, 256, 64, 64) to a picture in 0..1, (1, 3, 512, 512)."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.first = convolution(layer(weights, "fc"))
        self.middle = nn.ModuleList(_Block(weights, f"G_middle_{i}", 1) for i in range(sizes.MIDDLE_BLOCKS))
        self.up = nn.ModuleList(_NarrowingBlock(weights, f"up_{i}", 2 ** (i + 1)) for i in range(2))
        self.last = convolution(layer(weights, "conv_img.0"))

    def forward(self, warped: Tensor) -> Tensor:
        """See the class."""
        x = self.first(warped)
        for block in (*self.middle, *self.up):
            x = block(x, warped)
        return torch.sigmoid(functional.pixel_shuffle(self.last(functional.leaky_relu(x, _SLOPE)), 2))


class _Block(nn.Module):
    """Two convolutions, a norm before each, around what passes by.

    Args:
        weights: of the decoder.
        name: of the block.
        enlargement: sides of its result by sides of the warped features.
    """

    def __init__(self, weights: Weights, name: str, enlargement: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(_Norm(weights, f"{name}.norm_{i}", enlargement) for i in range(2))
        self.convolutions = nn.ModuleList(convolution(layer(weights, f"{name}.conv_{i}")) for i in range(2))

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """(1, C, H, W) to the same."""
        return x + self.changed(_at_rest(x), warped)

    def changed(self, rest: Tensor, warped: Tensor) -> Tensor:
        """From normed (1, C, H, W) to what is added."""
        first, second = self.norms
        between = self.convolutions[0](functional.leaky_relu(first(rest, warped), _SLOPE))
        styled = second(_at_rest(between), warped)
        out: Tensor = self.convolutions[1](functional.leaky_relu(styled, _SLOPE))
        return out


class _NarrowingBlock(_Block):
    """One that doubles height and width before, and has fewer channels after, as has what passes by."""

    def __init__(self, weights: Weights, name: str, enlargement: int) -> None:
        super().__init__(weights, name, enlargement)
        narrow = layer(weights, f"{name}.conv_s")
        self.narrow = convolution(narrow)
        self.aside = _Norm(weights, f"{name}.norm_s", enlargement, narrow[0])

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """(1, C, H, W) to (1, C', 2H, 2W)."""
        # Repeating pixels changes neither mean nor variance.
        rest = functional.interpolate(_at_rest(x), scale_factor=2.0, mode="nearest")
        scale, shift = self.aside.style(warped)
        out: Tensor = self.narrow(rest * scale) + shift + self.changed(rest, warped)
        return out


class _Norm(nn.Module):
    """What the features say of scale and shift at each pixel.

    Args:
        weights: of the decoder.
        name: of the norm.
        enlargement: sides of its result by sides of the warped features.
        narrow: a matrix (outputs, width, 1, 1) that is applied right after; it is multiplied into the shift.
    """

    def __init__(self, weights: Weights, name: str, enlargement: int, narrow: Tensor | None = None) -> None:
        super().__init__()
        shared = layer(weights, f"{name}.mlp_shared.0")
        self.shared = convolution(shared) if enlargement == 1 else _EnlargedFirst(shared, enlargement)
        (scale, scale_bias), shift = layer(weights, f"{name}.mlp_gamma"), layer(weights, f"{name}.mlp_beta")
        if narrow is not None:
            through = narrow.flatten(1)
            shift = torch.einsum("oc,cihw->oihw", through, shift[0]), through @ shift[1]
        self.scale, self.shift = convolution((scale, scale_bias + 1)), convolution(shift)

    def style(self, warped: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 256, 64, 64) to scale and shift."""
        style = torch.relu(self.shared(warped))
        return self.scale(style), self.shift(style)

    def forward(self, rest: Tensor, warped: Tensor) -> Tensor:
        """(1, C, H, W), normed, and (1, 256, 64, 64) to (1, C, H, W)."""
        scale, shift = self.style(warped)
        return rest * scale + shift


class _EnlargedFirst(nn.Module):
    """A convolution (3 x 3) of a picture whose pixels are repeated before, computed from those that differ.

    Along each axis a repeated pixel is met by its three weights in three ways: it is the first, the last or
    within. For each of the nine pairs of ways the weights that meet the same pixel are added up beforehand;
    of the multiplications 4/9 are left at an enlargement of 2, 1/4 at 4.
    """

    def __init__(self, folded: Layer, enlargement: int) -> None:
        super().__init__()
        weight, bias = folded
        self.enlargement = enlargement
        self.ways = nn.ModuleDict()
        for down, right in sorted({(down, right) for down in self._ways() for right in self._ways()}):
            joined = _met(_met(weight, 2, down), 3, right)
            module = nn.Conv2d(weight.shape[1], weight.shape[0], (joined.shape[2], joined.shape[3]))
            with torch.no_grad():
                module.weight.copy_(joined)
                module.bias.copy_(bias)  # type: ignore[union-attr]
            self.ways[f"{down} {right}"] = module.requires_grad_(False)

    def _ways(self) -> list[str]:
        """Of each pixel in a run of repeated ones."""
        return ["first", *["within"] * (self.enlargement - 2), "last"]

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) to (1, outputs, n H, n W)."""
        n, (height, width) = self.enlargement, map(int, x.shape[2:])
        bordered, seen = functional.pad(x, (1, 1, 1, 1)), {}
        for pair, convolve in self.ways.items():
            (top, bottom), (left, right) = (_reach(way) for way in pair.split())
            seen[pair] = convolve(bordered[:, :, top : height + bottom, left : width + right])
        pieces = torch.stack([seen[f"{down} {right}"] for down in self._ways() for right in self._ways()], 2)
        return functional.pixel_shuffle(pieces.flatten(1, 2), n)


def _reach(way: str) -> tuple[int, int]:
    """In a picture with a border of one pixel, where what is met begins, and how much longer it is."""
    return {"first": (0, 1), "within": (1, 1), "last": (1, 2)}[way]


def _met(weight: Tensor, axis: int, way: str) -> Tensor:
    """Three weights along an axis, those that meet the same pixel added up."""
    groups = {"first": [[0], [1, 2]], "within": [[0, 1, 2]], "last": [[0, 1], [2]]}[way]
    taps = weight.unbind(axis)
    return torch.stack([torch.stack([taps[i] for i in group]).sum(0) for group in groups], axis)


def _at_rest(x: Tensor) -> Tensor:
    """Each channel with mean 0 and variance 1."""
    return functional.instance_norm(x, eps=1e-5)
