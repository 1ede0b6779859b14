"""Published weights as convolutions and matrices, with all that is constant multiplied in.

In double precision: what is folded differs from what is computed one after another by rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]
EPSILON = 1e-5  # of batch norms

M = TypeVar("M", bound=nn.Module)
Layer = tuple[Tensor, Tensor]  # weight and bias, double


def layer(weights: Weights, name: str) -> Layer:
    """Return a convolution or matrix; one under a spectral norm is divided by its largest singular value.

    (Miyato et al. 2018, arXiv 1802.05957: uᵀ W v with the vectors kept from training.)
    """
    if f"{name}.weight_orig" in weights:
        weight = weights[f"{name}.weight_orig"].double()
        left, right = weights[f"{name}.weight_u"].double(), weights[f"{name}.weight_v"].double()
        weight = weight / (left @ weight.flatten(1) @ right)
    else:
        weight = weights[f"{name}.weight"].double()
    bias = weights.get(f"{name}.bias")
    return weight, weight.new_zeros(weight.shape[0]) if bias is None else bias.double()


def scale_and_shift(weights: Weights, name: str) -> Layer:
    """Return what a batch norm multiplies by and adds."""
    mean, variance = weights[f"{name}.running_mean"].double(), weights[f"{name}.running_var"].double()
    scale = weights[f"{name}.weight"].double() / (variance + EPSILON).sqrt()
    return scale, weights[f"{name}.bias"].double() - mean * scale


def normed(weights: Weights, convolution: str, norm: str) -> Layer:
    """Return a convolution and the batch norm that follows it as one."""
    (weight, bias), (scale, shift) = layer(weights, convolution), scale_and_shift(weights, norm)
    return weight * scale.reshape(-1, *[1] * (weight.dim() - 1)), bias * scale + shift


def convolution(folded: Layer, stride: int = 1, groups: int = 1) -> nn.Conv2d | nn.Conv3d:
    """Return it as a module that keeps sides (or, with a stride, takes patches of its size)."""
    weight, _ = folded
    outputs, inputs, *kernel = weight.shape
    padding = [side // 2 if stride == 1 else 0 for side in kernel]
    kind: Any = nn.Conv3d if weight.dim() == 5 else nn.Conv2d
    module: nn.Conv2d | nn.Conv3d = kind(inputs * groups, outputs, kernel, stride, padding, groups=groups)
    return _filled(module, folded)


def matrix(folded: Layer) -> nn.Linear:
    """Return it as a module."""
    return _filled(nn.Linear(folded[0].shape[1], folded[0].shape[0]), folded)


def enlarged(folded: Layer) -> nn.ConvTranspose3d:
    """Return a convolution (3 x 3 x 3) of a volume that is doubled in height and width before, as one step.

    Of doubled points two or three of its three weights along an axis meet the same point: they are added up
    beforehand, and 4/9 of the multiplications are left.
    """
    weight, bias = folded
    outputs, inputs = weight.shape[:2]
    joined = _joined(_joined(weight, 3, 2), 4, 2).flip(2)
    module = nn.ConvTranspose3d(inputs, outputs, (3, 4, 4), (1, 2, 2), 1)
    return _filled(module, (joined.transpose(0, 1), bias))


def _joined(weight: Tensor, axis: int, factor: int) -> Tensor:
    """Three weights along an axis as those factor + 2 of the transposed convolution that enlarges, too."""
    taps = weight.unbind(axis)
    met = [[k - j for j in range(factor) if 0 <= k - j <= 2] for k in range(factor + 1, -1, -1)]
    return torch.stack([torch.stack([taps[i] for i in group]).sum(0) for group in met], axis)


def _filled(module: M, folded: Layer) -> M:
    with torch.no_grad():
        for name, value in zip(("weight", "bias"), folded, strict=True):
            module.get_parameter(name).copy_(value)
    return module.requires_grad_(False)
