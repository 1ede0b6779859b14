"""The mouth painter: teeth, tongue, cavity, lips and the folds around them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.painter_network import Profile
from engines.networks.unet import UNet, fade, spread

PROFILES = (Profile("cpu", (40, 72, 120, 160)), Profile("gpu", (64, 128, 224, 320)))
CONTOURS = 4  # outer and inner lips, moved and at rest


class MouthPainter(nn.Module):
    """Paints in and around the lips; elsewhere its mask is 0.

    Args:
        crop_px: side of the crop.
        profile: widths.
    """

    def __init__(self, crop_px: int, profile: Profile = PROFILES[0]) -> None:
        super().__init__()
        self.crop_px = crop_px
        self.net = UNet(6 + CONTOURS, 3, profile.widths)
        self.register_buffer("fade", fade(crop_px, crop_px // 10), persistent=False)

    def forward(self, warped: Tensor, source: Tensor, contours: Tensor) -> tuple[Tensor, Tensor]:
        """See `engines.networks.painter_network.PainterNetwork`."""
        residual = torch.tanh(self.net(torch.cat([warped - 0.5, source - 0.5, contours], 1)))
        lips = torch.maximum(contours[:, 0:1], contours[:, 2:3])
        return residual, spread(lips, self.crop_px // 9, self.crop_px // 18) * self.get_buffer("fade")
