"""The feature volume, moved by keypoints (the paper's W, after face-vid2vid's dense motion network)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.liveportrait import published_layout as sizes
from engines.liveportrait.folding import Layer, Weights, convolution, enlarged, layer, normed
from engines.liveportrait.volume_sampling import resample_shifted, sample

_DENSE = "dense_motion_network"
_VARIANCE = 0.01  # of the blobs that mark keypoints
_SLOPE = 0.01  # of the last activation
_VOLUME = (sizes.DEPTH, sizes.SIDE, sizes.SIDE)


class WarpingPart(nn.Module):
    """Feature volume (1, 32, 16, 64, 64), keypoints of source and driver (1, 21, 3) to (1, 256, 64, 64)."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.compress = convolution(normed(weights, f"{_DENSE}.compress", f"{_DENSE}.norm"))
        self.hourglass = _Hourglass(weights)
        self.mask = _DepthLast(layer(weights, f"{_DENSE}.mask"))
        self.occlusion = _OneChannel(layer(weights, f"{_DENSE}.occlusion"))
        self.third = convolution(normed(weights, "third.conv", "third.norm"))
        self.fourth = convolution(layer(weights, "fourth"))

    def forward(self, feature: Tensor, source_keypoints: Tensor, driving_keypoints: Tensor) -> Tensor:
        """See the class."""
        shifts = functional.pad((source_keypoints - driving_keypoints)[0], (0, 0, 1, 0))  # the first: none
        candidates = resample_shifted(torch.relu(self.compress(feature)), shifts)
        marks = _marks(driving_keypoints[0]) - _marks(source_keypoints[0])
        marks = functional.pad(marks[:, None], (0, 0, 0, 0, 0, 0, 0, 0, 1, 0))
        seen = self.hourglass(torch.cat([marks, candidates], 1).reshape(1, sizes.HOURGLASS_INPUT, *_VOLUME))
        shares = torch.softmax(self.mask(seen), 1)
        moves = (shifts.transpose(0, 1) @ shares.flatten(2)[0]).reshape(3, *_VOLUME)
        warped = sample(feature, _even_grid(feature) + moves)
        x = self.third(warped.reshape(1, sizes.CHANNELS * sizes.DEPTH, sizes.SIDE, sizes.SIDE))
        x = self.fourth(functional.leaky_relu(x, _SLOPE))
        out: Tensor = x * torch.sigmoid(self.occlusion(seen.flatten(1, 2)))
        return out


class _Hourglass(nn.Module):
    """A U-Net (Ronneberger et al. 2015) over the volume, that halves height and width but keeps the depth."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        down, up = f"{_DENSE}.hourglass.encoder.down_blocks", f"{_DENSE}.hourglass.decoder.up_blocks"
        steps = range(len(sizes.HOURGLASS))
        self.down = nn.ModuleList(convolution(_block(weights, f"{down}.{i}")) for i in steps)
        self.up = nn.ModuleList(enlarged(_block(weights, f"{up}.{i}")) for i in steps)
        self.last = convolution(_block(weights, f"{_DENSE}.hourglass.decoder"))

    def forward(self, x: Tensor) -> Tensor:
        """(1, 110, 16, 64, 64) to (1, 142, 16, 64, 64)."""
        skips = [x]
        for convolve in self.down:
            skips.append(functional.avg_pool3d(torch.relu(convolve(skips[-1])), (1, 2, 2)))
        x = skips.pop()
        for convolve in self.up:
            x = torch.cat([torch.relu(convolve(x)), skips.pop()], 1)
        return torch.relu(self.last(x))


class _DepthLast(nn.Module):
    """A convolution of a volume, as one of its slices with outputs for each depth, which are added then.

    A processor's convolutions fill whole registers with outputs: seven times 22 waste less than 22.
    """

    def __init__(self, folded: Layer) -> None:
        super().__init__()
        weight, bias = folded
        self.outputs, _, self.depth = weight.shape[:3]
        flat = weight.permute(2, 0, 1, 3, 4).flatten(0, 1)
        self.slices = convolution((flat, flat.new_zeros(flat.shape[0])))
        self.register_buffer("bias", bias.float().reshape(1, -1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, D, H, W) to (1, outputs, D, H, W)."""
        depth, reach = int(x.shape[2]), self.depth // 2
        parts = self.slices(x[0].transpose(0, 1))
        parts = functional.pad(parts, (0, 0, 0, 0, 0, 0, reach, reach))
        total = sum(
            parts[i : i + depth, i * self.outputs : (i + 1) * self.outputs] for i in range(self.depth)
        )  # fmt: skip
        return total.transpose(0, 1)[None] + self.get_buffer("bias")  # type: ignore[union-attr]


class _OneChannel(nn.Module):
    """A convolution with one output: its weights' places as outputs of one pixel, which are added then."""

    def __init__(self, folded: Layer) -> None:
        super().__init__()
        weight, bias = folded
        _, inputs, height, width = weight.shape
        places = weight[0].reshape(inputs, height * width, 1, 1).transpose(0, 1)
        self.places = convolution((places, places.new_zeros(height * width)))
        gather = torch.eye(height * width, dtype=torch.float64).reshape(1, height * width, height, width)
        self.gather = convolution((gather, bias))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) to (1, 1, H, W)."""
        out: Tensor = self.gather(self.places(x))
        return out


def _block(weights: Weights, name: str) -> Layer:
    return normed(weights, f"{name}.conv", f"{name}.norm")


def _axis(side: int, like: Tensor) -> Tensor:
    return torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device)


def _even_grid(like: Tensor) -> Tensor:
    """(3, 16, 64, 64) of x, y, z: where the network takes points to lie, from face to face."""
    z, y, x = torch.meshgrid(*(_axis(side, like) for side in _VOLUME), indexing="ij")
    return torch.stack([x, y, z])


def _marks(keypoints: Tensor) -> Tensor:
    """(21, 3) to (21, 16, 64, 64): a Gaussian blob at each, made of its three factors."""
    x, y, z = (
        torch.exp((_axis(side, keypoints) - keypoints[:, axis, None]).square() * (-0.5 / _VARIANCE))
        for axis, side in enumerate(reversed(_VOLUME))
    )
    return z[:, :, None, None] * (y[:, None, :, None] * x[:, None, None, :])
