"""From a face to its pose, expression and keypoints (the paper's M): a ConvNeXt V2 and seven heads."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.liveportrait import published_layout as sizes
from engines.liveportrait.folding import Weights, convolution, layer, matrix

_EPSILON = 1e-6  # of its layer norms and response norms
_BIN_DEGREES, _FIRST_BIN_DEGREES = 3.0, -97.5
_HEADS = {"pitch": sizes.BINS, "yaw": sizes.BINS, "roll": sizes.BINS, "t": 3, "exp": 63, "scale": 1, "kp": 63}


class MotionPart(nn.Module):
    """A picture in 0..1, (1, 3, 256, 256), to what moves a face.

    Pitch, yaw and roll in radians, (1, 1) each; translation (1, 3); expression (1, 21, 3); scale (1, 1);
    keypoints at rest and unturned (1, 21, 3).
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.stages = nn.ModuleList(_Stage(weights, i) for i in range(len(sizes.STAGES)))
        self.norm = _LayerNorm(weights, "detector.norm")
        heads = [layer(weights, f"detector.fc_{name}") for name in _HEADS]
        self.heads = matrix((torch.cat([w for w, _ in heads]), torch.cat([b for _, b in heads])))
        bins = torch.arange(sizes.BINS, dtype=torch.float64) * _BIN_DEGREES + _FIRST_BIN_DEGREES
        self.register_buffer("angles", (bins * (math.pi / 180)).float()[:, None])

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        x = picture
        for stage in self.stages:
            x = stage(x)
        all_heads = self.heads(self.norm(x.mean((2, 3))))
        *angles, shift, expression, scale, keypoints = all_heads.split(list(_HEADS.values()), 1)
        # The expectation of a softmax over bins (Ruiz et al. 2018, arXiv 1710.00925).
        turns = [torch.softmax(bins, 1) @ self.get_buffer("angles") for bins in angles]
        shape = (1, sizes.KEYPOINTS, 3)
        return (*turns, shift, expression.reshape(shape), scale, keypoints.reshape(shape))


class _Stage(nn.Module):
    """Patches to fewer, wider ones, then blocks."""

    def __init__(self, weights: Weights, stage: int) -> None:
        super().__init__()
        name, self.is_first = f"detector.downsample_layers.{stage}", stage == 0
        patches, norm = ("0", "1") if self.is_first else ("1", "0")
        self.patches = convolution(layer(weights, f"{name}.{patches}"), stride=4 if self.is_first else 2)
        self.norm = _LayerNorm(weights, f"{name}.{norm}")
        blocks = sizes.STAGES[stage][1]
        self.blocks = nn.ModuleList(_Block(weights, f"detector.stages.{stage}.{i}") for i in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) to (1, C', H', W')."""
        x = self._normed(self.patches(x)) if self.is_first else self.patches(self._normed(x))
        for block in self.blocks:
            x = block(x)
        return x

    def _normed(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return out


class _Block(nn.Module):
    """Around a depthwise convolution, a norm, and two matrices with the response norm between them."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        depthwise = layer(weights, f"{name}.dwconv")
        self.depthwise = convolution(depthwise, groups=depthwise[0].shape[0])
        self.norm = _LayerNorm(weights, f"{name}.norm")
        self.widen = matrix(layer(weights, f"{name}.pwconv1"))
        narrow, bias = layer(weights, f"{name}.pwconv2")
        # What the response norm adds is a constant before the second matrix.
        self.narrow = matrix((narrow, bias + narrow @ weights[f"{name}.grn.beta"].double().flatten()))
        self.register_buffer("gamma", weights[f"{name}.grn.gamma"].float().reshape(1, 1, -1))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) to the same."""
        rows = self.depthwise(x).flatten(2).transpose(1, 2)
        wide = functional.gelu(self.widen(self.norm(rows)))
        strength = wide.square().sum(1, keepdim=True).sqrt()
        relative = strength / (strength.mean(2, keepdim=True) + _EPSILON)
        narrow = self.narrow(wide * (self.get_buffer("gamma") * relative + 1))
        out: Tensor = x + narrow.transpose(1, 2).reshape(tuple(map(int, x.shape)))
        return out


class _LayerNorm(nn.LayerNorm):
    """Over the last axis, filled."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__(weights[f"{name}.weight"].shape[0], eps=_EPSILON)
        with torch.no_grad():
            self.weight.copy_(weights[f"{name}.weight"])
            self.bias.copy_(weights[f"{name}.bias"])
        self.requires_grad_(False)
